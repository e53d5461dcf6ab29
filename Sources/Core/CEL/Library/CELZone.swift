/// A time zone as an expression names it.
enum CELZone: Sendable {
    /// Seconds east of UTC.
    case fixed(Int64)
    case rules(ZoneRules)

    /// `UTC`, an IANA name, or an offset `+05:30`, `-08:00`, `02:00`; nil for anything else.
    ///
    /// - Source: langdef.md, "Timezones"; a text with a colon is an offset.
    static func named(_ name: String, _ source: (any ZoneSource)?) -> CELZone? {
        if name.isEmpty || name == "UTC" || name == "Z" { return .fixed(0) }
        guard name.utf8.contains(UInt8(ascii: ":")) else { return source?.rules(name).map(CELZone.rules) }
        var bytes = Array(name.utf8)[...]
        let isWest = bytes.first == UInt8(ascii: "-")
        if isWest || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }) else { return nil }
        let numbers = parts.map { $0.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) } }
        guard numbers[0] <= 23, numbers[1] <= 59 else { return nil }
        let seconds = numbers[0] * 3_600 + numbers[1] * 60
        return .fixed(isWest ? -seconds : seconds)
    }

    func offset(at seconds: Int64) -> Int64 {
        switch self {
        case .fixed(let offset): offset
        case .rules(let rules): rules.offset(at: seconds)
        }
    }
}
