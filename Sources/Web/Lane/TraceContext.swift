/// W3C Trace Context, the part that a message carries.
package enum TraceContext {
    /// Whether `text` is a `traceparent` of version 00: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, neither id all zeros.
    package static func isWellFormed(_ text: Span<UInt8>) -> Bool {
        guard text.count == 55, text[0] == 0x30, text[1] == 0x30 else { return false }
        for index in [2, 35, 52] where text[index] != UInt8(ascii: "-") { return false }
        return isID(text, 3..<35) && isID(text, 36..<52) && (53..<55).allSatisfy { isHex(text[$0]) }
    }

    private static func isID(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        range.allSatisfy { isHex(text[$0]) } && range.contains { text[$0] != UInt8(ascii: "0") }
    }

    private static func isHex(_ byte: UInt8) -> Bool { (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) }
}
