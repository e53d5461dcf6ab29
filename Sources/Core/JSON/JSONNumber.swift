/// A decimal number, exact: sign × digits × 10^exponent, without zeros at either end of the digits, so equal numbers look alike.
///
/// Up to 19 significant digits are kept in one word and cost no allocation. Exponents beyond ±10^12 are taken as ±10^12.
package struct JSONNumber: Sendable, Hashable {
    package let isNegative: Bool
    /// The digits as one integer when there are at most 19; 0 when the number is zero, or has more digits.
    let magnitude: UInt64
    /// The digits (0…9) when there are more than 19; else empty.
    let digits: [UInt8]
    package let exponent: Int

    private static let exponentMax = 1_000_000_000_000

    package init(_ value: Int64) {
        var magnitude = value.magnitude
        var exponent = 0
        if magnitude == 0 {
            self.init(false, 0, [], 0)
            return
        }
        while magnitude % 10 == 0 {
            magnitude /= 10
            exponent += 1
        }
        self.init(value < 0, magnitude, [], exponent)
    }

    private init(_ isNegative: Bool, _ magnitude: UInt64, _ digits: [UInt8], _ exponent: Int) {
        self.isNegative = isNegative
        self.magnitude = magnitude
        self.digits = digits
        self.exponent = exponent
    }

    /// Reads a number that has passed the parser.
    package init(_ text: Span<UInt8>, _ range: Range<Int>) {
        var at = range.lowerBound
        let negative = text[at] == UInt8(ascii: "-")
        if negative { at += 1 }
        let first = at
        var magnitude: UInt64 = 0
        // Digits from the first that is not zero to the last that is not zero; `places`: digits behind the point so far.
        var significant = 0
        var pendingZeros = 0
        var places = 0
        var behindPoint = false
        var fits = true
        loop: while at < range.upperBound {
            switch text[at] {
            case UInt8(ascii: "."): behindPoint = true
            case UInt8(ascii: "0"):
                if significant > 0 { pendingZeros += 1 }
                if behindPoint { places += 1 }
            case let byte where byte >= 0x31 && byte <= 0x39:
                if significant + pendingZeros >= 19 { fits = false }
                if fits {
                    for _ in 0..<pendingZeros { magnitude *= 10 }
                    magnitude = magnitude * 10 + UInt64(byte - 0x30)
                }
                significant += pendingZeros + 1
                pendingZeros = 0
                if behindPoint { places += 1 }
            default: break loop
            }
            at += 1
        }
        let mantissaEnd = at
        guard significant > 0 else {
            self.init(false, 0, [], 0)
            return
        }
        let exponent = pendingZeros - places + Self.exponent(text, at, range.upperBound)
        if fits {
            self.init(negative, magnitude, [], exponent)
        } else {
            self.init(negative, 0, Self.digits(text, first..<mantissaEnd, significant), exponent)
        }
    }

    private static func exponent(_ text: Span<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from + 1
        guard at < end else { return 0 }
        let negative = text[at] == UInt8(ascii: "-")
        if text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") { at += 1 }
        var value = 0
        while at < end {
            value = min(value * 10 + Int(text[at] - 0x30), exponentMax)
            at += 1
        }
        return negative ? -value : value
    }

    private static func digits(_ text: Span<UInt8>, _ mantissa: Range<Int>, _ significant: Int) -> [UInt8] {
        var digits: [UInt8] = []
        digits.reserveCapacity(significant)
        for index in mantissa where digits.count < significant && text[index] != UInt8(ascii: ".") {
            if digits.isEmpty, text[index] == UInt8(ascii: "0") { continue }
            digits.append(text[index] - 0x30)
        }
        return digits
    }

    package var isZero: Bool { magnitude == 0 && digits.isEmpty }

    package var isInteger: Bool { exponent >= 0 }

    /// The number as an integer; nil when it is none, or does not fit.
    package var int64: Int64? {
        guard digits.isEmpty, exponent >= 0, exponent < 19 else { return nil }
        let (product, overflow) = magnitude.multipliedReportingOverflow(by: Self.power(exponent))
        guard !overflow else { return nil }
        if isNegative { return product <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- product) : nil }
        return Int64(exactly: product)
    }

    /// 10^exponent for 0…19.
    static func power(_ exponent: Int) -> UInt64 {
        var value: UInt64 = 1
        for _ in 0..<exponent { value *= 10 }
        return value
    }

    /// Number of significant digits.
    package var digitCount: Int {
        if !digits.isEmpty { return digits.count }
        var count = 0
        var rest = magnitude
        while rest > 0 {
            rest /= 10
            count += 1
        }
        return count
    }

    /// The digits, most significant first.
    var allDigits: [UInt8] {
        if !digits.isEmpty { return digits }
        var out: [UInt8] = []
        var rest = magnitude
        while rest > 0 {
            out.append(UInt8(rest % 10))
            rest /= 10
        }
        return out.reversed()
    }
}

extension JSONNumber: Comparable {
    package static func < (a: JSONNumber, b: JSONNumber) -> Bool {
        if a.isZero || b.isZero { return a.isZero ? !b.isZero && !b.isNegative : a.isNegative }
        if a.isNegative != b.isNegative { return a.isNegative }
        return a.isNegative ? isSmaller(b, a) : isSmaller(a, b)
    }

    /// Compares without regard to sign; neither is zero.
    private static func isSmaller(_ a: JSONNumber, _ b: JSONNumber) -> Bool {
        let aCount = a.digitCount
        let bCount = b.digitCount
        if aCount + a.exponent != bCount + b.exponent { return aCount + a.exponent < bCount + b.exponent }
        if a.digits.isEmpty, b.digits.isEmpty {
            return a.magnitude * power(max(0, bCount - aCount)) < b.magnitude * power(max(0, aCount - bCount))
        }
        return a.allDigits.lexicographicallyPrecedes(b.allDigits)
    }
}
