internal import Core

/// The fields of a message entry in one column, for entries of which PostgreSQL refuses a part: `name length\n`, the bytes and `\n` for each.
///
/// The payload is not among them; it stands in a column of bytes of its own.
enum ExactFields {
    private static let fields = MessageField.allCases.filter { $0 != .data }

    static func encode(_ message: MessageEntry) -> [UInt8] {
        var out: [UInt8] = []
        for field in fields where message.count(field) > 0 {
            field.name.withUTF8Buffer { out.append(contentsOf: $0) }
            out.append(UInt8(ascii: " "))
            DecimalDigits.append(UInt64(message.count(field)), to: &out)
            out.append(UInt8(ascii: "\n"))
            out.append(contentsOf: message.slice(field))
            out.append(UInt8(ascii: "\n"))
        }
        return out
    }

    /// Sets every field but the payload; false, and nothing is set, when `bytes` are not what `encode` writes.
    static func decode(_ bytes: [UInt8], into message: inout MessageEntry) -> Bool {
        var values: [MessageField: ArraySlice<UInt8>] = [:]
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: UInt8(ascii: " ")), let field = MessageField.named(rest[..<space]),
                let end = rest[space...].firstIndex(of: UInt8(ascii: "\n")), let count = DecimalText.int64(rest[(space + 1)..<end]),
                count > 0, count < rest.endIndex - end - 1, rest[end + 1 + Int(count)] == UInt8(ascii: "\n")
            else { return false }
            values[field] = rest[(end + 1)..<(end + 1 + Int(count))]
            rest = rest[(end + 2 + Int(count))...]
        }
        for field in fields { message.set(field, values[field] ?? []) }
        return true
    }
}
