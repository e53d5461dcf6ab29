import Core
import Foundation
import TestSupport
import Testing

@Suite("Subject")
struct SubjectTests {
    /// The facts of nats-server's own tests.
    struct Conformance: Decodable {
        struct Fact: Decodable {
            let kind: String
            let subject: String?
            let pattern: String?
            let of: String?
            let a: String?
            let b: String?
            let subjects: [String]?
            let selected: [String]?
            let valid: Bool?
            let literal: Bool?
            let match: Bool?
            let subset: Bool?
            let overlap: Bool?
        }
        let facts: [Fact]
    }

    @Test(
        "The facts of nats-server's tests hold (MESHLOG_CONFORMANCE, else ../shared/conformance)",
        .enabled(if: Repository.conformance != nil, "the conformance data is not on this machine"))
    func conformance() throws {
        let folder = try #require(Repository.conformance)
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/nats/subjects.json"))
        let facts = try JSONDecoder().decode(Conformance.self, from: data).facts
        var kinds: [String: Int] = [:]
        for fact in facts {
            kinds[fact.kind, default: 0] += 1
            let subject = fact.subject?.utf8 ?? "".utf8
            switch fact.kind {
            case "valid-literal": #expect(Subject.isLiteral(subject) == fact.valid, "\(fact)")
            case "valid-pattern": #expect(Subject.isPattern(subject) == fact.valid, "\(fact)")
            case "has-no-wildcard": #expect(!Subject.hasWildcard(subject) == fact.literal, "\(fact)")
            case "match": #expect(Subject.matches(pattern: try #require(fact.pattern).utf8, subject: subject) == fact.match, "\(fact)")
            case "subset": #expect(Subject.isSubset(subject, of: try #require(fact.of).utf8) == fact.subset, "\(fact)")
            case "overlap": #expect(Subject.overlaps(try #require(fact.a).utf8, try #require(fact.b).utf8) == fact.overlap, "\(fact)")
            case "filter":
                let pattern = SubjectPattern(try #require(fact.pattern).utf8)
                let selected = try #require(fact.subjects).filter { pattern.matches($0.utf8) }
                #expect(Set(selected) == Set(try #require(fact.selected)), "\(fact)")
            default: Issue.record("a kind of fact that this test does not know: \(fact.kind)")
            }
        }
        #expect(kinds.count == 7)
        #expect(facts.count > 100)
    }

    @Test(
        "Topics are literal subjects that clients may publish to",
        arguments: [
            "a", "a.b.c", "tasks.gen-1.statement", "é.ü", "_INBOX", "_INBOXX.a", "a.$SYS", "com.example/x", "A.B", "0", String(repeating: "a", count: 256),
            "a.\u{1F600}", "a\"b", "a\\b",
        ])
    func topics(_ text: String) { #expect(Subject.topicFault(Array(text.utf8).span) == nil) }

    @Test(
        "Everything else is no topic, and the fault says why",
        arguments: [
            ("", "empty"), (".", "empty token"), ("a.", "dot"), (".a", "empty token"), ("a..b", "empty token"), ("a b", "white space"), ("a\tb", "white space"),
            ("a\n", "white space"), ("a\0b", "white space"), ("a\u{7F}", "white space"), ("*", "wildcard"), (">", "wildcard"), ("a.*", "wildcard"),
            ("a.*.b", "wildcard"),
            ("a.>", "wildcard"), ("$SYS.ACCOUNT", "$"), ("$JS.API.INFO", "$"), ("$KV.x", "$"), ("_INBOX.abc", "_INBOX"),
            (String(repeating: "a", count: 257), "257 bytes"),
            (String(repeating: "é", count: 129), "258 bytes"),
        ])
    func faults(_ text: String, _ why: String) {
        let fault = Subject.topicFault(Array(text.utf8).span)
        #expect(fault?.contains(why) == true, "\(fault ?? "no fault")")
    }

    @Test("A prepared pattern matches as the plain one does, and neither crashes on odd text") func prepared() {
        var numbers = SeededNumbers(9)
        let tokens = ["a", "b", "*", ">", "", "a*", ">>", "é"]
        func text(_ tokens: [String]) -> [UInt8] {
            Array((0..<(1 + numbers.below(4))).map { _ in numbers.pick(tokens) }.joined(separator: ".").utf8)
        }
        for _ in 0..<20_000 {
            let pattern = text(tokens)
            let subject = text(["a", "b", "a*", "é", ""])
            let expected = reference(pattern, subject)
            guard Subject.isPattern(pattern), Subject.isLiteral(subject) else { continue }
            #expect(SubjectPattern(pattern).matches(subject) == expected)
            #expect(Subject.matches(pattern: pattern, subject: subject) == expected)
            if expected { #expect(Subject.overlaps(pattern, subject)) }
            #expect(
                Subject.isSubset(subject, of: pattern) == expected, "\(String(decoding: subject, as: UTF8.self)) of \(String(decoding: pattern, as: UTF8.self))"
            )
        }
    }

    /// The definition, token by token.
    private func reference(_ pattern: [UInt8], _ subject: [UInt8]) -> Bool {
        func tokens(_ text: [UInt8]) -> [String] {
            String(decoding: text, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        }
        let (left, right) = (tokens(pattern), tokens(subject))
        for (index, token) in left.enumerated() {
            if token == ">" { return right.count > index }
            guard index < right.count, token == "*" || token == right[index] else { return false }
        }
        return left.count == right.count
    }

    @Test("Subset and overlap agree with matching, on patterns") func relations() {
        var numbers = SeededNumbers(10)
        let tokens = ["a", "b", "*"]
        func pattern() -> [UInt8] {
            var parts = (0..<(1 + numbers.below(3))).map { _ in numbers.pick(tokens) }
            if numbers.once(in: 3) { parts.append(">") }
            return Array(parts.joined(separator: ".").utf8)
        }
        // All literals of up to four tokens over {a, b, c}.
        var literals: [[UInt8]] = []
        var level = ["a", "b", "c"]
        for _ in 0..<4 {
            literals += level.map { Array($0.utf8) }
            level = level.flatMap { head in ["a", "b", "c"].map { "\(head).\($0)" } }
        }
        for _ in 0..<300 {
            let (left, right) = (pattern(), pattern())
            let both = literals.map { (SubjectPattern(left).matches($0), SubjectPattern(right).matches($0)) }
            #expect(Subject.overlaps(left, right) == both.contains { $0.0 && $0.1 })
            #expect(Subject.isSubset(left, of: right) == both.allSatisfy { !$0.0 || $0.1 })
        }
    }
}
