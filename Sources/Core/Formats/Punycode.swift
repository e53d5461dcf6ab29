/// Labels beyond ASCII, written in ASCII.
///
/// - Source: RFC 3492.
enum Punycode {
    private static let base: UInt32 = 36
    private static let tMin: UInt32 = 1
    private static let tMax: UInt32 = 26

    private static func adapt(_ delta: UInt32, _ points: UInt32, first: Bool) -> UInt32 {
        var delta = first ? delta / 700 : delta / 2
        delta += delta / points
        var k: UInt32 = 0
        while delta > ((base - tMin) * tMax) / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + 38)
    }

    private static func threshold(_ k: UInt32, _ bias: UInt32) -> UInt32 { k <= bias ? tMin : min(k - bias, tMax) }

    /// The characters of what stands behind `xn--`; nil when it is not Punycode. At most 63 characters are given.
    static func decode(_ text: [UInt32]) -> [UInt32]? {
        var out: [UInt32] = []
        var at = 0
        if let dash = text.lastIndex(of: 0x2D) {
            out = Array(text[..<dash]).map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
            at = dash + 1
        }
        var n: UInt32 = 128
        var i: UInt32 = 0
        var bias: UInt32 = 72
        while at < text.count {
            let before = i
            var weight: UInt32 = 1
            var k = base
            while true {
                guard at < text.count, let digit = digit(text[at]) else { return nil }
                at += 1
                let (product, overflow) = digit.multipliedReportingOverflow(by: weight)
                let (sum, carried) = i.addingReportingOverflow(product)
                guard !overflow, !carried else { return nil }
                i = sum
                let t = threshold(k, bias)
                if digit < t { break }
                let (next, tooLarge) = weight.multipliedReportingOverflow(by: base - t)
                guard !tooLarge else { return nil }
                weight = next
                k += base
            }
            let count = UInt32(out.count + 1)
            bias = adapt(i - before, count, first: before == 0)
            n += i / count
            i %= count
            guard n <= 0x10FFFF, !(0xD800..<0xE000).contains(n) else { return nil }
            out.insert(n, at: Int(i))
            i += 1
        }
        return out
    }

    /// What stands behind `xn--`; nil beyond the range of 32 bits.
    static func encode(_ text: [UInt32]) -> [UInt32]? {
        var out = text.filter { $0 < 0x80 }
        let basic = UInt32(out.count)
        var handled = basic
        if basic > 0 { out.append(0x2D) }
        var n: UInt32 = 128
        var delta: UInt32 = 0
        var bias: UInt32 = 72
        while handled < text.count {
            guard let next = text.filter({ $0 >= n }).min() else { return nil }
            let (step, overflow) = (next - n).multipliedReportingOverflow(by: handled + 1)
            let (sum, carried) = delta.addingReportingOverflow(step)
            guard !overflow, !carried, sum < UInt32.max / 2 else { return nil }
            delta = sum
            n = next
            for scalar in text {
                if scalar < n { delta += 1 }
                guard scalar == n else { continue }
                var rest = delta
                var k = base
                while true {
                    let t = threshold(k, bias)
                    if rest < t { break }
                    out.append(character(t + (rest - t) % (base - t)))
                    rest = (rest - t) / (base - t)
                    k += base
                }
                out.append(character(rest))
                bias = adapt(delta, handled + 1, first: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return out
    }

    private static func digit(_ character: UInt32) -> UInt32? {
        switch character {
        case 0x30...0x39: character - 0x30 + 26
        case 0x41...0x5A: character - 0x41
        case 0x61...0x7A: character - 0x61
        default: nil
        }
    }

    private static func character(_ digit: UInt32) -> UInt32 { digit < 26 ? 0x61 + digit : 0x30 + digit - 26 }
}
