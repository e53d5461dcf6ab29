/// Knows time zones by their IANA names. The files lie outside Core, which only reads their bytes.
package protocol ZoneSource: Sendable {
    /// The rules of `Europe/Berlin`; nil when there is no such zone.
    func rules(_ name: String) -> ZoneRules?
}

extension ZoneSource {
    /// Whether `name` can be a zone's: letters, digits, `_`, `-`, `+`, parted by `/`; so it never leaves the folder of zones.
    package static func isName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 64 else { return false }
        return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.allSatisfy { byte in
                    (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || "_-+".utf8.contains(byte)
                }
        }
    }
}
