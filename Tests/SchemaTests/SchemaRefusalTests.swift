import Core
import TestSupport
import Testing

@Suite("Schemas that are refused")
struct SchemaRefusalTests {
    @Test(
        "What is wrong with a schema is named",
        arguments: [
            ("{", "the schema is no JSON"), ("3", "must be a boolean or an object"), (#"{"type":"strin"}"#, "/type must"),
            (#"{"minLength":-1}"#, "/minLength must be at least 0"),
            (#"{"required":["a","a"]}"#, "must not have equal items"),
            (#"{"$ref":"https://example.com/other"}"#, "refers to https://example.com/other, which is not known here"),
            (##"{"$ref":"#/$defs/x"}"##, "refers to #/$defs/x"),
            (##"{"$schema":"http://json-schema.org/draft-07/schema##"}"##, "supported are https://json-schema.org/draft/2020-12/schema"),
            (#"{"pattern":"(?=a)"}"#, "look-ahead"), (#"{"pattern":"(a)\\1"}"#, "back-reference"), (#"{"pattern":"("}"#, "a '(' without its ')'"),
            (##"{"patternProperties":{"[z-a]":true}}"##, "a range is out of order"), (##"{"$ref":"#"}"##, "refers to itself"),
            (##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##, "refers to itself"),
            (#"{"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}}"#, "is the name of two schemas"), (#"{"multipleOf":0}"#, "must be greater than 0"),
            (#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#, "is the name of two schemas"), (#"{"properties":{"a":1}}"#, "/properties/a"),
            (#"{"pattern":"a{1001}"}"#, "repeats of more than 1000"),
        ]) func named(_ schema: String, _ part: String)
    {
        let refusal = SchemaCases.refusal(schema)
        #expect(refusal?.contains(part) == true, "\(refusal ?? "not refused")")
    }

    @Test("A circle that no condition ends is given up at run time, and named") func circles() throws {
        for schema in [
            ##"{"anyOf":[{"$ref":"#"},true]}"##, ##"{"not":{"$ref":"#"}}"##, ##"{"if":true,"then":{"$ref":"#"}}"##,
            ##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##,
        ] {
            let compiled = try SchemaCases.compile(schema)
            #expect { try compiled.isValid(JSONDocument(#"{"a":1}"#).root) } throws: { if case .endless = $0 as? EvaluationFault { true } else { false } }
        }
    }

    @Test("A schema made to explode is given up after its steps") func explosion() throws {
        let levels = (0..<60).map { ##""d\##($0)":{"anyOf":[{"$ref":"#/$defs/d\##($0 + 1)"},{"$ref":"#/$defs/d\##($0 + 1)"}]}"## }
        let schema = try SchemaCases.compile(##"{"$ref":"#/$defs/d0","$defs":{\##(levels.joined(separator: ",")),"d60":{"type":"null"}}}"##)
        #expect(throws: EvaluationFault.steps) { try schema.isValid(JSONDocument("1").root) }
    }

    @Test("A long chain of references is given up at its depth, without exhausting the stack") func chain() throws {
        let links = (0..<5_000).map { ##""d\##($0)":{"$ref":"#/$defs/d\##($0 + 1)"}"## }
        let schema = try SchemaCases.compile(##"{"$ref":"#/$defs/d0","$defs":{\##(links.joined(separator: ",")),"d5000":{"type":"null"}}}"##)
        #expect(throws: EvaluationFault.depth) { try schema.isValid(JSONDocument("1").root) }
    }

    @Test("The deepest instance of a recursive schema is validated") func deep() throws {
        let schema = try SchemaCases.compile(##"{"properties":{"a":{"allOf":[{"$ref":"#"}]}},"type":"object"}"##)
        let text = { (inner: String) in String(repeating: #"{"a":"#, count: 127) + inner + String(repeating: "}", count: 127) }
        #expect(try schema.isValid(JSONDocument(text("{}")).root))
        #expect(try !schema.isValid(JSONDocument(text("1")).root))
        let nested = String(repeating: #"{"not":"#, count: 127) + "{}" + String(repeating: "}", count: 127)
        #expect(SchemaCases.refusal(nested) == nil)
    }

    @Test("Giant schemas are refused or served, never fatal") func giants() throws {
        let values = (0..<40_000).map(String.init).joined(separator: ",")
        let schema = try SchemaCases.compile(#"{"enum":[\#(values)]}"#)
        #expect(try schema.isValid(JSONDocument("39999").root) && !schema.isValid(JSONDocument("40000").root))
        #expect(SchemaCases.refusal(#"{"enum":["\#(String(repeating: "x", count: 1 << 20))"]}"#)?.contains("bytes") == true)
        let properties = (0..<25_000).map { #""p\#($0)":{}"# }.joined(separator: ",")
        #expect(SchemaCases.refusal(#"{"properties":{\#(properties)}}"#)?.contains("subschemas") == true)
        let patterns = (0..<400).map { #""p\#($0)x{1000}":true"# }.joined(separator: ",")
        #expect(SchemaCases.refusal(#"{"patternProperties":{\#(patterns)}}"#)?.contains("regular expressions") == true)
        #expect(SchemaCases.refusal(#"{"pattern":"((a{100}){100}){100}"}"#) != nil)
        #expect(SchemaCases.refusal(#"{"multipleOf":0.\#(String(repeating: "1", count: 500))}"#)?.contains("digits") == true)
    }

    @Test("Unique items stay cheap for many items, also for equal ones at the end") func unique() throws {
        let schema = try SchemaCases.compile(#"{"uniqueItems":true}"#)
        let items = (0..<50_000).map { #"{"a":\#($0)}"# }
        #expect(try schema.isValid(JSONDocument("[" + items.joined(separator: ",") + "]").root))
        #expect(try !schema.isValid(JSONDocument("[" + (items + [items[0]]).joined(separator: ",") + "]").root))
    }
}

@Suite("Schemas known to every registry")
struct MetaSchemaTests {
    @Test(
        "The meta-schemas are those that were published, and valid by themselves",
        .enabled(if: Repository.conformance != nil, "the conformance data is not there"),
        arguments: [
            "schema", "meta/core", "meta/applicator", "meta/unevaluated", "meta/validation", "meta/meta-data", "meta/format-annotation",
            "meta/format-assertion", "meta/content",
        ]) func published(_ name: String) throws
    {
        let path = try #require(Repository.conformance) + "/metaschemas/draft2020-12/\(name).json"
        let document = try ConformanceSuite.document(path)
        #expect(MetaSchemaTexts.all.contains { $0.root.equals(document.root) })
        #expect(SchemaCases.refusal(String(decoding: document.text, as: UTF8.self)) == nil)
    }
}

/// The documents that a fresh registry holds.
enum MetaSchemaTexts {
    static let all = SchemaRegistry().documents
}
