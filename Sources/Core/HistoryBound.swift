/// Where a range of the past begins or ends, as people write it: a position, a time, or how long ago.
package enum HistoryBound: Sendable, Equatable {
    case position(Position)
    /// µs since the epoch.
    case time(Int64)
    /// Milliseconds before now.
    case ago(Int64)

    package static let expectation = "a position such as 0-1767225600000-0, a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 12h, 30d, 2w"

    /// nil when the text is none of them, a position of another partition or one of a time behind the year 5138.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        if let position = Position(utf8: bytes) {
            guard position.partition == 0, position.ms < 100_000_000_000_000 else { return nil }
            self = .position(position)
        } else if let time = Timestamp.fromEpoch(bytes.span) ?? Timestamp.parse(bytes.span) {
            self = .time(max(0, time))
        } else if let unit = bytes.last, let length = HistoryBound.units.first(where: { $0.name == unit })?.milliseconds,
            let count = HistoryBound.number(bytes.dropLast())
        {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow else { return nil }
            self = .ago(product)
        } else {
            return nil
        }
    }

    private static let units: [(name: UInt8, milliseconds: Int64)] = [
        (UInt8(ascii: "s"), 1_000), (UInt8(ascii: "m"), 60_000), (UInt8(ascii: "h"), 3_600_000), (UInt8(ascii: "d"), 86_400_000),
        (UInt8(ascii: "w"), 604_800_000),
    ]

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    /// The first position that belongs to it.
    ///
    /// - Parameter now: milliseconds since the epoch.
    package func first(now: UInt64) -> Position {
        switch self {
        case .position(let position): position
        case .time(let microseconds): Position(ms: UInt64(microseconds / 1_000), seq: 0)
        case .ago(let milliseconds): Position(ms: now > UInt64(milliseconds) ? now - UInt64(milliseconds) : 0, seq: 0)
        }
    }

    /// The last position that belongs to it: of a time, all of its millisecond. PostgreSQL has no larger numbers.
    package func last(now: UInt64) -> Position {
        let first = first(now: now)
        if case .position = self { return first }
        return Position(ms: first.ms, seq: UInt64(Int64.max))
    }
}
