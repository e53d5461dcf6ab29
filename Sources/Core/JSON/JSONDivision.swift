/// Exact division of decimal numbers, for JSON Schema's `multipleOf`.
extension JSONNumber {
    /// Whether the number is an integer multiple of `divisor`, which is above zero.
    ///
    /// With a·10^x and b·10^y in their shortest forms, a·10^(x-y) must be divisible by b; for x < y it never is, since a has no factor 10.
    /// - Cost: linear in the digits for divisors of up to 19 digits; else digits × digits of the divisor.
    package func isMultiple(of divisor: JSONNumber) -> Bool {
        if isZero { return true }
        let shift = exponent - divisor.exponent
        guard shift >= 0 else { return false }
        guard divisor.digits.isEmpty else { return Self.isDivisible(allDigits, shift, by: divisor.digits) }
        let modulus = divisor.magnitude
        if modulus == 1 { return true }
        var rest: UInt64 = digits.isEmpty ? magnitude % modulus : 0
        for digit in digits { rest = Self.reduce(rest, 10, plus: UInt64(digit), modulus) }
        return Self.product(rest, Self.powerOfTen(shift, modulus), modulus) == 0
    }

    private static func reduce(_ value: UInt64, _ factor: UInt64, plus: UInt64, _ modulus: UInt64) -> UInt64 {
        let product = product(value, factor, modulus)
        let (sum, overflow) = product.addingReportingOverflow(plus % modulus)
        return overflow ? sum &- modulus : sum % modulus
    }

    private static func product(_ a: UInt64, _ b: UInt64, _ modulus: UInt64) -> UInt64 {
        let full = (a % modulus).multipliedFullWidth(by: b % modulus)
        return modulus.dividingFullWidth(full).remainder
    }

    private static func powerOfTen(_ exponent: Int, _ modulus: UInt64) -> UInt64 {
        var result = 1 % modulus
        var base = 10 % modulus
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result = product(result, base, modulus) }
            base = product(base, base, modulus)
            rest >>= 1
        }
        return result
    }

    /// Long division. A divisor of n digits has less than 4·n factors 2 and 5, so more zeros than that change nothing.
    private static func isDivisible(_ digits: [UInt8], _ zeros: Int, by divisor: [UInt8]) -> Bool {
        let modulus = limbs(divisor)
        var rest = [UInt64](repeating: 0, count: modulus.count + 1)
        for position in 0..<(digits.count + min(zeros, 4 * divisor.count)) {
            var carry = position < digits.count ? UInt64(digits[position]) : 0
            for index in rest.indices {
                let value = rest[index] * 10 + carry
                rest[index] = value % limb
                carry = value / limb
            }
            while !isBelow(rest, modulus) { subtract(modulus, from: &rest) }
        }
        return rest.allSatisfy { $0 == 0 }
    }

    private static let limb: UInt64 = 1_000_000_000_000_000_000

    /// Base 10^18, least significant first.
    private static func limbs(_ digits: [UInt8]) -> [UInt64] {
        var out: [UInt64] = []
        var end = digits.count
        while end > 0 {
            out.append(digits[max(0, end - 18)..<end].reduce(0) { $0 * 10 + UInt64($1) })
            end -= 18
        }
        return out
    }

    private static func isBelow(_ value: [UInt64], _ other: [UInt64]) -> Bool {
        for index in stride(from: value.count - 1, through: 0, by: -1) {
            let right = index < other.count ? other[index] : 0
            if value[index] != right { return value[index] < right }
        }
        return false
    }

    private static func subtract(_ other: [UInt64], from value: inout [UInt64]) {
        var borrow: UInt64 = 0
        for index in value.indices {
            let right = (index < other.count ? other[index] : 0) + borrow
            borrow = value[index] < right ? 1 : 0
            value[index] = borrow == 1 ? value[index] + limb - right : value[index] - right
        }
    }
}
