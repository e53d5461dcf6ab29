import Core
import Foundation
import TestSupport
import Testing

@Suite("Byte scan")
struct ByteScanTests {
    @Test("A part is found where a comparison at every place finds it first") func parts() {
        var numbers = SeededNumbers(7)
        for _ in 0..<20_000 {
            // Few letters, so that first and last bytes of a part stand everywhere; bytes one apart show borrowed hits.
            let letters: [UInt8] = [0x60, 0x61, 0x62, 0x00, 0x80, 0xFF]
            func some(_ countMax: Int) -> [UInt8] { (0..<numbers.below(countMax + 1)).map { _ in numbers.pick(letters) } }
            let text = some(120)
            let part = some(10)
            let start = numbers.below(text.count + 1)
            let places = start + part.count <= text.count ? Array(start...(text.count - part.count)) : []
            let expected = places.first { Array(text[$0..<($0 + part.count)]) == part }
            #expect(ByteScan.firstIndex(of: part.span, in: text.span, from: start) == expected, "\(part) in \(text) from \(start)")
        }
    }

    @Test("A part in small letters is found whatever the case, as a comparison at every place finds it") func lowercase() {
        var numbers = SeededNumbers(9)
        var found = 0
        for _ in 0..<20_000 {
            // With what differs from a letter in the bit of its case only, such as ` and @.
            let letters: [UInt8] = [0x60, 0x40, 0x61, 0x41, 0x7A, 0x5A, 0x7B, 0x5B, 0x2D, 0x0D]
            let text = (0..<numbers.below(120)).map { _ in numbers.pick(letters) }
            let part = (0..<numbers.below(5)).map { _ in numbers.pick([0x60, 0x61, 0x7A, 0x7B, 0x2D, 0x40] as [UInt8]) }
            let small = text.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
            let isThere = part.count <= text.count && (0...(text.count - part.count)).contains { Array(small[$0..<($0 + part.count)]) == part }
            let isFound = ByteScan.contains(lowercase: part.span, in: text.span)
            #expect(isFound == isThere, "\(part) in \(text)")
            found += isThere ? 1 : 0
        }
        #expect((1_000...19_000).contains(found))
    }

    @Test("A byte that is not ASCII is seen at every place") func ascii() {
        for count in 0..<100 {
            var text = [UInt8](repeating: 0x7F, count: count)
            let isPlain = ByteScan.isASCII(text.span)
            #expect(isPlain)
            for index in 0..<count {
                text[index] = 0x80
                let isPlainStill = ByteScan.isASCII(text.span)
                #expect(!isPlainStill)
                text[index] = 0x7F
            }
        }
    }

    @Test("Numbers are written as Swift writes them") func decimals() {
        var numbers = SeededNumbers(10)
        let some = (0..<10_000).map { _ in UInt64(bitPattern: Int64(numbers.below(.max))) >> UInt64(numbers.below(63)) }
        for value in [0, 9, 10, 99, 100, .max, .max - 1] + some {
            var out: [UInt8] = [0x78]
            DecimalDigits.append(value, to: &out)
            DecimalDigits.append(Int64(truncatingIfNeeded: value), to: &out)
            #expect(String(decoding: out, as: UTF8.self) == "x\(value)\(Int64(truncatingIfNeeded: value))")
        }
    }

    @Test("Escapes of a JSON string give what Foundation reads, wherever they stand between plain bytes") func escapes() throws {
        var numbers = SeededNumbers(8)
        let pieces = [#"\n"#, #"\""#, #"\\"#, #"\/"#, #"\t"#, #"\r"#, #"\b"#, #"\f"#, #"\u0041"#, #"\u20AC"#, #"\ud83d\uDE00"#, "é", "😀", "abcdefgh", "x", " "]
        for _ in 0..<5_000 {
            let inside = (0..<numbers.below(13)).map { _ in numbers.pick(pieces) }.joined()
            let text = Array("\"\(inside)\"".utf8)
            let expected = try #require(try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) as? String)
            #expect(String(decoding: JSONString.unescaped(text.span, 1..<(text.count - 1)), as: UTF8.self) == expected)
        }
    }
}
