import Core
import RE2Driver
import Testing

@Suite("ECMA-262 patterns")
struct ECMAPatternTests {
    private func matches(_ pattern: String, _ text: String) throws -> Bool {
        let bytes = Array(text.utf8)
        return try RE2Compiler().compile(ECMAPattern.translate(pattern)).matches(bytes.span)
    }

    @Test(
        "Patterns mean what they mean in ECMA-262",
        arguments: [
            ("^a$", "a", true), ("^a$", "a\n", false), ("^a$", "b\na", false), (#"^\d+$"#, "12", true), (#"^\d$"#, "߀", false), (#"^\w$"#, "é", false),
            (#"^\W$"#, "é", true),
            (#"^\s$"#, "\u{FEFF}", true), (#"^\s$"#, "\u{B}", true), (#"^\S$"#, "\u{2003}", false), (#"^[\s]$"#, "\u{2028}", true),
            (#"^[\S]$"#, "\u{85}", true),
            (#"^[^\s]$"#, "\u{A0}", false), ("^.$", "\u{2028}", false), ("^.$", "\r", false), ("^.$", "😀", true), (#"^\u0041\x42\cJ$"#, "AB\n", true),
            (#"^\ud83d\ude00$"#, "😀", true), (#"^\u{1F600}$"#, "😀", true), (#"^[\u{1F600}-\u{1F64F}]+$"#, "😀😃", true), (#"^\p{Letter}+$"#, "é", true),
            (#"^\p{Lu}$"#, "É", true), (#"^\P{Lu}$"#, "é", true), (#"^\p{Script=Greek}$"#, "α", true), (#"^\p{sc=Grek}$"#, "α", true),
            (#"^\p{gc=Uppercase_Letter}$"#, "A", true),
            (#"^\p{digit}$"#, "߀", true), (#"^[\p{Cyrillic}x]+$"#, "xя", true), (#"^\p{ASCII}$"#, "é", false), (#"^\P{Any}$"#, "a", false),
            (#"^\p{White_Space}$"#, "\u{85}", true),
            ("(?<year>\\d{4})-", "2026-", true), ("^(?:ab)*?$", "abab", true), ("[]", "a", false), ("^[^]$", "\n", true), (#"^[\b]$"#, "\u{8}", true),
            (#"\bfoo\b"#, "a foo", true),
            (#"^\/$"#, "/", true), (#"^[\w-.]+$"#, "a-b.c", true), (#"^\-\@$"#, "-@", true), ("^a{,2}$", "a{,2}", true), ("^{}$", "{}", true),
            ("^]$", "]", true), ("a|^$", "", true),
            (#"^\0$"#, "\0", true), (#"^[a-z&&[b]]$"#, "b]", true), (#"^\ud800$"#, "a", false), ("^x{2,3}$", "xxx", true), ("^x{2}?$", "xx", true),
            (#"^[^\d]$"#, "a", true),
        ]) func meaning(_ pattern: String, _ text: String, _ expected: Bool) throws
    {
        #expect(try matches(pattern, text) == expected)
    }

    @Test(
        "What cannot be matched in linear time, or is wrong, is refused with its reason",
        arguments: [
            ("a(?=b)", "look-ahead"), ("a(?!b)", "look-ahead"), ("(?<=a)b", "look-behind"), ("(?<!a)b", "look-behind"), (#"(a)\1"#, "back-reference"),
            (#"(?<n>a)\k<n>"#, "back-reference"),
            (#"\2(a)"#, "no group 2"), (#"\k<x>"#, "no group named x"), ("*", "nothing to repeat"), ("a**", "nothing to repeat"), ("^*", "nothing to repeat"),
            ("[b-a]", "out of order"),
            ("a{2,1}", "out of order"), ("(", "without its"), (")", "without its"), ("[", "without its"), (#"\"#, "backslash"), (#"\u{110000}"#, "U+10FFFF"),
            (#"\p{Nothing}"#, "no property"),
            (#"\p{Alphabetic}"#, "not supported"), ("(?i)a", "no such kind of group"), ("(?P<n>a)", "no such kind of group"), (#"\Z"#, "no such escape"),
            (#"\a"#, "no such escape"),
            ("(?<n>a)(?<n>b)", "two groups"), (#"\01"#, "octal"), (#"\c1"#, "letter"), (#"\xg"#, "hexadecimal"),
        ]) func refused(_ pattern: String, _ reason: String)
    {
        #expect { try ECMAPattern.translate(pattern) } throws: { ($0 as? ECMAPattern.Fault)?.detail.contains(reason) == true }
    }

    @Test(
        "The format regex goes by the letter of ECMA-262",
        arguments: [
            ("(?=a)", true), (#"(?<n>a)\k<n>"#, true), ("[]", true), ("a{1,2}", true), ("{", false), ("]", false), (#"\@"#, false), (#"\a"#, false),
            (#"[\d-z]"#, false), ("(?#c)", false),
            (#"^\S(|(.|\n)*\S)\Z"#, false), (#"\p{Emoji}"#, true), (#"\p{scx=Greek}"#, true), (#"\p{gc=Nope}"#, false),
        ]) func strict(_ pattern: String, _ expected: Bool)
    {
        #expect(ECMAPattern.isValid(pattern) == expected)
    }

    @Test("Very deep groups do not exhaust the stack") func deep() {
        let deep = String(repeating: "(", count: 200_000)
        #expect(!ECMAPattern.isValid(deep))
        #expect(ECMAPattern.isValid(deep + String(repeating: ")", count: 200_000)))
    }
}
