/// A point in time with nanoseconds, in the years 1…9999.
///
/// - Source: google/protobuf/timestamp.proto; text is RFC 3339.
package struct CELTimestamp: Hashable, Comparable, Sendable {
    package static let secondsRange: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    package let seconds: Int64
    /// 0…999 999 999.
    package let nanoseconds: Int32

    /// nil outside the years 1…9999.
    package init?(seconds: Int64, nanoseconds: Int64 = 0) {
        let (carried, rest) = nanoseconds.flooredDivision(by: 1_000_000_000)
        let (total, overflow) = seconds.addingReportingOverflow(carried)
        guard !overflow, Self.secondsRange.contains(total) else { return nil }
        self.seconds = total
        self.nanoseconds = Int32(rest)
    }

    /// From the product's microseconds; nil outside the years 1…9999.
    package init?(microseconds: Int64) {
        let (seconds, rest) = microseconds.flooredDivision(by: 1_000_000)
        self.init(seconds: seconds, nanoseconds: rest * 1_000)
    }

    package static func < (left: CELTimestamp, right: CELTimestamp) -> Bool {
        left.seconds != right.seconds ? left.seconds < right.seconds : left.nanoseconds < right.nanoseconds
    }

    package func adding(_ duration: CELDuration, times sign: Int64 = 1) -> CELTimestamp? {
        CELTimestamp(seconds: seconds + sign * duration.seconds, nanoseconds: Int64(nanoseconds) + sign * Int64(duration.nanoseconds))
    }

    package func since(_ other: CELTimestamp) -> CELDuration? {
        CELDuration(seconds: seconds - other.seconds, nanoseconds: Int64(nanoseconds) - Int64(other.nanoseconds))
    }

    /// `2009-02-13T23:31:30.5Z`, with as few digits as say it exactly.
    package var text: String {
        let civil = CivilTime(seconds: seconds)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let year = String(civil.year)
        return String(repeating: "0", count: 4 - year.utf8.count) + year + "-" + two(civil.month) + "-" + two(civil.day) + "T"
            + two(civil.hour) + ":" + two(civil.minute) + ":" + two(civil.second) + Self.fraction(Int64(nanoseconds)) + "Z"
    }

    /// Nanoseconds as `.5`, without trailing zeros; empty for none.
    static func fraction(_ nanoseconds: Int64) -> String {
        guard nanoseconds != 0 else { return "" }
        let digits = Array(String(nanoseconds).utf8)
        var all = [UInt8](repeating: 0x30, count: 9 - digits.count) + digits
        while all.last == 0x30 { all.removeLast() }
        return "." + String(decoding: all, as: UTF8.self)
    }

    /// Reads RFC 3339 strictly: `T` and `Z` in capitals or an offset, a fraction of any length (nanoseconds are kept), no leap second.
    package init?(text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 64 else { return nil }
        func number(_ from: Int, _ count: Int) -> Int64? {
            guard from + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[from..<(from + count)] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard let year = number(0, 4), bytes[4] == 0x2D, let month = number(5, 2), bytes[7] == 0x2D, let day = number(8, 2),
            bytes[10] == UInt8(ascii: "T"), let hour = number(11, 2), bytes[13] == 0x3A, let minute = number(14, 2), bytes[16] == 0x3A,
            let second = number(17, 2), (1...12).contains(month), day >= 1, day <= CivilTime.daysIn(month: month, year: year),
            hour <= 23, minute <= 59, second <= 59
        else { return nil }
        var at = 19
        var nanos: Int64 = 0
        if bytes[at] == UInt8(ascii: ".") {
            let digits = bytes[(at + 1)...].prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard !digits.isEmpty else { return nil }
            at += 1 + digits.count
            var place: Int64 = 100_000_000
            for digit in digits.prefix(9) {
                nanos += Int64(digit - 0x30) * place
                place /= 10
            }
        }
        guard at < bytes.count else { return nil }
        var offset: Int64 = 0
        if bytes[at] == UInt8(ascii: "Z") {
            guard at + 1 == bytes.count else { return nil }
        } else {
            guard bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-"), at + 6 == bytes.count, let hours = number(at + 1, 2),
                bytes[at + 3] == 0x3A, let minutes = number(at + 4, 2), hours <= 23, minutes <= 59
            else { return nil }
            offset = (hours * 60 + minutes) * (bytes[at] == UInt8(ascii: "-") ? -60 : 60)
        }
        let days = CivilTime.days(year: year, month: month, day: day)
        self.init(seconds: days * 86_400 + hour * 3_600 + minute * 60 + second - offset, nanoseconds: nanos)
    }
}
