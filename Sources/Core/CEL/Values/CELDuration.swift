/// A span of time with nanoseconds, whose number of nanoseconds fits Int64 (±292 years), as in CEL's reference implementations.
///
/// - Source: cel-go common/types/duration.go; the text forms are those of Go's `time.ParseDuration`.
package struct CELDuration: Hashable, Comparable, Sendable {
    /// Whole seconds, rounded down.
    package let seconds: Int64
    /// 0…999 999 999, always forward in time.
    package let nanoseconds: Int32

    /// nil outside the range.
    package init?(seconds: Int64, nanoseconds: Int64) {
        let (carried, rest) = nanoseconds.flooredDivision(by: 1_000_000_000)
        let (total, overflow) = seconds.addingReportingOverflow(carried)
        guard !overflow, Int64(exactly: Int128(total) * 1_000_000_000 + Int128(rest)) != nil else { return nil }
        self.seconds = total
        self.nanoseconds = Int32(rest)
    }

    package static func < (left: CELDuration, right: CELDuration) -> Bool {
        left.seconds != right.seconds ? left.seconds < right.seconds : left.nanoseconds < right.nanoseconds
    }

    package func adding(_ other: CELDuration, times sign: Int64 = 1) -> CELDuration? {
        CELDuration(seconds: seconds + sign * other.seconds, nanoseconds: Int64(nanoseconds) + sign * Int64(other.nanoseconds))
    }

    /// The whole seconds, cut towards zero.
    package var wholeSeconds: Int64 { seconds < 0 && nanoseconds > 0 ? seconds + 1 : seconds }

    /// Milliseconds within the second, with the sign of the duration.
    package var milliseconds: Int64 {
        let nanos = seconds < 0 && nanoseconds > 0 ? Int64(nanoseconds) - 1_000_000_000 : Int64(nanoseconds)
        return nanos / 1_000_000
    }

    /// `1.5s`, with as few digits as say it exactly.
    package var text: String {
        let isNegative = seconds < 0
        var whole = wholeSeconds.magnitude
        var nanos = Int64(nanoseconds)
        if isNegative, nanos > 0 {
            nanos = 1_000_000_000 - nanos
            whole = (seconds + 1).magnitude
        }
        return (isNegative ? "-" : "") + String(whole) + CELTimestamp.fraction(nanos) + "s"
    }

    /// Reads `-1h2m3.5s`: numbers with a fraction, each with one of the units h, m, s, ms, us, µs, ns; `0` needs none.
    /// - Returns: nil for anything else, or outside the range.
    package init?(text: String) {
        var bytes = Array(text.utf8)[...]
        var sign: Int64 = 1
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            bytes = bytes.dropFirst()
        }
        if bytes.elementsEqual([UInt8(ascii: "0")]) {
            self.init(seconds: 0, nanoseconds: 0)
            return
        }
        guard !bytes.isEmpty else { return nil }
        var nanos: Int128 = 0
        while !bytes.isEmpty {
            guard let part = Self.part(&bytes) else { return nil }
            nanos += part
            guard nanos <= Int128(Int64.max) + 1 else { return nil }
        }
        nanos *= Int128(sign)
        self.init(seconds: Int64(nanos / 1_000_000_000), nanoseconds: Int64(nanos % 1_000_000_000))
    }

    /// One number with its unit, in nanoseconds; digits below a nanosecond are cut off.
    private static func part(_ bytes: inout ArraySlice<UInt8>) -> Int128? {
        let whole = bytes.prefix { $0 >= 0x30 && $0 <= 0x39 }
        bytes = bytes.dropFirst(whole.count)
        var fraction: ArraySlice<UInt8> = []
        if bytes.first == UInt8(ascii: ".") {
            fraction = bytes.dropFirst().prefix { $0 >= 0x30 && $0 <= 0x39 }
            bytes = bytes.dropFirst(1 + fraction.count)
        }
        guard whole.count + fraction.count > 0, whole.count <= 18 else { return nil }
        let unit = bytes.prefix { !($0 >= 0x30 && $0 <= 0x39) && $0 != UInt8(ascii: ".") }
        bytes = bytes.dropFirst(unit.count)
        let scale: Int128
        switch String(decoding: unit, as: UTF8.self) {
        case "h": scale = 3_600_000_000_000
        case "m": scale = 60_000_000_000
        case "s": scale = 1_000_000_000
        case "ms": scale = 1_000_000
        case "us", "\u{B5}s", "\u{3BC}s": scale = 1_000
        case "ns": scale = 1
        default: return nil
        }
        var total: Int128 = whole.reduce(0) { $0 * 10 + Int128($1 - 0x30) } * scale
        var place = scale
        for digit in fraction.prefix(15) {
            total += Int128(digit - 0x30) * place / 10
            place = place / 10
        }
        return total
    }
}

extension Int64 {
    /// Quotient rounded down, and the remainder from 0 up.
    func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
