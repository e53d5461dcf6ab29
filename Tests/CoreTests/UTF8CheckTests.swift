import Core
import TestSupport
import Testing

@Suite("UTF8Check")
struct UTF8CheckTests {
    private func isValid(_ bytes: [UInt8]) -> Bool { UTF8Check.firstFault(bytes.span) == nil }
    private func isString(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    @Test("Every sequence of one or two bytes is judged as the standard library does") func short() {
        var wrong: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            if isValid([first]) != isString([first]) { wrong.append([first]) }
            for second in UInt8.min...UInt8.max where isValid([first, second]) != isString([first, second]) { wrong.append([first, second]) }
        }
        #expect(wrong.isEmpty)
    }

    @Test("Every three- and four-byte lead with the tails at the edges is judged as the standard library does") func long() {
        let tails: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        var wrong: [[UInt8]] = []
        for lead in UInt8(0xE0)...0xFF {
            for a in tails {
                for b in tails {
                    if isValid([lead, a, b]) != isString([lead, a, b]) { wrong.append([lead, a, b]) }
                    for c in tails where isValid([lead, a, b, c]) != isString([lead, a, b, c]) { wrong.append([lead, a, b, c]) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test("Random bytes are judged as the standard library does") func random() {
        var numbers = SeededNumbers(4)
        var wrong: [[UInt8]] = []
        for _ in 0..<20_000 {
            var bytes = Array("aé€😀".utf8)
            bytes[numbers.below(bytes.count)] = UInt8(truncatingIfNeeded: numbers.next())
            if isValid(bytes) != isString(bytes) { wrong.append(bytes) }
        }
        #expect(wrong.isEmpty)
    }

    @Test("The fault's offset is that of the first byte of the broken sequence") func offset() {
        #expect(UTF8Check.firstFault([0x61, 0xC3, 0xA9, 0xFF].span) == 3)
        #expect(UTF8Check.firstFault([0x61, 0xE2, 0x82].span) == 1)
    }
}
