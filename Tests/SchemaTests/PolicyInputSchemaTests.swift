import Core
import RE2Driver
import Testing

@Suite("The older form of input schemas")
struct PolicyInputSchemaTests {
    private func schema(_ text: String) throws -> PolicyInputSchema {
        try PolicyInputSchema(JSONDocument(text), compiler: SchemaCompiler(patterns: RE2Compiler()))
    }

    private static let full = #"""
        {"policy_input_schema": {"name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5}, "amount": {"type": "number", "min": 1, "max": 10},
         "ok": {"type": "boolean"}, "tags": {"type": "array", "minItems": 1, "maxItems": 2}, "more": {"type": "object"}, "free": {"type": "any"},
         "level": {"type": "string", "enum": ["low", "high"]}}}
        """#

    @Test(
        "Fields are required, and each has its own error",
        arguments: [
            (#"{"name":"abc","amount":5,"ok":true,"tags":[1],"more":{},"free":null,"level":"low","extra":1}"#, [:]),
            (
                #"{"name":"A","amount":11,"ok":1,"tags":[],"more":[],"level":"mid"}"#,
                [
                    "name": "must have at least 2 characters, has 1", "amount": "must be at most 10", "ok": "must be a boolean, is a number",
                    "tags": "must have at least 1 item, has 0", "more": "must be an object, is an array", "free": "is required",
                    "level": #"must be one of "low", "high""#,
                ]
            ),
            (#"{"name":"abc","amount":5,"ok":true,"tags":{},"more":{},"free":1,"level":"low"}"#, ["tags": "must be an array, is an object"]),
            ("[]", ["": "must be an object, is an array"]),
        ] as [(String, [String: String])]) func fields(_ input: String, _ expected: [String: String]) throws
    {
        #expect(try schema(Self.full).errors(JSONDocument(input).root) == expected)
    }

    @Test(
        "What is wrong with a declaration is named",
        arguments: [
            (#"{"policy_input_schema": []}"#, "must be an object of fields"),
            (#"{"policy_input_schema": {"a": {}}}"#, "/policy_input_schema/a must have a \"type\""),
            (#"{"policy_input_schema": {"a": {"type": "int"}}}"#, "one of string, number"),
            (#"{"policy_input_schema": {"a": {"type": "string", "min": 1}}}"#, "goes with number"),
            (#"{"policy_input_schema": {"a/b": {"type": "string", "x": 1}}}"#, "/policy_input_schema/a~1b has \"x\""),
            (#"{"policy_input_schema": {"a": {"type": "string", "pattern": "("}}}"#, "regular expression"),
            (#"{"policy_input_schema": {"a": {"type": "string", "minLength": "2"}}}"#, "minLength"),
        ]) func wrong(_ text: String, _ part: String)
    {
        #expect { try schema(text) } throws: { ($0 as? SchemaFault)?.detail.contains(part) == true }
    }

    @Test("The translation is a schema of draft 2020-12") func translation() throws {
        let text = try String(
            decoding: schema(#"{"policy_input_schema": {"n": {"type": "number", "min": 1.50}, "x": {"type": "any"}}}"#).translation, as: UTF8.self)
        #expect(
            text
                == #"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","required":["n","x"],"properties":{"n":{"type":"number","minimum":1.5},"x":{}}}"#
        )
    }
}
