/// Writes whole numbers in decimal without a string in between.
package enum DecimalDigits {
    package static func append(_ value: UInt64, to out: inout [UInt8]) {
        guard value >= 10 else { return out.append(0x30 | UInt8(truncatingIfNeeded: value)) }
        // From the last digit on, since a division by the constant 10 is a multiplication.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var rest = value
        var at = digits.count
        while rest > 0 {
            at &-= 1
            let tenth = rest / 10
            digits[at] = 0x30 | UInt8(truncatingIfNeeded: rest &- tenth &* 10)
            rest = tenth
        }
        out.append(addingCapacity: digits.count &- at) { room in
            for index in at..<digits.count { room.append(digits[index]) }
        }
    }

    package static func append(_ value: Int64, to out: inout [UInt8]) {
        if value < 0 { out.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &out)
    }
}
