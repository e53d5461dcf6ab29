import Core
import RE2Driver
import Testing

@Suite("Patterns")
struct PatternTests {
    private func matches(_ pattern: String, _ text: String) throws -> Bool {
        let bytes = Array(text.utf8)
        return try RE2Compiler().compile(pattern).matches(bytes.span)
    }

    @Test("A pattern is searched anywhere in the text", arguments: [
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

    @Test("A pattern that makes backtracking engines hang takes linear time") func linear() throws {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        let pattern = try RE2Compiler().compile("^(a+)+$|^(a|aa)+b")
        let found = pattern.matches(text.span)
        #expect(found)
        #expect(pattern.programSize > 5)
    }
}
