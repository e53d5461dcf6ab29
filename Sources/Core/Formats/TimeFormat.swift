/// date-time, date, time and duration.
///
/// - Source: RFC 3339, 5.6 and appendix A.
enum TimeFormat {
    static func isDateTime(_ text: Span<UInt8>) -> Bool {
        text.count >= 20 && isDate(text, 0) && text[10] | 0x20 == UInt8(ascii: "t") && isTime(text, 11)
    }

    /// Whether the ten bytes from `at` on are a date.
    static func isDate(_ text: Span<UInt8>, _ at: Int) -> Bool {
        guard let century = FormatText.pair(text, at), let rest = FormatText.pair(text, at + 2), at + 10 <= text.count,
            text[at + 4] == UInt8(ascii: "-"), let month = FormatText.pair(text, at + 5), text[at + 7] == UInt8(ascii: "-"),
            let day = FormatText.pair(text, at + 8), month >= 1, month <= 12, day >= 1
        else { return false }
        let year = century * 100 + rest
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        return day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Whether the text from `at` on is a time with an offset. A leap second only ends a day of UTC.
    static func isTime(_ text: Span<UInt8>, _ start: Int) -> Bool {
        guard let hour = FormatText.pair(text, start), start + 9 <= text.count, text[start + 2] == UInt8(ascii: ":"),
            let minute = FormatText.pair(text, start + 3),
            text[start + 5] == UInt8(ascii: ":"), let second = FormatText.pair(text, start + 6), hour <= 23, minute <= 59, second <= 60
        else { return false }
        var at = start + 8
        if text[at] == UInt8(ascii: ".") {
            at += 1
            let first = at
            while at < text.count, FormatText.isDigit(text[at]) { at += 1 }
            guard at > first, at < text.count else { return false }
        }
        var offset = 0
        if text[at] | 0x20 == UInt8(ascii: "z") {
            guard at + 1 == text.count else { return false }
        } else {
            guard text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-"), at + 6 == text.count, let hours = FormatText.pair(text, at + 1),
                text[at + 3] == UInt8(ascii: ":"), let minutes = FormatText.pair(text, at + 4), hours <= 23, minutes <= 59
            else { return false }
            offset = (hours * 60 + minutes) * (text[at] == UInt8(ascii: "-") ? -1 : 1)
        }
        return second < 60 || (hour * 60 + minute - offset + 2 * 1_440) % 1_440 == 1_439
    }

    /// Units come from large to small, and none in the middle is left out; weeks stand alone.
    static func isDuration(_ text: Span<UInt8>) -> Bool {
        guard text.count >= 3, text[0] == UInt8(ascii: "P") else { return false }
        var at = 1
        guard let date = units(text, &at, [UInt8(ascii: "Y"), UInt8(ascii: "M"), UInt8(ascii: "D")]) else {
            // Only weeks are left.
            at = 1
            return skipDigits(text, &at) && at + 1 == text.count && text[at] == UInt8(ascii: "W")
        }
        if at == text.count { return date > 0 }
        guard text[at] == UInt8(ascii: "T") else { return false }
        at += 1
        guard let time = units(text, &at, [UInt8(ascii: "H"), UInt8(ascii: "M"), UInt8(ascii: "S")]) else { return false }
        return time > 0 && at == text.count
    }

    /// Reads numbers with units of the list, without gaps; how many there were, nil for a number without one of the units.
    private static func units(_ text: Span<UInt8>, _ at: inout Int, _ names: [UInt8]) -> Int? {
        var next = 0
        var count = 0
        while at < text.count, text[at] != UInt8(ascii: "T") {
            guard skipDigits(text, &at), at < text.count, let unit = names.firstIndex(of: text[at]), unit >= next, count == 0 || unit == next else {
                return nil
            }
            next = unit + 1
            count += 1
            at += 1
        }
        return count
    }

    private static func skipDigits(_ text: Span<UInt8>, _ at: inout Int) -> Bool {
        let start = at
        while at < text.count, FormatText.isDigit(text[at]) { at += 1 }
        return at > start
    }
}
