/// The first two numbers of a version.
package struct VersionNumber: Sendable, Comparable {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads `7.0.15`, `v2.9.10-beta`; nil when there is no number at its beginning.
    package init?(_ text: String) {
        let parts = text.drop { $0 == "v" }.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, let major = Int(first) else { return nil }
        self.init(major, parts.count > 1 ? Int(parts[1].prefix { $0.isNumber }) ?? 0 : 0)
    }

    package static func < (a: VersionNumber, b: VersionNumber) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}
