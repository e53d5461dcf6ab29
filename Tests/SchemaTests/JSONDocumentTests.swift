import Core
import TestSupport
import Testing

@Suite("JSON documents")
struct JSONDocumentTests {
    @Test("Values are what the text says") func values() throws {
        let root = try JSONDocument(#" {"a": [1, -2.5e1, "x\ny", true, false, null], "b": {"c": {}}, "a\u0062": [] } "#).root
        #expect(root.kind == .object && root.count == 3)
        #expect(root["a"]?.items.map(\.kind) == [.number, .number, .string, .boolean, .boolean, .null])
        #expect(root["a"]?.item(0)?.integer == 1 && root["a"]?.item(1)?.integer == -25 && root["a"]?.item(1)?.double == -25)
        #expect(root["a"]?.item(2)?.string == "x\ny" && root["a"]?.item(3)?.bool == true && root["a"]?.item(5)?.isNull == true)
        #expect(root["ab"]?.kind == .array && root["b"]?["c"]?.count == 0 && root["c"] == nil && root["a"]?.item(6) == nil)
        #expect(root.members.map { $0.key.string } == ["a", "b", "ab"])
        #expect(root["b"].map { String(decoding: $0.text, as: UTF8.self) } == #"{"c": {}}"#)
    }

    @Test(
        "Escapes are resolved; half a surrogate pair becomes U+FFFD",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\u20AC\ud83d\ude00\u0000""#, "é€😀\0"), (#""\ud800""#, "\u{FFFD}"),
            (#""\ud800x""#, "\u{FFFD}x"), (#""\udc00\ud800\u0041""#, "\u{FFFD}\u{FFFD}A"), (#""a\ud83d\ude00""#, "a😀"), (#""""#, ""),
        ]) func escapes(_ text: String, _ expected: String) throws
    {
        #expect(try JSONDocument(text).root.string == expected)
    }

    @Test(
        "What is no JSON is refused, and where is told",
        arguments: [
            ("", 0), ("  ", 2), ("[1,]", 3), (#"{"a":1,}"#, 7), (#"{"a" 1}"#, 5), ("[1 2]", 3), ("01", 0), ("1.", 0), ("-", 1), ("tru", 3), ("nul", 3),
            ("[", 1),
            (#"{"a""#, 4), ("\"a", 2), ("\"\u{1}\"", 1), (#""\x""#, 1), ("1 2", 2), ("]", 0), (#"{1:2}"#, 1), ("[1}", 2), (#"{"a":1]"#, 6),
        ]) func refused(_ text: String, _ offset: Int)
    {
        #expect { try JSONDocument(text) } throws: { ($0 as? JSONFault)?.offset == offset }
    }

    @Test("Nesting is bounded, and deep input is cheap to refuse") func nesting() throws {
        let deep = { (levels: Int) in String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
        #expect(try JSONDocument(deep(128)).root.kind == .array)
        #expect { try JSONDocument(deep(129)) } throws: { ($0 as? JSONFault)?.reason == .nesting }
        #expect { try JSONDocument(String(repeating: #"{"a":"#, count: 100_000)) } throws: { ($0 as? JSONFault)?.reason == .nesting }
    }

    @Test(
        "Numbers are equal by their value, however they are written",
        arguments: [
            ("1", "1.0"), ("1", "1e0"), ("100", "1e2"), ("0", "-0.0"), ("0", "0e99"), ("1.50", "15e-1"),
            ("12345678901234567890123456789", "12345678901234567890123456789.000"),
            ("123456789012345678900", "1.234567890123456789E+20"), ("9223372036854775808", "9.223372036854775808e18"), ("0.000001", "1e-6"),
            ("1000000000000000000000", "1e21"),
        ]) func equalNumbers(_ a: String, _ b: String) throws
    {
        let left = try JSONDocument(a).root
        let right = try JSONDocument(b).root
        #expect(left.equals(right) && left.number == right.number && left.canonical == right.canonical)
    }

    @Test(
        "Numbers are ordered exactly",
        arguments: [
            ("1", "2"), ("-2", "-1"), ("-1", "0"), ("0", "0.1"), ("0.1", "0.11"), ("9007199254740992", "9007199254740993"),
            ("972783798187987123879878123.18878137", "972783798187987123879878123.188781371"),
            ("-1e400", "1e-400"), ("1e-400", "1e400"), ("18446744073709551615", "18446744073709551616"), ("99999999999999999999", "1e20"),
            ("9223372036854775807", "9223372036854775807.5"),
        ]) func order(_ a: String, _ b: String) throws
    {
        let left = try #require(try JSONDocument(a).root.number)
        let right = try #require(try JSONDocument(b).root.number)
        #expect(left < right && !(right < left) && left != right)
    }

    @Test(
        "Multiples are exact",
        arguments: [
            ("0.3", "0.1", true), ("0.35", "0.1", false), ("1e308", "0.123456789", false), ("1e308", "0.5", true), ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("12391239123", "1e-8", true), ("0", "7", true), ("-9", "3", true), ("1e1000000000", "3", false), ("1e1000000000", "1024", true),
            ("123456789012345678901234567890", "12345678901234567890123456789", true),
            ("123456789012345678901234567891", "12345678901234567890123456789", false),
            ("18446744073709551615", "18446744073709551615", true), ("36893488147419103230", "18446744073709551615", true), ("1", "10", false),
            ("4.5", "1.5", true),
        ]) func multiples(_ value: String, _ divisor: String, _ expected: Bool) throws
    {
        let number = try #require(try JSONDocument(value).root.number)
        let by = try #require(try JSONDocument(divisor).root.number)
        #expect(number.isMultiple(of: by) == expected)
    }

    @Test(
        "Values are equal without regard to order, escapes and spelling",
        arguments: [
            (#"{"a":1,"b":[1,2]}"#, #"{"b":[1.0,2e0],"\u0061":1}"#, true), ("[1,2]", "[2,1]", false), (#"{"a":1}"#, #"{"a":1,"b":2}"#, false),
            (#"{"a":1,"a":1}"#, #"{"a":1,"b":1}"#, false), (#"{"a":1,"b":1}"#, #"{"a":1,"a":1}"#, false), (#""é""#, #""\u00e9""#, true), ("true", "1", false),
            ("null", "false", false), ("[]", "{}", false), (#"{"":0}"#, #"{"":0}"#, true), (#""1""#, "1", false),
        ]) func equality(_ a: String, _ b: String, _ expected: Bool) throws
    {
        #expect(try JSONDocument(a).root.equals(JSONDocument(b).root) == expected)
        #expect(try JSONDocument(b).root.equals(JSONDocument(a).root) == expected)
    }

    @Test("A big object finds every key, and the last of a key written twice") func bigObject() throws {
        let members = (0..<500).map { #""key\#($0)":\#($0)"# } + [#""key7":-7"#]
        let root = try JSONDocument("{" + members.joined(separator: ",") + "}").root
        for index in 0..<500 where index != 7 { #expect(root["key\(index)"]?.integer == Int64(index)) }
        #expect(root["key7"]?.integer == -7 && root["key500"] == nil)
    }

    @Test(
        "Pointers lead to values and back",
        arguments: [
            ("", "{"), ("/a~1b/0", "1"), ("/m~0n", "2"), ("/", "3"), ("/x/y/1/z", "4"),
        ]) func pointers(_ pointer: String, _ start: String) throws
    {
        let root = try JSONDocument(#"{"a/b":[1],"m~n":2,"":3,"x":{"y":[0,{"z":4}]}}"#).root
        let node = try #require(root.at(pointer: pointer))
        #expect(String(decoding: node.text, as: UTF8.self).hasPrefix(start) && String(decoding: node.pointer, as: UTF8.self) == pointer)
    }

    @Test("Pointers that lead nowhere give nothing", arguments: ["a", "/b", "/a/2", "/a/01", "/a/-", "/a/x", "/~", "/~2", "/a/0/0"]) func noPointers(
        _ pointer: String
    ) throws {
        #expect(try JSONDocument(#"{"a":[1,2]}"#).root.at(pointer: pointer) == nil)
    }

    @Test(
        "Canonical text is sorted and short",
        arguments: [
            (#" { "b" : 1.0 , "a" : [ 1e2, 0.50, -0 ] } "#, #"{"a":[100,0.5,0],"b":1}"#), (#""\u0041\/\u000a""#, #""A/\n""#), ("1e-7", "1e-7"),
            ("12.5e30", "1.25e31"),
            (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("-1.5", "-1.5"), ("123456789012345678901234", "1.23456789012345678901234e23"),
        ]) func canonical(_ text: String, _ expected: String) throws
    {
        #expect(String(decoding: try JSONDocument(text).root.canonical, as: UTF8.self) == expected)
    }
}
