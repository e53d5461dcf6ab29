import Core
import RE2Driver
import TestSupport
import Testing

@Suite("Compatibility of schemas")
struct CompatibilityTests {
    private func check(_ old: String, _ new: String) throws -> Compatibility { try .check(old: JSONDocument(old), new: JSONDocument(new)) }

    @Test(
        "What only allows more is compatible",
        arguments: [
            (#"{"type":"string"}"#, #"{"type":["string","null"]}"#), (#"{"type":"integer"}"#, #"{"type":"number"}"#),
            (#"{"enum":[1,2]}"#, #"{"enum":[2.0,1,3]}"#),
            (#"{"const":1}"#, #"{"enum":[1,2]}"#), (#"{"minimum":5}"#, #"{"minimum":4.5}"#), (#"{"exclusiveMinimum":5}"#, #"{"minimum":5}"#),
            (#"{"minimum":6}"#, #"{"exclusiveMinimum":5}"#),
            (#"{"required":["a","b"]}"#, #"{"required":["b"]}"#), (#"{"properties":{"a":{"type":"string"}}}"#, "{}"),
            (#"{"type":"string"}"#, #"{"type":"string","minimum":3,"title":"x"}"#),
            (#"{"additionalProperties":false,"properties":{"a":{}}}"#, #"{"additionalProperties":false,"properties":{"a":{},"b":{"type":"null"}}}"#),
            (##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}"##, ##"{"type":"string"}"##), (##"{"multipleOf":4}"##, ##"{"multipleOf":2}"##),
            (##"{"items":{"type":"integer"}}"##, ##"{"items":{"type":"number"}}"##),
            (#"{"pattern":"a"}"#, #"{"pattern":"a"}"#), (#"{"prefixItems":[{"type":"null"}],"items":false}"#, #"{"prefixItems":[{"type":["null","string"]}]}"#),
            (##"{"properties":{"c":{"items":{"$ref":"#"}}},"required":["c"]}"##, ##"{"properties":{"c":{"items":{"$ref":"#"}}}}"##),
            (##"{"minLength":3}"##, ##"{"minLength":0}"##), ("false", ##"{"type":"null"}"##),
            (
                #"{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}"#,
                #"{"patternProperties":{"^x":{"type":"number"}},"additionalProperties":false}"#
            ),
            (#"{"maxItems":1}"#, #"{"uniqueItems":true}"#), (#"{"not":{"type":"null"}}"#, #"{"not":{"type":"null"}}"#),
        ]) func compatible(_ old: String, _ new: String) throws
    {
        #expect(try check(old, new) == .compatible)
    }

    @Test(
        "What allows less is incompatible, and the place is named",
        arguments: [
            (#"{"type":["string","null"]}"#, #"{"type":"string"}"#, "/type"), (#"{"type":"number"}"#, #"{"type":"integer"}"#, "/type"),
            (#"{"enum":[1,2]}"#, #"{"enum":[1]}"#, "/enum"), ("{}", #"{"const":1}"#, "/const"),
            ("{}", #"{"required":["a"]}"#, "/required"), (#"{"maximum":5}"#, #"{"maximum":4}"#, "/maximum"),
            (#"{"minimum":5}"#, #"{"exclusiveMinimum":5}"#, "/exclusiveMinimum"),
            (
                #"{"properties":{"a":{"properties":{"b":{"type":"number"}}}}}"#, #"{"properties":{"a":{"properties":{"b":{"type":"string"}}}}}"#,
                "/properties/a/properties/b/type"
            ),
            ("{}", #"{"properties":{"a":{"type":"string"}}}"#, "/properties/a"), ("{}", #"{"additionalProperties":false}"#, "/additionalProperties"),
            (#"{"properties":{"a":{},"b":{}}}"#, #"{"properties":{"a":{}},"additionalProperties":false}"#, "/additionalProperties"),
            ("{}", #"{"uniqueItems":true}"#, "/uniqueItems"),
            (#"{"items":{"type":"number"}}"#, #"{"items":{"type":"string"}}"#, "/items/type"), (#"{"multipleOf":2}"#, #"{"multipleOf":4}"#, "/multipleOf"),
            ("true", "false", ""),
            (#"{"prefixItems":[{"type":"number"}]}"#, #"{"prefixItems":[{"type":"string"}]}"#, "/prefixItems/0/type"),
        ]) func incompatible(_ old: String, _ new: String, _ pointer: String) throws
    {
        guard case .incompatible(let findings) = try check(old, new) else {
            Issue.record("\(try check(old, new))")
            return
        }
        #expect(findings.first?.pointer == pointer, "\(findings)")
    }

    @Test(
        "What cannot be told is left undecided",
        arguments: [
            (#"{"pattern":"a"}"#, #"{"pattern":"b"}"#), (#"{"anyOf":[{"type":"null"}]}"#, #"{"anyOf":[{"type":"string"}]}"#),
            (#"{"enum":["ab"]}"#, #"{"enum":["ab"],"minLength":2}"#), ("{}", #"{"not":{"type":"null"}}"#),
            (#"{"properties":{"a":{}},"unevaluatedProperties":false}"#, #"{"properties":{"b":{}},"unevaluatedProperties":false}"#),
            (#"{"contains":{},"minContains":0}"#, #"{"contains":{}}"#), ("{}", #"{"format":"date"}"#),
            (##"{"$ref":"#/$defs/a","minimum":1,"$defs":{"a":{}}}"##, ##"{"$ref":"#/$defs/a","minimum":1,"$defs":{"a":{"type":"null"}}}"##),
        ]) func undecided(_ old: String, _ new: String) throws
    {
        let answer = try check(old, new)
        guard case .undecided = answer else {
            Issue.record("\(answer)")
            return
        }
    }

    @Test("An answer of compatible holds for instances made at random") func sound() throws {
        let run = FuzzRun("compatibility", short: 400, share: 0.01)
        var maker = SchemaMaker(numbers: SeededNumbers(run.seed))
        for _ in 0..<run.cases {
            let old = maker.schema(3)
            let new =
                maker.numbers.once(in: 2)
                ? maker.schema(3)
                : old.replacingOccurrences(
                    ofFirst: maker.numbers.pick(["1", "\"string\"", "\"a\"", "false"]), with: maker.numbers.pick(["2", "true", "\"number\""]))
            guard let before = try? SchemaCases.compile(old), let after = try? SchemaCases.compile(new) else { continue }
            guard case .compatible = try check(old, new) else { continue }
            for _ in 0..<30 {
                let instance = try JSONDocument(maker.instance(3))
                guard let wasValid = try? before.isValid(instance.root), wasValid, let isValid = try? after.isValid(instance.root) else { continue }
                #expect(isValid, "\(old) -> \(new): \(String(decoding: instance.text, as: UTF8.self))")
            }
        }
    }
}
