/// The calendar's reading of a second count: proleptic Gregorian, no leap seconds.
///
/// - Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
package struct CivilTime: Equatable, Sendable {
    package let year, month, day, hour, minute, second: Int64
    /// 0 is Sunday.
    package let weekday: Int64
    /// 0 is the first of January.
    package let yearday: Int64

    /// - Parameter seconds: since 1970-01-01T00:00:00 of the clock that is read (local offset added already).
    package init(seconds: Int64) {
        let (days, rest) = seconds.flooredDivision(by: 86_400)
        hour = rest / 3_600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = (days + 4).flooredDivision(by: 7).remainder
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        yearday = days - Self.days(year: year, month: 1, day: 1)
    }

    /// Days from 1970-01-01 to a date.
    package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.flooredDivision(by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    package static func isLeap(_ year: Int64) -> Bool { (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 }
}
