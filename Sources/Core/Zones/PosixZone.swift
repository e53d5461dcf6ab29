/// A zone as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// - Source: POSIX.1 §8.3 (TZ), with RFC 8536's hours from -167 to 167.
struct PosixZone: Sendable {
    /// When in a year the clock changes.
    private struct Change {
        enum Day {
            /// Day 1…365, 29 February never counted.
            case julian(Int64)
            /// Day 0…365.
            case ordinal(Int64)
            case weekday(month: Int64, week: Int64, day: Int64)
        }
        let day: Day
        /// Seconds from midnight.
        let time: Int64

        /// Seconds since the epoch by the local clock.
        func local(_ year: Int64) -> Int64 {
            let newYear = CivilTime.days(year: year, month: 1, day: 1)
            switch day {
            case .julian(let day): return (newYear + day - 1 + (CivilTime.isLeap(year) && day >= 60 ? 1 : 0)) * 86_400 + time
            case .ordinal(let day): return (newYear + day) * 86_400 + time
            case .weekday(let month, let week, let day):
                let first = CivilTime.days(year: year, month: month, day: 1)
                let weekday = (first + 4).flooredDivision(by: 7).remainder
                var date = 1 + (day - weekday + 7) % 7 + (week - 1) * 7
                while date > CivilTime.daysIn(month: month, year: year) { date -= 7 }
                return (first + date - 1) * 86_400 + time
            }
        }
    }

    private let standard: Int64
    private let summer: (offset: Int64, start: Change, end: Change)?

    /// nil when the text is no such rule.
    init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        guard Self.skipName(&rest), let west = Self.time(&rest) else { return nil }
        standard = -west
        guard !rest.isEmpty else {
            summer = nil
            return
        }
        guard Self.skipName(&rest) else { return nil }
        var offset = standard + 3_600
        if rest.first != UInt8(ascii: ",") {
            guard let west = Self.time(&rest) else { return nil }
            offset = -west
        }
        guard let start = Self.change(&rest), let end = Self.change(&rest), rest.isEmpty else { return nil }
        summer = (offset, start, end)
    }

    func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = CivilTime(seconds: seconds + standard).year
        let start = summer.start.local(year) - standard
        let end = summer.end.local(year) - summer.offset
        let isSummer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isSummer ? summer.offset : standard
    }

    // MARK: Reading

    private static func skipName(_ rest: inout ArraySlice<UInt8>) -> Bool {
        if rest.first == UInt8(ascii: "<") {
            guard let close = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
            rest = rest[(close + 1)...]
            return true
        }
        let name = rest.prefix { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty, digits.count <= 3 else { return nil }
        rest = rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func time(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        let isNegative = take(&rest, UInt8(ascii: "-"))
        if !isNegative { _ = take(&rest, UInt8(ascii: "+")) }
        guard var seconds = number(&rest).map({ $0 * 3_600 }) else { return nil }
        for unit: Int64 in [60, 1] where take(&rest, UInt8(ascii: ":")) {
            guard let part = number(&rest) else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// `,M3.5.0/2`, `,J60`, `,59`.
    private static func change(_ rest: inout ArraySlice<UInt8>) -> Change? {
        guard take(&rest, UInt8(ascii: ",")) else { return nil }
        let day: Change.Day
        if take(&rest, UInt8(ascii: "M")) {
            guard let month = number(&rest), take(&rest, UInt8(ascii: ".")), let week = number(&rest), take(&rest, UInt8(ascii: ".")),
                let weekday = number(&rest), (1...12).contains(month), (1...5).contains(week), weekday <= 6
            else { return nil }
            day = .weekday(month: month, week: week, day: weekday)
        } else if take(&rest, UInt8(ascii: "J")) {
            guard let number = number(&rest), (1...365).contains(number) else { return nil }
            day = .julian(number)
        } else {
            guard let number = number(&rest), number <= 365 else { return nil }
            day = .ordinal(number)
        }
        guard take(&rest, UInt8(ascii: "/")) else { return Change(day: day, time: 7_200) }
        return time(&rest).map { Change(day: day, time: $0) }
    }
}
