import Core
import Testing

@Suite("CEL findings")
struct FindingTests {
    @Test(
        "A finding says where, what was found and what would be right",
        arguments: [
            // Names.
            ("message.destination == 'a'", 1, 9, "'message' has no field 'destination'", "did you mean 'destinations'?"),
            ("mesage.topic == 'a'", 1, 1, "'mesage' is no variable here", "did you mean 'message'?"),
            ("topic == 'a'", 1, 1, "'topic' is no variable here", "did you mean 'message.topic'?"),
            ("true &&\n  message.topc == 'a'", 2, 11, "'message' has no field 'topc'", "did you mean 'topic'?"),
            ("'ü' == message.topix", 1, 16, "'message' has no field 'topix'", "did you mean 'topic'?"),
            ("text.startswith('a')", 1, 6, "there is no function 'startswith'", "did you mean 'startsWith'?"),
            ("math.greatst(1, 2) == 2", 1, 6, "there is no function 'greatst'", "did you mean 'math.greatest'?"),
            ("startsWith(text, 'a')", 1, 1, "'startsWith' is not called like this", "write it behind its first argument: a.startsWith(…)"),
            ("text.string() == ''", 1, 6, "'string' is not called like this", "write it in front: string(…)"),
            ("text.startsWith()", 1, 6, "'startsWith' is not called like this", "it takes 1 argument"),
            // Types.
            ("n == '7'", 1, 3, "operator '==' does not take (int, string)", "they can never be equal; wrap one in dyn() if that is meant"),
            ("n + 1.5 > 2.0", 1, 3, "operator '+' does not take (int, double)", "convert one side, such as int(…)"),
            ("text + 1", 1, 6, "operator '+' does not take (string, int)", nil),
            ("text && true", 1, 1, "an operand of '&&' and '||' is a bool, this is string", "compare it with something"),
            ("!n", 1, 1, "operator '!' does not take (int)", "it takes (bool)"),
            ("n.field == 1", 1, 3, "a value of type int has no fields", "fields are of maps and records"),
            ("n.all(x, x > 0)", 1, 3, "'all' goes through a list or the keys of a map, this is int", nil),
            ("items.all(x, x)", 1, 14, "the condition of 'all' is a bool, this is int", "compare it with something"),
            ("n > 1 ? 'a' : 2", 1, 7, "the two sides of a condition have the types string and int", "make them one, or wrap one in dyn()"),
            ("{1.5: 'a'}.size() == 1", 1, 2, "a map's key is an int, uint, bool or string, not double", nil),
            ("text.matches('a(')", 1, 14, "the pattern is not a regular expression in RE2's syntax: missing ): a(", nil),
            // Grammar.
            ("n = 7", 1, 3, "'=' is no part of an expression", "equality is '=='"),
            ("true & false", 1, 6, "'&' is no part of an expression", "'and' is '&&'"),
            ("n >", 1, 4, "the end of the expression was found where a value was expected", nil),
            ("!-n", 1, 2, "'-' was found where a value was expected", nil),
            ("(n + 1", 1, 7, "the end of the expression was found where ')' behind the expression in parentheses was expected", nil),
            ("[1, 2", 1, 6, "the end of the expression was found where ',' or ']' of the list was expected", nil),
            ("{'a' 1}", 1, 6, "a number was found where ':' behind the key was expected", nil),
            ("n n", 1, 3, "'n' was found where an operator or the end of the expression was expected", nil),
            ("'abc", 1, 1, "the string does not end", "close it with a quote"),
            ("'a\nb'", 1, 1, "the string does not end on its line", "close it, or use three quotes"),
            ("'\\q'", 1, 2, "the escape is unknown", "a backslash itself is '\\\\', or use a raw string r\"…\""),
            ("9223372036854775808", 1, 1, "the number does not fit an int", "an unsigned number ends in 'u', a double has '.0'"),
            ("99999999999999999999", 1, 1, "the number does not fit 64 bits", "write it as a double, with '.0'"),
            ("1abc", 1, 2, "a number ends here, 'a' cannot follow it", "a name starts with a letter or '_'"),
            ("for == 1", 1, 1, "'for' is a reserved word", "it can only name a field, behind a '.'"),
            ("has(n)", 1, 1, "has() takes a field, such as has(a.b)", "whether a map has a key is 'key in map'"),
            ("items.all(x + 1, true)", 1, 13, "the first argument of 'all' must be a simple name for the element", nil),
            ("Message{topic: 'a'}", 1, 8, "messages cannot be built here", "a map literal is '{\"key\": value}'"),
            ("true ? true ? 1 : 2 : 3", 1, 13, "'?' was found where ':' of the condition was expected", "put the inner condition in parentheses"),
        ] as [(String, Int, Int, String, String?)])
    func findings(_ source: String, _ line: Int, _ column: Int, _ message: String, _ suggestion: String?) throws {
        let fault = try #require(Rules.fault(source), "\(source) is refused")
        let finding = try #require(fault.findings.first)
        #expect(finding.message == message)
        if let suggestion { #expect(finding.suggestion == suggestion) }
        let place = fault.place(of: finding)
        #expect(place.line == line)
        #expect(place.column == column)
    }

    @Test("All findings are told at once, with the line and a caret") func all() throws {
        let fault = try #require(Rules.fault("message.topix == 'a'\n  && nn > 1"))
        #expect(
            fault.text == """
                1:9: 'message' has no field 'topix'; did you mean 'topic'?
                 | message.topix == 'a'
                 | ........^
                2:6: 'nn' is no variable here; did you mean 'n'?
                 |   && nn > 1
                 | .....^
                """)
    }

