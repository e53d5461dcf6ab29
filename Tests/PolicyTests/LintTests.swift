import Core
import Testing

@Suite("Policy: lint")
struct LintTests {
    private func codes(_ rules: [String], _ surroundings: ConstraintLint.Surroundings = .init()) throws -> [String] {
        ConstraintLint.check(try rules.map { try PolicyRig.read($0) }, surroundings).map {
            "\($0.code.rawValue) \($0.constraint)\($0.other.map { " " + $0 } ?? "")"
        }
    }

    @Test(
        "What is probably not meant is found",
        arguments: [
            (["a|block|tasks.>||5", "b|hold|tasks.x.*||1"], ["unreachable b a"]), (["a|block|tasks.x||5", "b|hold|tasks.>||1"], []),
            (["a|block|tasks.>|message.size > 1|5", "b|hold|tasks.x||1"], []),
            (["a|block|tasks.>|true|5", "b|hold|tasks.x||1"], ["constant a", "unreachable b a"]),
            (["a|require|>|false|5", "b|annotate|tasks.x||1"], ["constant a", "unreachable b a"]),
            (["a|block|>|1 == 2|0"], ["constant a"]), (["a|reroute|tasks.>|message.size > 1|0", "b|hold|tasks.*|message.size > 1|0"], ["contradiction a b"]),
            (["a|reroute|tasks.>|message.size > 1|0", "b|hold|tasks.*|message.size > 2|0"], []), (["a|hold|tasks.a||0", "b|block|tasks.b||0"], []),
            (["a|block|>|config.lvel > 1|0"], ["unknown-config a"]), (["a|block|>|config.level > 1|0"], []), (["a|block|>|config.max_message_bytes > 1|0"], []),
            (["a|limit|>||9", "b|block|>||0"], []),
        ] as [([String], [String])])
    func found(_ rules: [String], _ expected: [String]) throws {
        let documents = rules.map { rule -> String in
            let parts = rule.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            let action =
                [
                    "reroute": #""type":"reroute","topic":"x""#, "limit": #""type":"limit","rate":1,"period_ms":1"#,
                    "annotate": #""type":"annotate","metadata":{"a":1}"#,
                ][parts[1]] ?? #""type":"\#(parts[1])""#
            let when = parts[3].isEmpty ? "" : #","when":"\#(parts[3])""#
            return PolicyRig.rule(parts[0], #""action":{\#(action)},"scope":{"topics":["\#(parts[2])"]},"priority":\#(parts[4])\#(when)"#)
        }
        #expect(try codes(documents, .init(configNames: ["level"])) == expected)
    }

    @Test("A shadow that has stood for long is named") func oldShadow() throws {
        let rule = PolicyRig.rule("s", #""mode":"shadow","action":{"type":"block"}"#)
        #expect(try codes([rule], .init(ageDays: ["s": 31])) == ["old-shadow s"])
        #expect(try codes([rule], .init(ageDays: ["s": 30])) == [])
        #expect(try codes([rule]) == [])
    }

    @Test("A misspelt name of the configuration comes with the one that was meant") func suggestion() throws {
        let found = ConstraintLint.check([try PolicyRig.read(PolicyRig.rule("a", #""when":"config.max_mesage_bytes > 1","action":{"type":"block"}"#))])
        #expect(found[0].message.contains("did you mean 'max_message_bytes'?"))
    }
}
