import Core
import Foundation
import RE2Driver
import TestSupport
import Testing

@Suite("CEL bounds")
struct BoundsTests {
    /// Frames of a debug build are several times as large.
    #if DEBUG
    private static let stackBytes = 2 << 20
    #else
    private static let stackBytes = 512 << 10
    #endif

    private func repeated(_ part: String, _ count: Int) -> String { String(repeating: part, count: count) }

    @Test("Deep nesting is refused, however it is written, and never overflows the stack") func depth() throws {
        let sources = [
            repeated("(", 10_000) + "1" + repeated(")", 10_000), repeated("[", 10_000), repeated("[", 500) + repeated("]", 500),
            repeated("{1:", 5_000), repeated("!", 1_000) + "(" + repeated("-", 1_000) + "(", "1" + repeated(" + 1", 5_000), "n" + repeated(".a", 5_000),
            "items" + repeated("[0]", 3_000), repeated("true ? 1 : ", 1_000) + "2", repeated("size(", 2_000), "text" + repeated(".trim()", 2_000),
            repeated("items.all(x, ", 1_000), repeated("has(", 3_000), repeated("dyn(", 200) + "1" + repeated(")", 200),
        ]
        for source in sources { #expect(Rules.fault(source) != nil, "\(source.prefix(40))") }
    }

    @Test("What just fits the bounds runs on a stack of 512 KiB") func smallStack() throws {
        let levels = CELLimits().depthMax - 2
        let sources = [
            repeated("(", levels) + "1" + repeated(")", levels), repeated("[", levels) + repeated("]", levels), "1" + repeated(" + 1", levels),
            repeated("dyn(", levels) + "1" + repeated(")", levels), repeated("n > 1 ? 1 : ", levels) + "2",
            repeated("[n].map(x, ", levels / 2) + "n" + repeated(")", levels / 2),
            repeated("[n].exists(x, ", levels / 2) + "true" + repeated(")", levels / 2), repeated("-(n + ", levels / 2) + "1" + repeated(")", levels / 2),
            repeated("[", levels) + "n" + repeated("]", levels) + " == " + repeated("[", levels) + "n" + repeated("]", levels),
        ]
        let failures = Outcome()
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            for source in sources {
                for check in [true, false] {
                    guard let program = try? Rules.environment.compile(source, check: check), let activation = try? Rules.activation(),
                        program.evaluate(activation, costMax: 100_000).value != nil
                    else {
                        failures.add("\(source.prefix(30)) \(check)")
                        continue
                    }
                }
            }
            done.signal()
        }
        thread.stackSize = Self.stackBytes
        thread.start()
        done.wait()
        #expect(failures.texts == [])
    }

    private final class Outcome: @unchecked Sendable {
        private let lock = NSLock()
        private var kept: [String] = []
        var texts: [String] { lock.withLock { kept } }
        func add(_ text: String) { lock.withLock { kept.append(text) } }
    }

    @Test("A long chain of && or || is no nesting") func chains() throws {
        #expect(try Rules.value(Array(repeating: "n > 1", count: 400).joined(separator: " && ")) == .bool(true))
        #expect(try Rules.value(Array(repeating: "n > 9", count: 400).joined(separator: " || ") + " || true") == .bool(true))
    }

    @Test("Too long a source and too many parts are refused") func size() {
        #expect(Rules.fault(repeated(" ", 20_000) + "1") != nil)
        #expect(Rules.fault("[" + repeated("1,", 5_000) + "1]") != nil)
    }

    @Test(
        "What may cost too much is refused before it runs",
        arguments: [
            "items.all(a, items.all(b, items.all(c, items.all(d, items.all(e, a + b + c + d + e >= 0)))))",
            "message.data.map(a, message.data.map(b, message.data.map(c, message.data.map(d, [a, b, c, d]))))",
            "message.data.map(a, message.data.map(b, message.data.map(c, text + string(a) + string(b) + string(c))))",
        ])
    func estimate(_ source: String) throws {
        let finding = try #require(Rules.fault(source)?.findings.first)
        #expect(finding.message.contains("may cost up to"))
        #expect(finding.suggestion?.contains("nested macros multiply") == true)
    }

    @Test(
        "The estimate is never below what an evaluation with inputs of the declared sizes costs",
        arguments: [
            "n > 1 && text == 'a'", "items.map(x, x * 2).filter(y, y > 3).exists(z, z == 4)", "text + text + text == ''", "size(text) > 2",
            "text.matches('^G.*e$')",
            "message.topic.startsWith('agent.') && message.source in ['a', 'b', 'c']", "items == [1, 2, 3]", "text.split('').join(',') == ''",
            "'%s %d'.format([text, n]) == ''", "{'a': [1, 2], 'b': items} == {'a': [n]}", "items.all(x, items.exists(y, x == y))",
            "text.replace('', 'abc') == text.reverse()",
        ])
    func estimateCovers(_ source: String) throws {
        let program = try Rules.environment.compile(source)
        let cost = program.evaluate(try Rules.activation(), costMax: 1_000_000).cost
        #expect(program.estimate >= UInt64(cost), "\(source)")
    }

