/// Standard base64 (RFC 4648 §4), padded, without white space.
package enum Base64 {
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let count = text.count
        guard count % 4 == 0 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(count / 4 * 3)
        var group: UInt32 = 0
        var inGroup = 0
        var padding = 0
        for byte in text {
            if byte == UInt8(ascii: "=") {
                padding += 1
                group <<= 6
            } else {
                guard padding == 0, let value = value(byte) else { return nil }
                group = group << 6 | UInt32(value)
            }
            inGroup += 1
            if inGroup == 4 {
                guard padding <= 2 else { return nil }
                for index in 0..<(3 - padding) { out.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - index * 8))) }
                guard padding == 0 || group & (padding == 1 ? 0xFF : 0xFFFF) == 0 else { return nil }
                group = 0
                inGroup = 0
            }
        }
        return out
    }

    package static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let input = Array(bytes)
        var out: [UInt8] = []
        out.reserveCapacity((input.count + 2) / 3 * 4)
        var at = 0
        while at < input.count {
            let left = input.count - at
            let group = UInt32(input[at]) << 16 | (left > 1 ? UInt32(input[at + 1]) << 8 : 0) | (left > 2 ? UInt32(input[at + 2]) : 0)
            for index in 0..<4 {
                out.append(index <= left ? alphabet[Int(group >> UInt32(18 - index * 6) & 63)] : UInt8(ascii: "="))
            }
            at += 3
        }
        return out
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