    @Test("At most sixteen findings are told") func bounded() throws {
        let source = Array(repeating: "missing > 1", count: 50).joined(separator: " && ")
        #expect(try #require(Rules.fault(source)).findings.count == 16)
    }

    @Test(
        "A failed evaluation says where in the source",
        arguments: [
            ("n > 1 && 10 / (n - 7) > 1", CELReason.divideByZero, 12),
            ("message.data.missing == 1", .noKey("'missing'"), 13),
            ("message.reply == ''", .noField("reply"), 8),
            ("items[n + 5] == 1", .noIndex(12), 5),
            ("items.exists(x, x / 0 == 1)", .divideByZero, 18),
            ("9223372036854775807 + n == 1", .overflow, 20),
            ("int(text) == 1", .conversion(of: "'Grüße'", to: "int"), 0),
            ("any && true", .notBool(type: "null_type"), 0),
        ] as [(String, CELReason, Int)])
    func failures(_ source: String, _ reason: CELReason, _ offset: Int) throws {
        guard case .failure(let error) = try Rules.outcome(source) else {
            Issue.record("\(source) has a value")
            return
        }
        #expect(error == CELError(reason: reason, offset: offset))
        #expect(!error.detail.isEmpty)
    }

    @Test(
        "The nearest name is found by edits, case and swapped letters",
        arguments: [
            ("destinatoins", "destinations"), ("Topic", "topic"), ("start_swith", "startsWith"), ("sze", "size"), ("xyzzy", nil),
        ] as [(String, String?)])
    func suggestions(_ name: String, _ expected: String?) {
        let found = Rules.fault("message.\(name) == 1")?.findings.first?.suggestion ?? Rules.fault("text.\(name)()")?.findings.first?.suggestion
        if let expected, ["destinations", "topic"].contains(expected) { #expect(found == "did you mean '\(expected)'?") }
        let function = Rules.fault("text.\(name)()")?.findings.first?.suggestion
        if let expected, ["startsWith", "size"].contains(expected) { #expect(function == "did you mean '\(expected)'?") }
        if expected == nil { #expect(function == nil) }
    }
}
