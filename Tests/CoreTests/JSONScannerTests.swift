import Core
import TestSupport
import Testing

/// The scanner's verdict on a text.
func fault(_ bytes: [UInt8]) -> JSONFault? {
    do throws(JSONFault) {
        try JSONScanner.validate(bytes.span)
        return nil
    } catch {
        return error
    }
}

func fault(_ text: String) -> JSONFault? { fault(Array(text.utf8)) }

@Suite("JSONScanner")
struct JSONScannerTests {
    @Test(
        "Valid texts pass",
        arguments: [
            "{}", "[]", "null", "true", "false", "0", "-0", "1", "-1", "0.0", "-0.5e-7", "1e400", "1E+99999999999999999999", "1e-400",
            "123456789012345678901234567890",
            #""""#, #""a""#, #""\u0000""#, #""\ud800""#, #""\"\\\/\b\f\n\r\t\u12aB""#, "\"\u{7F}\u{2028}😀\"", " \t\r\n{ \t\r\n} \t\r\n", "[1,2 , 3]",
            #"{"a":1,"a":2}"#, #"{"":{"":[{}]}}"#, "\"\u{FEFF}\"", "[[[[[[[[]]]]]]]]",
        ])
    func valid(_ text: String) { #expect(fault(text) == nil) }

    @Test(
        "Invalid texts are told apart, with the place",
        arguments: [
            ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("{", .unexpectedEnd, 1), ("[", .unexpectedEnd, 1), ("\"", .unexpectedEnd, 1),
            ("nul", .unexpectedEnd, 3), ("-", .unexpectedEnd, 1), (#"{"a""#, .unexpectedEnd, 4), (#"{"a":"#, .unexpectedEnd, 5),
            (#"{"a":1"#, .unexpectedEnd, 6),
            (#"{"a":1,"#, .unexpectedEnd, 7), (#""\"#, .unexpectedEnd, 2), (#""\u12"#, .unexpectedEnd, 5),
            ("]", .unexpectedByte, 0), ("[,1]", .unexpectedByte, 1), ("[1,]", .unexpectedByte, 3), ("'a'", .unexpectedByte, 0), ("+1", .unexpectedByte, 0),
            (".5", .unexpectedByte, 0), ("NaN", .unexpectedByte, 0), ("Infinity", .unexpectedByte, 0), ("/**/1", .unexpectedByte, 0),
            ("\u{FEFF}{}", .unexpectedByte, 0),
            ("\0", .unexpectedByte, 0), ("undefined", .unexpectedByte, 0), ("\u{A0}1", .unexpectedByte, 0), ("\u{C}1", .unexpectedByte, 0),
            (#"{"a" 1}"#, .expectedColon, 5), (#"{"a"}"#, .expectedColon, 4), ("[1 2]", .expectedCommaOrEnd, 3), (#"{"a":1;}"#, .expectedCommaOrEnd, 6),
            (#"{"a":1 "b":2}"#, .expectedCommaOrEnd, 7), ("[1}", .expectedCommaOrEnd, 2), (#"{"a":1]"#, .expectedCommaOrEnd, 6),
            ("{a:1}", .expectedKey, 1), ("{1:1}", .expectedKey, 1), (#"{"a":1,}"#, .expectedKey, 7), ("{,}", .expectedKey, 1), ("{'a':1}", .expectedKey, 1),
            ("01", .badNumber, 0), ("-01", .badNumber, 0), ("1.", .badNumber, 0), ("1.e1", .badNumber, 0), ("1e", .badNumber, 0), ("1e+", .badNumber, 0),
            ("--1", .badNumber, 0),
            ("-a", .badNumber, 0), ("-Infinity", .badNumber, 0), ("00", .badNumber, 0),
            ("tru3", .badLiteral, 0), ("nulL", .badLiteral, 0), ("falsy", .badLiteral, 0), ("True", .unexpectedByte, 0),
            (#""\x41""#, .badEscape, 1), (#""\u12G4""#, .badEscape, 1), (#""\U0041""#, .badEscape, 1), (#""\'""#, .badEscape, 1),
            ("\"a\nb\"", .controlCharacter, 2), ("\"\0\"", .controlCharacter, 1), ("\"\u{1F}\"", .controlCharacter, 1), ("\"\t\"", .controlCharacter, 1),
            ("1 2", .trailingBytes, 2), ("{}{}", .trailingBytes, 2), ("{}}", .trailingBytes, 2), ("1x", .trailingBytes, 1), ("0x10", .trailingBytes, 1),
            ("null\0", .trailingBytes, 4), ("1//", .trailingBytes, 1), ("truefalse", .trailingBytes, 4),
        ] as [(String, JSONFault.Reason, Int)])
    func invalid(_ text: String, _ reason: JSONFault.Reason, _ offset: Int) {
        #expect(fault(text) == JSONFault(reason: reason, offset: offset))
        #expect(!JSONFault(reason: reason, offset: offset).detail.isEmpty)
    }

    @Test(
        "Strings that are not UTF-8 are found where they break",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
            [0x22, 0x80, 0x22],
        ] as [[UInt8]])
    func notUTF8(_ bytes: [UInt8]) { #expect(fault(bytes) == JSONFault(reason: .notUTF8, offset: 1)) }

    @Test("128 levels pass, 129 do not, and a million do not hurt") func nesting() {
        func nested(_ levels: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: levels) + (open.hasSuffix(":") ? "1" : "") + String(repeating: close, count: levels)
        }
        #expect(Limits.nestingMax == 128)
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            #expect(fault(nested(128, open, close)) == nil)
            #expect(fault(nested(129, open, close))?.reason == .nesting)
            #expect(fault(nested(1_000_000, open, close))?.reason == .nesting)
        }
        #expect(fault(String(repeating: "[", count: 1_000_000))?.reason == .nesting)
    }

    @Test("Every prefix of a valid document is invalid, and none crashes") func prefixes() throws {
        let documents =
            [
                #"{"a":[1.5e+3,-0,true,false,null,"\u00e9\ud83d\ude00é😀\n"],"b":{"c":{}}, "d" : [ [ ] , "" ] }"#, #"["a",{"b":[]}]"#, #""abc\\""#, "[-12.5E-3]",
            ].map { Array($0.utf8) } + Repository.messages(400).filter { $0.count < 700 }.prefix(5)
        for document in documents {
            #expect(fault(document) == nil)
            for end in 0..<document.count {
                #expect(fault(Array(document[..<end])) != nil, "the first \(end) bytes of \(String(decoding: document, as: UTF8.self))")
            }
        }
    }

    @Test("A fault is never placed outside the text") func offsets() {
        var numbers = SeededNumbers(8)
        let document = Array(#"{"a":[1.5e+3,-0,true,"\u00e9é😀"],"b":{"c":null}}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0...numbers.below(3) { bytes[numbers.below(bytes.count)] = UInt8(truncatingIfNeeded: numbers.next()) }
            if let fault = fault(bytes) { #expect((0...bytes.count).contains(fault.offset)) }
        }
    }

    @Test("The real messages are valid") func real() { #expect(Repository.messages(5_000).allSatisfy { fault($0) == nil }) }
}
