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
            let text = some(40)
            let part = some(10)
            let start = numbers.below(text.count + 1)
            let places = start + part.count <= text.count ? Array(start...(text.count - part.count)) : []
            let expected = places.first { Array(text[$0..<($0 + part.count)]) == part }
            #expect(ByteScan.firstIndex(of: part.span, in: text.span, from: start) == expected, "\(part) in \(text) from \(start)")
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
