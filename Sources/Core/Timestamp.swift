/// Times are microseconds since the Unix epoch (Int64), read and written as RFC 3339 in UTC.
package enum Timestamp {
    /// The years 1…9999, which RFC 3339 can write.
    private static let writable: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    /// `2026-11-22T03:30:02.123456Z`; the fraction has 0, 3 or 6 digits, as few as say it exactly. A time outside the years 1…9999 is
    /// written as the nearest inside.
    package static func append(microseconds: Int64, to out: inout [UInt8]) {
        let microseconds = min(max(microseconds, writable.lowerBound), writable.upperBound)
        let day: Int64 = 86_400_000_000
        let days = microseconds >= 0 ? microseconds / day : -((-microseconds + day - 1) / day)
        var rest = microseconds - days * day
        let (year, month, dayOfMonth) = civil(days: days)
        digits(year, 4, &out)
        out.append(UInt8(ascii: "-"))
        digits(month, 2, &out)
        out.append(UInt8(ascii: "-"))
        digits(dayOfMonth, 2, &out)
        out.append(UInt8(ascii: "T"))
        digits(rest / 3_600_000_000, 2, &out)
        rest %= 3_600_000_000
        out.append(UInt8(ascii: ":"))
        digits(rest / 60_000_000, 2, &out)
        rest %= 60_000_000
        out.append(UInt8(ascii: ":"))
        digits(rest / 1_000_000, 2, &out)
        rest %= 1_000_000
        if rest % 1000 != 0 {
            out.append(UInt8(ascii: "."))
            digits(rest, 6, &out)
        } else if rest != 0 {
            out.append(UInt8(ascii: "."))
            digits(rest / 1000, 3, &out)
        }
        out.append(UInt8(ascii: "Z"))
    }

    package static func rfc3339(microseconds: Int64) -> String {
        var out: [UInt8] = []
        append(microseconds: microseconds, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Reads RFC 3339 (`T` or a space, any offset, any number of digits of fraction, of which six count, leap second 60 taken as 59.999999);
    /// nil when it is anything else or outside years 1…9999.
    package static func parse(_ b: Span<UInt8>) -> Int64? {
        guard b.count >= 20 else { return nil }
        func number(_ from: Int, _ count: Int) -> Int64? {
            guard from + count <= b.count else { return nil }
            var value: Int64 = 0
            for index in from..<(from + count) {
                guard b[index] >= 0x30, b[index] <= 0x39 else { return nil }
                value = value * 10 + Int64(b[index] - 0x30)
            }
            return value
        }
        guard let year = number(0, 4), b[4] == 0x2D, let month = number(5, 2), b[7] == 0x2D, let day = number(8, 2),
            b[10] == 0x54 || b[10] == 0x74 || b[10] == 0x20,
            let hour = number(11, 2), b[13] == 0x3A, let minute = number(14, 2), b[16] == 0x3A, var second = number(17, 2),
            year >= 1, month >= 1, month <= 12, day >= 1, day <= daysIn(month: month, year: year), hour <= 23, minute <= 59, second <= 60
        else { return nil }
        var at = 19
        var fraction: Int64 = 0
        if b[at] == 0x2E {
            at += 1
            var scale: Int64 = 100_000
            let start = at
            while at < b.count, b[at] >= 0x30, b[at] <= 0x39 {
                fraction += Int64(b[at] - 0x30) * scale
                scale /= 10
                at += 1
            }
            guard at > start else { return nil }
        }
        if second == 60 {
            second = 59
            fraction = 999_999
        }
        guard at < b.count else { return nil }
        var offset: Int64 = 0
        if b[at] == 0x5A || b[at] == 0x7A {
            guard at + 1 == b.count else { return nil }
        } else {
            guard b[at] == 0x2B || b[at] == 0x2D, at + 6 == b.count, let h = number(at + 1, 2), b[at + 3] == 0x3A,
                let m = number(at + 4, 2), h <= 23, m <= 59
            else { return nil }
            offset = (h * 60 + m) * (b[at] == 0x2D ? -1 : 1)
        }
        let minutes = (daysFromCivil(year, month, day) * 24 + hour) * 60 + minute - offset
        let micros = (minutes * 60 + second) * 1_000_000 + fraction
        return writable.contains(micros) ? micros : nil
    }

    /// An epoch number in seconds, milliseconds, microseconds or nanoseconds, told apart by its size, as µs; nil before 1971 or after 2286.
    ///
    /// It is read digit by digit, and an exponent only moves its point: nothing is rounded on the way through a float.
    package static func fromEpoch(_ text: Span<UInt8>) -> Int64? {
        var end = 0
        while end < text.count, text[end] | 0x20 != UInt8(ascii: "e") { end += 1 }
        var point = 0
        while point < end, text[point] != UInt8(ascii: ".") { point += 1 }
        guard let exponent = exponent(text, from: end) else { return nil }
        let wholeDigits = point + exponent
        var whole: Int64 = 0
        var fraction: Int64 = 0
        var scale: Int64 = 100_000
        var digits = 0
        for index in 0..<end where index != point {
            guard text[index] >= 0x30, text[index] <= 0x39 else { return nil }
            let digit = Int64(text[index] - 0x30)
            if digits < wholeDigits {
                guard whole <= wholeTenthMax else { return nil }
                whole = whole * 10 + digit
            } else {
                fraction += digit * scale
                scale /= 10
            }
            digits += 1
        }
        // Zeros that the exponent stands for; of a zero they make nothing.
        while whole > 0, digits < wholeDigits {
            guard whole <= wholeTenthMax else { return nil }
            whole *= 10
            digits += 1
        }
        switch whole {
        case 31_536_000..<10_000_000_000: return whole * 1_000_000 + fraction
        case 31_536_000_000..<10_000_000_000_000: return whole * 1000 + fraction / 1000
        case 31_536_000_000_000..<10_000_000_000_000_000: return whole
        case 31_536_000_000_000_000...: return whole / 1000
        default: return nil
        }
    }

    /// Ten times as much, and a digit, still fits.
    private static let wholeTenthMax = (Int64.max - 9) / 10

    /// The number behind the `e` at `index`; 0 where the text ends. Beyond a thousand it makes no difference how much.
    private static func exponent(_ text: Span<UInt8>, from index: Int) -> Int? {
        guard index < text.count else { return 0 }
        var at = index + 1
        let isNegative = at < text.count && text[at] == UInt8(ascii: "-")
        if isNegative || (at < text.count && text[at] == UInt8(ascii: "+")) { at += 1 }
        guard at < text.count else { return nil }
        var value = 0
        while at < text.count {
            guard text[at] >= 0x30, text[at] <= 0x39 else { return nil }
            value = min(value * 10 + Int(text[at] - 0x30), 1_000)
            at += 1
        }
        return isNegative ? -value : value
    }

    private static func digits(_ value: Int64, _ count: Int, _ out: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<count { divisor *= 10 }
        while divisor > 0 {
            out.append(0x30 + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 of a civil date.
    /// - Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let doe = z - era * 146_097
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153
        let month = mp < 10 ? mp + 3 : mp - 9
        return (yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1)
    }
}
