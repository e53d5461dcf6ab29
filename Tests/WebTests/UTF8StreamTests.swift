import Testing

@testable import Web

@Suite("UTF-8 as it arrives")
struct UTF8StreamTests {
    @Test("Any bytes in any pieces are judged as the standard library judges the whole", arguments: [UInt64.random(in: 0 ... .max)])
    func fuzz(_ seed: UInt64) {
        var random = Seeded(seed)
        let edges: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF,
        ]
        for _ in 0..<50_000 {
            var bytes = (0..<Int.random(in: 0..<12, using: &random)).map { _ in edges.randomElement(using: &random) ?? 0 }
            if Bool.random(using: &random) { bytes = Array("plain ascii text".utf8) + Array("żółw 🐢".utf8) + bytes }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            var stream = UTF8Stream()
            let isValid = stream.accept(Array(bytes[..<cut]).span) && stream.accept(Array(bytes[cut...]).span) && stream.isComplete
            #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
        }
    }

    @Test("A fault shows at the first byte that cannot be continued")
    func early() {
        var stream = UTF8Stream()
        let lead: [UInt8] = [0xF4]
        let tail: [UInt8] = [0x90]
        let isLeadAccepted = stream.accept(lead.span)
        let isTailAccepted = stream.accept(tail.span)
        #expect(isLeadAccepted && !isTailAccepted)
    }
}