    @Test(
        "An evaluation ends with its budget, in bounded time",
        arguments: [
            "any.all(a, any.all(b, any.all(c, any.all(d, true))))", "any.map(a, any.map(b, any.map(c, [a, b, c]))) == []",
            "any.map(x, 'aaaaaaaaaaaaaaaa' + string(x)).join().split('').map(y, y + y + y + y).join().contains('ab')",
            "any.exists(x, any.map(y, string(y)).join(',').replace('', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replace('a', 'bbbbbbbbbbbbbbbbbbbbbb') == '')",
            "any.exists(x, '%.1000f'.format([1.5]).replace('', '%.1000e').format([any]) == '')", "any.map(x, any) == any.map(x, any.map(y, y))",
            "any.exists(x, 'aaaaaaaa'.matches('(a*)*(a*)*' + string(x)) && false)",
            "any.filter(x, string(x).replace('', '0000000000').matches('^(0+)+$')).size() < 0",
            "any.exists(x, timestamp(0).getHours('Europe/Berlin') == 77)",
        ])
    func budget(_ source: String) throws {
        var limits = CELLimits()
        limits.estimateMax = .max
        let environment = CELEnvironment(variables: [CELEnvironment.Variable("any", .dyn)], limits: limits, patterns: RE2Compiler())
        var activation = environment.activation()
        activation.set(0, .list((0..<2_000).map { .int($0) }))
        let clock = ContinuousClock()
        var result: CELResult?
        let program = try environment.compile(source, check: false)
        let elapsed = clock.measure { result = program.evaluate(activation, costMax: 200_000) }
        let error = result?.error
        let isBounded = error?.reason == .costExceeded(max: 200_000) || result?.value != nil || error != nil
        #expect(isBounded && (result?.cost ?? .max) <= 200_000)
        #expect(elapsed < .seconds(10), "\(source)")
    }

    @Test(
        "What is read from a JSON text costs its bytes each time it is read, so that no payload makes a cheap rule slow",
        arguments: [
            ("any.text == 'x'", 1, true), ("any['text'] == 'x'", 1, true), ("any.many[0] == 'x'", 1, true), ("any.escaped == 'x'", 1, true),
            ("any.number > 1.0", 1, true), ("'x' in any.many", 20, true),
            ("any.many.exists(x, x == 'x')", 20, true), ("['a', 'b'] == any.two", 2, true), ("{'a': 1} == any", 20, true),
            ("any.rows.exists(r, any.text == 'x')", 100, true),
            // What is not read costs nothing.
            ("has(any.text)", 0, false), ("'text' in any", 0, false), ("['a'] == any.many", 0, false), ("any.small == 'x'", 0, false),
        ])
    func reading(_ source: String, times: Int, isRead: Bool) throws {
        let long = String(repeating: "a", count: 1_600)
        let many = Array(repeating: "\"\(long)\"", count: 20).joined(separator: ",")
        let rows = Array(repeating: "1", count: 100).joined(separator: ",")
        let text =
            #"{"small":"x","text":"\#(long)","escaped":"\n\#(long)","number":1\#(String(repeating: "0", count: 1_600)),"many":[\#(many)],"two":["\#(long)","\#(long)"],"rows":[\#(rows)]}"#
        let environment = CELEnvironment(variables: [CELEnvironment.Variable("any", .dyn)])
        var activation = environment.activation()
        activation.set(0, CELValue(json: try JSONDocument(text).root))
        let cost = try environment.compile(source).evaluate(activation, costMax: 10_000_000).cost
        #expect(isRead ? cost >= times * 100 : cost < 100, "\(source) costs \(cost)")
    }

    @Test("An exhausted budget is not absorbed by || and &&") func notAbsorbed() throws {
        for source in ["items.all(x, x >= 0) || true", "true || items.all(x, x >= 0)", "items.exists(x, items.all(y, y < 100)) || n == 7"] {
            let program = try Rules.environment.compile(source)
            let full = program.evaluate(try Rules.activation(), costMax: 10_000)
            #expect(full.value == .bool(true))
            for budget in 0..<full.cost {
                let result = program.evaluate(try Rules.activation(), costMax: budget)
                #expect(result.error?.reason == .costExceeded(max: budget))
            }
            #expect(program.evaluate(try Rules.activation(), costMax: full.cost).value == .bool(true))
        }
    }

    @Test("The same input costs the same and gives the same, every time") func deterministic() throws {
        let program = try Rules.environment.compile("message.data.map(k, k + text).join('-') + string(items.map(x, x * n).filter(y, y % 2 == 0).size())")
        let results = try (0..<20).map { _ in program.evaluate(try Rules.activation(#"{"b": 1, "a": 2, "c": [1]}"#), costMax: 10_000) }
        #expect(Set(results.map(\.cost)).count == 1)
        #expect(results.allSatisfy { $0.value == .string("bGrüße-aGrüße-cGrüße5") })
    }
}
