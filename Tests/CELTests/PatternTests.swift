import Core
import RE2Driver
import Testing

@Suite("Patterns")
struct PatternTests {
    private func matches(_ pattern: String, _ text: String) throws -> Bool {
        let bytes = Array(text.utf8)
        return try RE2Compiler().compile(pattern).matches(bytes.span)
    }

    @Test(
        "A pattern is searched anywhere in the text",
        arguments: [
            ("", "", true), ("", "a", true), ("b.", "abc", true), ("^b", "abc", false), ("c$", "abc", true), ("ü+", "Grüüße", true), ("a{3}", "aa", false),
        ] as [(String, String, Bool)])
    func search(_ pattern: String, _ text: String, _ expected: Bool) throws {
        #expect(try matches(pattern, text) == expected)
    }

    @Test("A pattern that does not compile is refused with the reason", arguments: ["(", "a**b(", "[z-a]", "x{1001}", "(?=a)", #"(a)\1"#])
    func invalid(_ pattern: String) {
        #expect { _ = try RE2Compiler().compile(pattern) } throws: { error in
            guard case .invalid(let reason)? = error as? PatternFault else { return false }
            return !reason.isEmpty
        }
    }

    @Test("A pattern too long or too large is refused") func bounds() {
        #expect(throws: PatternFault.tooLong(bytes: 5_000, max: RE2Compiler.patternBytesMax)) {
            _ = try RE2Compiler().compile(String(repeating: "a", count: 5_000))
        }
        #expect(throws: PatternFault.self) { _ = try RE2Compiler().compile("((((a{100}){100}){100}){100})") }
    }

    /// What stands behind the text is not ASCII, which leaves the literal parts out of account.
    @Test(
        "Looking for a pattern's literal parts first changes no answer",
        arguments: [
            "(?i)(api[_-]?key|password)\\s*[:=]", "secret", "(?i)SECRET|token", "ab+cde", "[Kk]elvin", "(?i)kelvin", "x?abc|d", "(?i)straße", "K[Ee][Yy]",
            "(foo|bar)baz", "\\bkey\\b", "a.c",
            "(?i)\\x4bey", "[^a]bcd", "(abc){2,3}", "password", "(?s)a.*password.*b",
        ])
    func required(_ pattern: String) throws {
        let compiled = try RE2Compiler().compile(pattern)
        let parts = [
            "API-Key : 1", "apikey=", "PASSWORD=", "secret", "SeCrEt", "toKen", "abbbbcde", "Kelvin", "kELVIN", "dd", "STRASSE", "KEY", "a key ", "foobaz",
            "barBAZ", "abcabc", "xbcd", "a\n\u{0}c", "nothing", "a password b",
        ]
        var found = 0
        for (index, part) in parts.enumerated() {
            for padding in [0, 31, 32, 33, 63, 64, 100] {
                let text =
                    String(repeating: "- \(index) ", count: 1 + padding / 4) + String(repeating: ".", count: padding) + part
                    + String(repeating: " ;", count: 40)
                let (plain, other) = (Array(text.utf8), Array((text + " …").utf8))
                let isThere = compiled.matches(plain.span)
                #expect(isThere == compiled.matches(other.span), "\(text)")
                found += isThere ? 1 : 0
            }
        }
        #expect(found > 0 || pattern.contains("ß"))
    }

    @Test("A letter that equals one of ASCII when case is ignored is found") func kelvin() throws {
        let text = String(repeating: "x", count: 100)
        #expect(try matches("(?i)kelvin", text + "\u{212A}elvin"))
        #expect(try matches("(?i)secret", text + "\u{17F}ecret"))
        #expect(try !matches("kelvin", text + "\u{212A}elvin"))
    }

    @Test("A pattern that makes backtracking engines hang takes linear time") func linear() throws {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        let pattern = try RE2Compiler().compile("^(a+)+$|^(a|aa)+b")
        let found = pattern.matches(text.span)
        #expect(found)
        #expect(pattern.programSize > 5)
    }
}
