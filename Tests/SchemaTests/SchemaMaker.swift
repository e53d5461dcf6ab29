import TestSupport

/// Schemas and instances at random, small enough to meet each other often.
struct SchemaMaker {
    var numbers: SeededNumbers

    mutating func schema(_ depth: Int) -> String {
        if depth == 0 { return numbers.pick(["true", "false", "{}", #"{"type":"string"}"#, #"{"type":"number"}"#, #"{"const":1}"#]) }
        let members = (0..<(1 + numbers.below(3))).map { _ in keyword(depth - 1) }
        return "{" + members.joined(separator: ",") + "}"
    }

    private mutating func keyword(_ depth: Int) -> String {
        switch numbers.below(30) {
        case 0, 1:
            return #""type":"#
                + numbers.pick([#""string""#, #""number""#, #""integer""#, #""object""#, #""array""#, #"["null","object"]"#, #"["array","integer"]"#])
        case 2, 3: return #""properties":{"a":\#(schema(depth)),"b":\#(schema(depth))}"#
        case 4: return #""additionalProperties":\#(schema(depth))"#
        case 5: return #""required":["# + numbers.pick([#""a""#, #""a","b""#, ""]) + "]"
        case 6: return #""items":\#(schema(depth))"#
        case 7: return #""prefixItems":[\#(schema(depth)),\#(schema(depth))]"#
        case 8: return #""enum":["# + numbers.pick(["1", #"1,"a""#, "null,{}", "[],1.0"]) + "]"
        case 9: return #""minimum":\#(numbers.below(3))"#
        case 10: return #""exclusiveMaximum":\#(numbers.below(4))"#
        case 11: return #""multipleOf":"# + numbers.pick(["1", "2", "0.5"])
        case 12: return #""minLength":\#(numbers.below(3))"#
        case 13: return #""maxItems":\#(numbers.below(3))"#
        case 14: return #""uniqueItems":true"#
        case 15: return #""allOf":[\#(schema(depth)),\#(schema(depth))]"#
        case 16: return #""anyOf":[\#(schema(depth)),\#(schema(depth))]"#
        case 17: return #""oneOf":[\#(schema(depth)),\#(schema(depth))]"#
        case 18: return #""not":\#(schema(depth))"#
        case 19: return #""if":\#(schema(depth)),"then":\#(schema(depth)),"else":\#(schema(depth))"#
        case 20: return #""contains":\#(schema(depth))"#
        case 21: return #""patternProperties":{"^a":\#(schema(depth))}"#
        case 22: return #""propertyNames":\#(schema(depth))"#
        case 23: return #""unevaluatedProperties":\#(schema(depth))"#
        case 24: return #""unevaluatedItems":\#(schema(depth))"#
        case 25: return #""dependentSchemas":{"a":\#(schema(depth))}"#
        case 26: return ##""$ref":"#"## + numbers.pick(["", "/properties/a", "/allOf/0", "/$defs/x"]) + "\""
        case 27: return #""$defs":{"x":\#(schema(depth))}"#
        case 28: return ##""$dynamicAnchor":"n","$dynamicRef":"#n""##
        default: return #""pattern":"# + numbers.pick([#""^a""#, #""b$""#, #""[a-c]{2}""#])
        }
    }

    mutating func instance(_ depth: Int) -> String {
        switch numbers.below(depth == 0 ? 5 : 9) {
        case 0: return "null"
        case 1: return numbers.pick(["true", "false"])
        case 2, 3: return numbers.pick(["0", "1", "2", "3", "1.0", "1.5", "-1", "1e2"])
        case 4: return numbers.pick([#""""#, #""a""#, #""ab""#, #""b""#, #""\u0061bc""#])
        case 5, 6: return "[" + (0..<numbers.below(4)).map { _ in instance(depth - 1) }.joined(separator: ",") + "]"
        default: return "{" + ["a", "b", "ab", "c"].filter { _ in numbers.once(in: 2) }.map { "\"\($0)\":" + instance(depth - 1) }.joined(separator: ",") + "}"
        }
    }
}

extension String {
    /// Replaces the first occurrence of a text.
    func replacingOccurrences(ofFirst text: String, with other: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
