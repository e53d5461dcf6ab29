/// Typical schemas and instances to measure validation with; whoever measures brings the clock.
///
/// The instances are valid, so a pass walks all of the schema.
package struct SampleSchema: Sendable {
    package let name: String
    /// JSON text of the schema and of the instance.
    package let schema: String
    package let instance: String

    /// A message of the log, with all its envelope's rules.
    package static let messageSchema = #"""
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["message_uuid", "topic",
        "source_subject_id", "destination_subject_ids", "message_type", "message_metadata", "message_data"],
        "additionalProperties": false, "properties": {"message_uuid": {"type": "string", "pattern":
        "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}, "topic": {"type": "string", "minLength": 1,
        "maxLength": 256, "pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$"}, "source_subject_id": {"$ref": "#/$defs/name"},
        "destination_subject_ids": {"type": "array", "items": {"$ref": "#/$defs/name"}, "minItems": 1, "maxItems": 100,
        "uniqueItems": true}, "message_type": {"enum": ["instruction", "question", "report", "statement", "termination",
        "thought", "tool_output"]}, "message_metadata": {"type": "object", "properties": {"task": {"type": "string"}, "turn":
        {"type": "integer", "minimum": 0}}, "required": ["task"]}, "message_data": {"type": "object", "properties": {"content":
        {"type": "string"}}, "minProperties": 1}, "origin_ts": {"type": "string", "format": "date-time"}}, "$defs": {"name":
        {"type": "string", "minLength": 1, "maxLength": 256}}}
        """#

    package static let all = [
        SampleSchema(name: "order", schema: order, instance: orderInstance),
        SampleSchema(name: "union", schema: union, instance: #"{"event":{"kind":"c","value":[1,2.5,3,4,5,6,7,8,9,10]}}"#),
        SampleSchema(name: "unevaluated", schema: unevaluated, instance: #"{"type":"card","amount":10.5,"number":"4111111111111111","expiry":"12/30"}"#),
        SampleSchema(name: "tree", schema: tree, instance: treeInstance(5)), SampleSchema(name: "patterns", schema: patterns, instance: patternsInstance),
        SampleSchema(name: "meta-schema", schema: #"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#, instance: messageSchema),
    ]

    private static let order = #"""
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["id", "customer", "lines",
        "total"], "properties": {"id": {"type": "string", "pattern": "^[A-Z]{2}-\\d{6}$"}, "customer": {"type": "object",
        "required": ["name", "email"], "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 100}, "email":
        {"type": "string", "minLength": 3}, "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}}},
        "lines": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["sku", "quantity", "price"],
        "properties": {"sku": {"type": "string", "minLength": 3}, "quantity": {"type": "integer", "minimum": 1, "maximum":
        1000}, "price": {"type": "number", "exclusiveMinimum": 0}}, "additionalProperties": false}}, "total": {"type": "number",
        "minimum": 0}, "status": {"enum": ["open", "paid", "sent", "done"]}}, "additionalProperties": false}
        """#

    private static let union = #"""
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"event": {"oneOf":
        [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}, {"$ref": "#/$defs/c"}]}}, "required": ["event"], "$defs": {"a": {"type":
        "object", "properties": {"kind": {"const": "a"}, "value": {"type": "integer"}}, "required": ["kind", "value"]}, "b":
        {"type": "object", "properties": {"kind": {"const": "b"}, "value": {"type": "string"}}, "required": ["kind", "value"]},
        "c": {"type": "object", "properties": {"kind": {"const": "c"}, "value": {"type": "array", "items": {"type": "number"}}},
        "required": ["kind", "value"]}}}
        """#

    private static let unevaluated = #"""
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [{"$ref": "#/$defs/base"}, {"if": {"properties":
        {"type": {"const": "card"}}}, "then": {"properties": {"number": {"type": "string"}, "expiry": {"type": "string"}},
        "required": ["number"]}}], "unevaluatedProperties": false, "$defs": {"base": {"type": "object", "properties": {"type":
        {"type": "string"}, "amount": {"type": "number"}}, "required": ["type", "amount"]}}}
        """#

    private static let tree = #"""
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/tree", "type": "object",
        "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}}, "required":
        ["value"]}
        """#

    private static let patterns = #"""
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "patternProperties": {"^x-": {"type":
        "string"}, "_id$": {"type": "integer"}}, "additionalProperties": {"type": ["number", "boolean", "null"]},
        "propertyNames": {"maxLength": 40}}
        """#

    private static let orderInstance: String = {
        let lines = (0..<20).map { #"{"sku":"sku-\#($0)","quantity":\#($0 + 1),"price":\#($0 + 9).99}"# }.joined(separator: ",")
        return #"{"id":"AB-123456","customer":{"name":"Ada Lovelace","email":"ada@example.com","tags":["vip","early","math"]},"lines":[\#(lines)],"#
            + #""total":1234.56,"status":"paid"}"#
    }()

    private static func treeInstance(_ depth: Int) -> String {
        let children = depth > 0 ? Array(repeating: treeInstance(depth - 1), count: 3).joined(separator: ",") : ""
        return #"{"value":\#(depth),"children":[\#(children)]}"#
    }

    private static let patternsInstance = "{" + (0..<10).map { #""x-h\#($0)":"v\#($0)","n\#($0)_id":\#($0),"f\#($0)":0.\#($0)5"# }.joined(separator: ",") + "}"
}
