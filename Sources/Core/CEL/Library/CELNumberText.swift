/// Doubles as text and back, in the forms of Go's strconv, which CEL's reference uses.
enum CELNumberText {
    /// The shortest text that reads back as the same double; with an exponent below 1e-4 and from 1e6 on (Go's `%g`).
    static func shortest(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
        let (digits, point) = decimal(value.magnitude)
        let sign = value.sign == .minus ? "-" : ""
        guard point <= -4 || point > 6 else { return sign + plain(digits, point) }
        let fraction = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
        return sign + text(digits.prefix(1)) + fraction + exponent(point - 1)
    }

    /// The same without an exponent, however long that is.
    static func plain(_ value: Double) -> String {
        guard value.isFinite else { return shortest(value) }
        let (digits, point) = decimal(value.magnitude)
        return (value.sign == .minus ? "-" : "") + plain(digits, point)
    }

    private static func plain(_ digits: [UInt8], _ point: Int) -> String {
        if point <= 0 { return "0" + (digits == [0] ? "" : "." + String(repeating: "0", count: -point) + text(digits[...])) }
        if digits.count <= point { return text(digits[...]) + String(repeating: "0", count: point - digits.count) }
        return text(digits.prefix(point)) + "." + text(digits.dropFirst(point))
    }

    /// The shortest digits, and how many of them stand before the point.
    private static func decimal(_ value: Double) -> (digits: [UInt8], point: Int) {
        var mantissa: [UInt8] = []
        var point: Int?
        var exponent = 0
        let parts = value.description.utf8.split(separator: UInt8(ascii: "e"))
        for byte in parts[0] {
            if byte == UInt8(ascii: ".") { point = mantissa.count } else { mantissa.append(byte - 0x30) }
        }
        if parts.count == 2 { exponent = Int(String(decoding: parts[1], as: UTF8.self)) ?? 0 }
        var place = (point ?? mantissa.count) + exponent
        while mantissa.count > 1, mantissa.last == 0 { mantissa.removeLast() }
        while mantissa.count > 1, mantissa.first == 0 {
            mantissa.removeFirst()
            place -= 1
        }
        return (mantissa, mantissa == [0] ? 0 : place)
    }

