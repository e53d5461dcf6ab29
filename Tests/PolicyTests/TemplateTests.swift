import Core
import RE2Driver
import Testing

@Suite("Validation templates")
struct TemplateTests {
    private let compiler: SchemaCompiler

    init() throws { compiler = try SchemaCompiler(patterns: RE2Compiler()) }

    private func template(_ text: String) throws -> ValidationTemplate { try ValidationTemplate(try JSONDocument(text).root, compiler: compiler) }

    private static let order =
        #"{"template_id":"order","topics":["orders.>"],"version":2,"schema":{"type":"object","required":["amount"],"properties":{"amount":{"type":"integer","minimum":1},"note":{"type":"string","maxLength":5}}}}"#

    @Test("Every violation of every template of the topic is told, with its pointer") func check() throws {
        var set = TemplateSet(compiler)
        set.put(key: "order", Array(Self.order.utf8))
        set.put(key: "all", Array(#"{"template_id":"all","topics":[">"],"policy_input_schema":{"kind":{"type":"string","enum":["a","b"]}}}"#.utf8))
        #expect(set.check(topic: "orders.new".utf8, data: #"{"amount":3,"kind":"a"}"#.utf8) == [])
        let found = set.check(topic: "orders.new".utf8, data: #"{"amount":0,"note":"too long","kind":"c"}"#.utf8)
        #expect(found.map(\.template) == ["all", "order", "order"])
        #expect(found.map(\.pointer).sorted() == ["/amount", "/kind", "/note"])
        #expect(found.last?.version == 2)
        #expect(set.check(topic: "other".utf8, data: #"{"kind":"b"}"#.utf8) == [])
        let unreadable = set.check(topic: "orders.new".utf8, data: "nonsense".utf8)
        #expect(unreadable.map(\.template) == ["all", "order"] && unreadable.map(\.version) == [1, 2] && unreadable.allSatisfy { $0.pointer.isEmpty })
        set.put(key: "all", nil)
        #expect(set.check(topic: "other".utf8, data: "nonsense".utf8) == [])
        #expect(!set.isBound(topic: "other".utf8) && set.isBound(topic: "orders.a".utf8) && set.count == 1)
    }

    @Test("A message is checked by its topic; what does not call itself JSON passes no template") func message() throws {
        var set = TemplateSet(compiler)
        #expect(set.check(PolicyRig.message(topic: "orders.new", data: "nonsense")) == [])
        set.put(key: "order", Array(Self.order.utf8))
        #expect(set.check(PolicyRig.message(topic: "orders.new")) == [])
        #expect(set.check(PolicyRig.message(topic: "orders.new", data: #"{"amount":"7"}"#)).map(\.pointer) == ["/amount"])
        #expect(set.check(PolicyRig.message(topic: "other", data: "nonsense")) == [])
        var plain = PolicyRig.message(topic: "orders.new")
        plain.set(.contentType, "text/plain")
        #expect(try #require(set.check(plain).first).message.contains("text/plain"))
        let refusal = Refusal(breaking: set.check(PolicyRig.message(topic: "orders.new", data: #"{"amount":0}"#)))
        #expect(refusal.isTemplate && refusal.summary.hasPrefix("/amount: ") && refusal.summary.hasSuffix("(template 'order', version 2)"))
        #expect(String(decoding: refusal.json, as: UTF8.self).hasSuffix(#","template":"order","version":2}]"#))
    }

    @Test(
        "A template that is none is refused with everything wrong",
        arguments: [
            (#"{"template_id":"a","topics":["x"]}"#, ["/schema"]),
            (#"{"template_id":"a","topics":["x..y"],"schema":{"type":"strin"}}"#, ["/topics/0", "/schema/type"]),
            (#"{"template_id":"a","topics":["x"],"schema":{},"policy_input_schema":{}}"#, ["/schema"]),
            (#"{"topics":["x"],"schema":true,"verion":1}"#, ["/verion", "/template_id"]),
            (#"{"template_id":"a","topics":["x"],"policy_input_schema":{"f":{"type":"strin"}}}"#, ["/policy_input_schema"]),
            (##"{"template_id":"a","topics":["x"],"schema":{"$ref":"#/nowhere"}}"##, ["/schema"]),
        ])
    func refused(_ text: String, _ pointers: [String]) throws {
        let root = try JSONDocument(text).root
        do throws(Refusal) {
            _ = try ValidationTemplate(root, compiler: compiler)
            Issue.record("it was taken")
        } catch {
            #expect(error.violations.map(\.pointer) == pointers)
        }
    }

    @Test("A stored template that cannot be read lets nothing pass on its topics") func unreadable() throws {
        var set = TemplateSet(compiler)
        set.put(key: "bad", Array(#"{"template_id":"bad","topics":["a.>"],"schema":{"type":7}}"#.utf8))
        #expect(set.check(topic: "a.b".utf8, data: "{}".utf8).map(\.template) == ["bad"])
        #expect(set.check(topic: "b".utf8, data: "{}".utf8) == [])
    }

    @Test("A new version is compared with the old one") func compatibility() throws {
        let old = try template(Self.order)
        let wider = try template(Self.order.replacing(#""minimum":1"#, with: #""minimum":0"#))
        #expect(wider.compatibility(with: old) == .compatible)
        guard case .incompatible(let findings) = old.compatibility(with: wider) else {
            Issue.record("a higher minimum breaks producers")
            return
        }
        #expect(!findings.isEmpty)
    }

    @Test("A trial over history lists who would fail, and why") func backtest() throws {
        var trial = TemplateBacktest(try template(Self.order))
        for index in 0..<50 {
            let message = PolicyRig.message(topic: index % 2 == 0 ? "orders.new" : "other", source: "s\(index % 4)", data: #"{"amount":\#(index / 10)}"#)
            trial.step(message, at: Position(ms: UInt64(index), seq: 0))
        }
        #expect(trial.messages == 25 && trial.failing == 5 && trial.failures.count == 5)
        #expect(trial.bySource == ["s0": 3, "s2": 2])
        #expect(try JSONDocument(trial.json).root["failures"]?.item(0)?["violations"]?.item(0)?["pointer"]?.string == "/amount")
    }
}
