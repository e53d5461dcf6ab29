import Core
import Foundation
import TestSupport
import Testing

@Suite("CEL for a host")
struct HostTests {
    private static let data =
        #"{"amount": 150, "price": 1.5, "exact": 2.0, "big": 9223372036854775808, "name": "Bob \"the\" \u00fcber", "tags": ["a", 1, null, true], "nested": {"x": {"y": [10, 20]}}, "none": null, "twice": 1, "twice": 2}"#

    @Test(
        "JSON is read where it lies, with CEL's types",
        arguments: [
            "message.data.amount == 150", "type(message.data.amount) == int", "type(message.data.price) == double", "type(message.data.exact) == double",
            "message.data.exact == 2", "type(message.data.big) == double", "message.data.big > 9.2e18", "message.data.name == 'Bob \"the\" über'",
            "type(message.data.none) == null_type",
            "message.data.none == null", "type(message.data) == map", "type(message.data.tags) == list", "message.data.tags[1] == 1",
            "message.data.tags == ['a', 1, null, true]",
            "size(message.data.tags) == 4", "'a' in message.data.tags", "!('z' in message.data.tags)", "'amount' in message.data",
            "message.data.nested.x.y[1] == 20",
            "message.data['nested']['x'] == {'y': [10, 20]}", "has(message.data.amount)", "!has(message.data.missing)", "has(message.data.none)",
            "message.data.twice == 2",
            "size(message.data) == 9", "message.data.exists(k, k == 'price')", "message.data.nested.x.y.all(v, v >= 10)",
            "message.data.nested.x.y.map(v, v / 10) == [1, 2]",
            "message.data.nested == message.data.nested", "message.data.tags + [5] == ['a', 1, null, true, 5]",
            "message.data.amount > 100 && message.data.amount < 200.5",
            "message.topic.startsWith('agent.') && message.source in ['a', 'b', 'c'] && size(message.destinations) < 5 && message.data.amount > 100",
            "!has(message.reply)", "has(message.topic)", "message.time != null", "!(message == null)", "message.time.getFullYear() == 2026",
            "message.time < timestamp('2027-01-01T00:00:00Z')", "type(message) == type(dyn(message))",
            "dyn(message).topic == message.topic", "message == message", "'%s'.format([message.data.nested]) == '{x: {y: [10, 20]}}'",
            "message.data.amount in [150]", "message.data.exact in [1, 2]", "!(message.data.price in [1, 2])", "message.data.name in ['x', 'Bob \"the\" über']",
        ])
    func json(_ source: String) throws {
        #expect(try Rules.value(source, data: Self.data) == .bool(true))
        #expect(try Rules.outcome(source, data: Self.data, check: false).get() == .bool(true))
    }

    @Test(
        "A program tells what it reads",
        arguments: [
            ("message.data.amount > 100 && message.topic == 'a'", [["message", "data", "amount"], ["message", "topic"]]), ("n > 1", [["n"]]),
            ("1 + 1 == 2", []),
            ("message.data.items[n].price > 1", [["message", "data", "items"], ["n"]]), ("items.exists(n, n > 1)", [["items"]]),
            ("has(message.data.a.b)", [["message", "data", "a", "b"]]),
            ("message.destinations.all(d, d.startsWith(text))", [["message", "destinations"], ["text"]]), ("type(message) == int", [["message"]]),
        ] as [(String, [[String]])])
    func reads(_ source: String, _ expected: [[String]]) throws {
        #expect(try Rules.environment.compile(source, check: false).reads.map { $0 } == expected)
    }

    @Test(
        "The type of the result is known before it runs",
        arguments: [
            ("n > 1", CELType.bool), ("[n]", .list(.int)), ("message.data.a", .dyn), ("{'a': 1.5}", .map(.string, .double)), ("[]", .list(.dyn)),
            ("[1, 'a']", .list(.dyn)),
            ("[[]] + [[1]]", .list(.list(.int))), ("message.time - message.time", .duration), ("items.map(x, string(x))", .list(.string)),
            ("message", .record("message")), ("n > 1 ? [] : [1u]", .list(.uint)),
            ("{}.map(k, k)", .list(.dyn)), ("math.greatest(n, 2)", .int), ("math.greatest(n, 2.0)", .dyn), ("type(n)", .type), ("null", .null),
            ("[{}, {'a': 1}]", .list(.map(.string, .int))),
        ] as [(String, CELType)])
    func types(_ source: String, _ expected: CELType) throws {
        #expect(try Rules.environment.compile(source).resultType == expected)
    }

    @Test("A condition is told without a value, an error too") func conditions() throws {
        let activation = try Rules.activation()
        #expect(try Rules.environment.compile("n == 7").isTrue(activation, costMax: 100))
        #expect(throws: CELError(reason: .notBool(type: "int"), offset: 0)) { try Rules.environment.compile("n").isTrue(activation, costMax: 100) }
        #expect(throws: CELError(reason: .costExceeded(max: 1), offset: 0)) { try Rules.environment.compile("n == 7").isTrue(activation, costMax: 1) }
        #expect(throws: CELError(reason: .unbound("message"), offset: 8)) {
            try Rules.environment.compile("message.topic == ''").isTrue(Rules.environment.activation(), costMax: 100)
        }
        #expect(throws: CELError(reason: .unbound("n"), offset: 0)) {
            try Rules.environment.compile("n == 7").isTrue(Rules.environment.activation(), costMax: 100)
        }
    }

    @Test("Strings are compared by code points, not by what looks alike") func codePoints() throws {
        #expect(try Rules.value("'\\u00E9' == 'e\\u0301'") == .bool(false))
        #expect(try Rules.value("{'\\u00E9': 1, 'e\\u0301': 2}.size()") == .int(2))
        #expect(try Rules.value("'e\\u0301' in ['\\u00E9']") == .bool(false))
        #expect(try Rules.value("size('e\\u0301\\U0001F600')") == .int(3))
        #expect(try Rules.value("'\\uFFFF' < '\\U00010000'") == .bool(true))
    }
}