    private static func text(_ digits: ArraySlice<UInt8>) -> String { String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self) }

    /// `e+03`, at least two digits.
    private static func exponent(_ value: Int) -> String {
        "e" + (value < 0 ? "-" : "+") + (value.magnitude < 10 ? "0" : "") + String(value.magnitude)
    }

    // MARK: Given precision

    /// `%.Nf`: exact, halves go to the even neighbour of the exact value.
    static func fixed(_ value: Double, _ precision: Int) -> String {
        guard value.isFinite else { return shortest(value) }
        let (whole, fraction) = expansion(value.magnitude)
        let digits = rounded(whole + fraction, whole.count + precision)
        let split = digits.count - precision
        let sign = value.sign == .minus ? "-" : ""
        return sign + text(digits[..<split]) + (precision > 0 ? "." + text(digits[split...]) : "")
    }

    /// `%.Ne`.
    static func scientific(_ value: Double, _ precision: Int) -> String {
        guard value.isFinite else { return shortest(value) }
        let (whole, fraction) = expansion(value.magnitude)
        let all = whole + fraction
        let sign = value.sign == .minus ? "-" : ""
        let zeros = all.prefix { $0 == 0 }.count
        let significant = zeros == all.count ? [0] : Array(all[zeros...])
        var power = zeros == all.count ? 0 : whole.count - 1 - zeros
        var digits = rounded(significant, precision + 1)
        if digits.count > precision + 1 {
            power += 1
            digits.removeLast()
        }
        return sign + text(digits.prefix(1)) + (precision > 0 ? "." + text(digits.dropFirst()) : "") + exponent(power)
    }

    /// The first `count` digits, rounded by those behind; one more when the rounding carries out, zeros behind when there are fewer.
    private static func rounded(_ digits: [UInt8], _ count: Int) -> [UInt8] {
        guard digits.count > count else { return digits + [UInt8](repeating: 0, count: count - digits.count) }
        var kept = Array(digits[..<count])
        let rest = digits[count...]
        let isHalf = rest.first == 5 && rest.dropFirst().allSatisfy { $0 == 0 }
        guard let first = rest.first, isHalf ? (kept.last ?? 0) % 2 == 1 : first >= 5 else { return kept }
        var at = count - 1
        while at >= 0, kept[at] == 9 {
            kept[at] = 0
            at -= 1
        }
        if at >= 0 { kept[at] += 1 } else { kept.insert(1, at: 0) }
        return kept
    }

    /// All decimal digits of a finite double, exactly: before the point (at least one) and behind it.
    ///
    /// - Cost: at most 1 074 steps over 35 words.
    private static func expansion(_ value: Double) -> (whole: [UInt8], fraction: [UInt8]) {
        guard value > 0 else { return ([0], []) }
        let mantissa = value.significandBitPattern | (value.isNormal ? 1 << 52 : 0)
        let power = Int(max(value.exponentBitPattern, 1)) - 1_075
        // The number is words × 2^-bits, little-endian words of 32 bits.
        let bits = max(0, -power)
        let shift = max(0, power)
        var words = [UInt32](repeating: 0, count: shift / 32) + split(mantissa, shift % 32)
        words += [UInt32](repeating: 0, count: max(0, bits / 32 + 2 - words.count))
        var whole = shifted(words, right: bits)
        var fraction: [UInt8] = []
        clear(&words, above: bits)
        while words.contains(where: { $0 != 0 }) {
            multiply(&words, by: 10)
            fraction.append(UInt8(truncatingIfNeeded: shifted(words, right: bits).first ?? 0))
            clear(&words, above: bits)
        }
        var digits: [UInt8] = []
        repeat { digits.append(divide(&whole, by: 10)) } while whole.contains { $0 != 0 }
        return (digits.reversed(), fraction)
    }

    private static func split(_ mantissa: UInt64, _ shift: Int) -> [UInt32] {
        let wide = UInt128(mantissa) << UInt128(shift)
        return (0..<3).map { UInt32(truncatingIfNeeded: wide >> UInt128(32 * $0)) }
    }

    private static func shifted(_ words: [UInt32], right bits: Int) -> [UInt32] {
        let skipped = bits / 32
        return (skipped..<words.count).map { index in
            let pair = UInt64(words[index]) | (index + 1 < words.count ? UInt64(words[index + 1]) << 32 : 0)
            return UInt32(truncatingIfNeeded: pair >> UInt64(bits % 32))
        }
    }

    private static func clear(_ words: inout [UInt32], above bits: Int) {
        for index in words.indices where index >= bits / 32 {
            words[index] = index == bits / 32 ? words[index] & (UInt32(1) << UInt32(bits % 32) &- 1) : 0
        }
    }

    private static func multiply(_ words: inout [UInt32], by factor: UInt64) {
        var carry: UInt64 = 0
        for index in words.indices {
            carry += UInt64(words[index]) * factor
            words[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
    }

    private static func divide(_ words: inout [UInt32], by divisor: UInt64) -> UInt8 {
        var rest: UInt64 = 0
        for index in words.indices.reversed() {
            rest = rest << 32 | UInt64(words[index])
            words[index] = UInt32(truncatingIfNeeded: rest / divisor)
            rest %= divisor
        }
        return UInt8(rest)
    }

    // MARK: Reading

    /// Reads a decimal number with an optional fraction and exponent, `NaN` or an infinity.
    static func double(_ text: String) -> Double? {
        var bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= 1_024 else { return nil }
        let isSigned = bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+")
        let isNegative = bytes[0] == UInt8(ascii: "-")
        if isSigned { bytes.removeFirst() }
        switch String(decoding: bytes, as: UTF8.self).lowercased() {
        case "nan": return isSigned ? nil : .nan
        case "inf", "infinity": return isNegative ? -.infinity : .infinity
        default: break
        }
        guard let last = bytes.last, bytes.contains(where: CELLexer.isDigit), bytes.allSatisfy({ CELLexer.isDigit($0) || ".eE+-".utf8.contains($0) }) else {
            return nil
        }
        if bytes[0] == UInt8(ascii: ".") { bytes.insert(0x30, at: 0) }
        if last == UInt8(ascii: ".") { bytes.append(0x30) }
        return Double((isNegative ? "-" : "") + String(decoding: bytes, as: UTF8.self))
    }
}
