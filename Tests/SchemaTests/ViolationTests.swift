import Core
import Testing

@Suite("Violations")
struct ViolationTests {
    @Test(
        "Each keyword says where it is broken and what would pass",
        arguments: [
            (#"{"type":"string"}"#, "1", " type: must be a string, is a number"),
            (#"{"type":["integer","null"]}"#, "1.5", " type: must be null or an integer, is a number with a fraction"),
            (#"{"enum":["a","b",3]}"#, #""c""#, #" enum: must be one of "a", "b", 3"#),
            (#"{"const":{"a":1}}"#, "1", #" const: must be {"a":1}"#),
            (#"{"minimum":1.50}"#, "1", " minimum: must be at least 1.50"),
            (#"{"exclusiveMaximum":2}"#, "2", " exclusiveMaximum: must be less than 2"),
            (#"{"multipleOf":0.01}"#, "0.005", " multipleOf: must be a multiple of 0.01"),
            (#"{"minLength":2}"#, #""é""#, " minLength: must have at least 2 characters, has 1"),
            (#"{"maxLength":1}"#, #""ab""#, " maxLength: must have at most 1 character, has 2"),
            (#"{"pattern":"^a+$"}"#, #""b""#, " pattern: must match the regular expression ^a+$"),
            (#"{"minItems":1}"#, "[]", " minItems: must have at least 1 item, has 0"),
            (#"{"uniqueItems":true}"#, "[1,2,1.0]", " uniqueItems: must not have equal items, those at 0 and 2 are"),
            (#"{"contains":{"type":"null"}}"#, "[1]", #" contains: must contain at least 1 item that match the schema under "contains", has 0"#),
            (#"{"required":["amount"]}"#, "{}", #" required: is missing the required property "amount""#),
            (#"{"dependentRequired":{"a":["b"]}}"#, #"{"a":1}"#, #" dependentRequired: is missing the property "b", which is required when "a" is there"#),
            (
                #"{"properties":{"a":true},"additionalProperties":false}"#, #"{"x/y":1}"#,
                #"/x~1y additionalProperties: is a property that is not allowed here; allowed are "a""#
            ),
            (#"{"properties":{"a":{"items":{"type":"string"}}}}"#, #"{"a":["x",1]}"#, "/a/1 type: must be a string, is a number"),
            (#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "1", " anyOf: must match at least one of the 2 schemas allowed: string, null"),
            (#"{"oneOf":[{"minimum":1},{"minimum":2}]}"#, "3", " oneOf: must match exactly one of the 2 schemas allowed, matches those at positions 0 and 1"),
            (#"{"not":{"type":"null"}}"#, "null", #" not: must not match the schema under "not""#),
            (#"{"properties":{"a":false}}"#, #"{"a":1}"#, "/a a: is not allowed here"),
            (#"{"unevaluatedProperties":false}"#, #"{"a":1}"#, "/a unevaluatedProperties: is a property that no schema here allows"),
            (#"{"propertyNames":{"maxLength":1}}"#, #"{"ab":1}"#, "/ab maxLength: must have at most 1 character, has 2"),
        ]) func messages(_ schema: String, _ instance: String, _ expected: String) throws
    {
        #expect(try SchemaCases.violations(schema, instance) == [expected])
    }

    @Test("Formats are annotations, and assertions when asked for") func formats() throws {
        #expect(try SchemaCases.violations(#"{"format":"date"}"#, #""x""#) == [])
        #expect(try SchemaCases.violations(#"{"format":"date"}"#, #""x""#, assertsFormats: true) == [" format: must be a date of RFC 3339, as 2026-01-31"])
    }

    @Test("Every violation is told, in one go") func all() throws {
        let schema = #"{"type":"object","required":["a","b"],"properties":{"c":{"type":"string"},"d":{"minimum":5,"multipleOf":2}},"minProperties":9}"#
        let verdict = try SchemaCases.compile(schema).validate(JSONDocument(#"{"c":1,"d":3}"#).root)
        #expect(
            verdict.violations.map { $0.instance + " " + $0.keyword } == [" minProperties", "/c type", "/d minimum", "/d multipleOf", " required", " required"])
    }

    @Test("Violations beyond the bound are counted") func bound() throws {
        let verdict = try SchemaCases.compile(#"{"items":{"type":"string"}}"#).validate(
            JSONDocument("[" + Array(repeating: "1", count: 100).joined(separator: ",") + "]").root)
        #expect(verdict.violations.count == Limits.violationsMax && verdict.further == 100 - Limits.violationsMax)
    }

    @Test("The keyword's location is absolute, through references and embedded resources") func locations() throws {
        let schema =
            #"{"$id":"https://example.com/root","properties":{"a":{"$ref":"other#/$defs/n"}},"$defs":{"o":{"$id":"other","$defs":{"n":{"type":"null"}}}}}"#
        let verdict = try SchemaCases.compile(schema).validate(JSONDocument(#"{"a":1}"#).root)
        #expect(verdict.violations.map(\.schema) == ["https://example.com/other#/$defs/n/type"])
        let plain = try SchemaCases.compile(#"{"allOf":[{"properties":{"a/b":{"type":"null"}}}]}"#).validate(JSONDocument(#"{"a/b":1}"#).root)
        #expect(plain.violations.map(\.schema) == ["#/allOf/0/properties/a~1b/type"])
    }
}
