import Foundation
import NIOCore

/// The `Date` field of the current second, formatted once per second (RFC 9110, 6.6.1).
struct DateLine {
    private var second = -1
    private var bytes = ByteBuffer()

    /// - Cost: one clock read; formats only when the second has changed.
    mutating func line() -> ByteBuffer {
        let now = Int(Date().timeIntervalSince1970)
        if now != second {
            second = now
            bytes = ByteBuffer(string: Self.format(now))
        }
        return bytes
    }

    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` with its line end, from seconds since 1970.
    static func format(_ seconds: Int) -> String {
        let days = seconds / 86_400
        let time = seconds % 86_400
        let (year, month, day) = civil(days)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days % 7]
        let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1]
        return "Date: \(weekday), \(two(day)) \(name) \(year) \(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60)) GMT\r\n"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Year, month and day of a day since 1970. Source: Howard Hinnant, civil_from_days.
    private static func civil(_ days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}
