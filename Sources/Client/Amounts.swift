/// Numbers as people read them.
package enum Amounts {
    /// `4,092`
    package static func count(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [Substring] = []
        var rest = digits[...]
        while rest.count > 3 {
            groups.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        groups.insert(rest, at: 0)
        digits = groups.joined(separator: ",")
        return value < 0 ? "-" + digits : digits
    }

    /// `6.6 MB`: powers of 1000, as disks and networks are sold.
    package static func bytes(_ value: Int) -> String {
        var scaled = Double(value)
        for unit in ["B", "kB", "MB", "GB"] {
            if scaled < 1000 { return unit == "B" ? "\(value) B" : "\(tenths(scaled)) \(unit)" }
            scaled /= 1000
        }
        return "\(tenths(scaled)) TB"
    }

    /// `0.8 s`, `12 s`, `3:07`, `1:02:09`
    package static func time(_ duration: Duration) -> String {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        if seconds < 10 { return "\(tenths(seconds)) s" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        let minutes = whole / 60 % 60
        let hours = whole / 3600
        return hours == 0 ? "\(minutes):\(two(whole % 60))" : "\(hours):\(two(minutes)):\(two(whole % 60))"
    }

    /// `1.23 ms` of so many microseconds.
    package static func latency(microseconds: Int) -> String {
        if microseconds < 1000 { return "\(microseconds) µs" }
        if microseconds < 1_000_000 { return "\(hundredths(Double(microseconds) / 1000)) ms" }
        return "\(hundredths(Double(microseconds) / 1_000_000)) s"
    }

    /// Per second; 0 before any time has passed.
    package static func rate(_ count: Int, in duration: Duration) -> Int {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        return seconds > 0 ? Int((Double(count) / seconds).rounded()) : 0
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func tenths(_ value: Double) -> String {
        let scaled = Int((value * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }

    private static func hundredths(_ value: Double) -> String {
        let scaled = Int((value * 100).rounded())
        return "\(scaled / 100).\(two(scaled % 100))"
    }
}
