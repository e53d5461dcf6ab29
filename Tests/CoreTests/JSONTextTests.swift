import Core
import Foundation
import TestSupport
import Testing

@Suite("JSONText")
struct JSONTextTests {
    private func decode(_ json: String) -> String? {
        let bytes = Array(json.utf8)
        return JSONText.decode(bytes.span, 0..<bytes.count).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "Strings are decoded",
        arguments: [
            (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""é€😀""#, "é€😀"), (#""\u00e9\u20AC""#, "é€"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00!""#, "😀!"), (#""\udbff\udfff""#, "\u{10FFFF}"), (#""\ufffd\uffff""#, "\u{FFFD}\u{FFFF}"),
            (#""\u0001""#, "\u{1}"), (#""\\u0041""#, #"\u0041"#),
        ])
    func decoded(_ json: String, _ text: String) { #expect(decode(json) == text) }

    @Test(
        "Half a surrogate pair and U+0000 are no text",
        arguments: [
            #""\ud83d""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ud83d\u0041""#, #""\ud83d\ud83d""#, #""\ude00""#, #""\ude00\ud83d""#, #""\u0000""#, #""a\u0000b""#,
            #""\ud83d\ude0""#,
        ])
    func undecodable(_ json: String) { #expect(decode(json) == nil) }

    @Test("What is written is read back, by us and by Foundation") func roundTrip() throws {
        var numbers = SeededNumbers(6)
        for _ in 0..<3_000 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<numbers.below(40) {
                let bound = numbers.pick([0x80, 0x100, 0x3000, 0x11_0000])
                if let scalar = Unicode.Scalar(UInt32(1 + numbers.below(bound - 1))) { scalars.append(scalar) }
            }
            let text = String(scalars)
            var json: [UInt8] = []
            JSONText.append(text, to: &json)
            #expect(try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed) as? String == text)
            #expect(JSONText.decode(json.span, 0..<json.count) == Array(text.utf8))
            #expect(throws: Never.self) { try JSONScanner.validate(json.span) }
        }
    }

    @Test(
        "Arrays of strings are read, anything else is not",
        arguments: [
            ("[]", []), (" [ ] ", []), (#"["a"]"#, ["a"]), (#" [ "a" , "b\n" ] "#, ["a", "b\n"]), (#"["a",1]"#, nil), (#"["a",null]"#, nil), ("[[]]", nil),
            ("{}", nil), (#""a""#, nil), ("[1]", nil), (#"["\ud800"]"#, nil), ("", nil),
        ] as [(String, [String]?)])
    func arrays(_ json: String, _ expected: [String]?) {
        #expect(JSONText.decodeStrings(Array(json.utf8).span)?.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test("An object is built member by member") func object() {
        var object = JSONObject()
        object.add("a", "x\"y")
        object.add("b", 3)
        object.add("c", true)
        object.addNull("d")
        object.add("e", raw: Array("[1]".utf8))
        object.add("f", text: [0x7A])
        #expect(String(decoding: object.finish(), as: UTF8.self) == #"{"a":"x\"y","b":3,"c":true,"d":null,"e":[1],"f":"z"}"#)
        #expect(JSONObject().finish() == Array("{}".utf8))
    }
}
