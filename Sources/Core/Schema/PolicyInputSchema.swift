/// The older form of a schema for a policy's input:
/// `{"policy_input_schema": {field: {"type": "string|number|boolean|array|object|any", "pattern"?, "minLength"?, "maxLength"?, "min"?, "max"?,
/// "minItems"?, "maxItems"?, "enum"?}}}`. Every field is required, others are allowed.
///
/// It is translated to draft 2020-12 and compiled like every other schema.
package struct PolicyInputSchema: Sendable {
    /// The same schema in draft 2020-12.
    package let translation: [UInt8]
    package let schema: CompiledSchema
    /// The fields in the order they were declared.
    package let fields: [String]

    /// Whether a document has this form.
    package static func isOne(_ document: JSONDocument) -> Bool { document.root["policy_input_schema"] != nil }

    /// - Throws: `.malformed` names the field and what would pass; what the compiler finds wrong with a field's rule.
    package init(_ document: JSONDocument, compiler: SchemaCompiler) throws(SchemaFault) {
        guard let declared = document.root["policy_input_schema"], declared.kind == .object else {
            throw .malformed(location: "/policy_input_schema", message: "must be an object of fields")
        }
        var properties = JSONWriter()
        var required = JSONWriter()
        var fields: [String] = []
        for (key, rule) in declared.members {
            let name = key.stringBytes ?? []
            let field = String(decoding: name, as: UTF8.self)
            guard !fields.contains(field) else { throw Self.malformed(field, "is declared twice") }
            fields.append(field)
            properties.key(name)
            properties.bytes += try Self.translate(field, rule)
            required.item(text: name)
        }
        var out = Array(#"{"$schema":"\#(SchemaDialect.draft2020URI)","type":"object","required":["#.utf8)
        out += required.bytes
        out += Array(#"],"properties":{"#.utf8)
        out += properties.bytes
        out += Array("}}".utf8)
        translation = out
        self.fields = fields
        schema = try compiler.compile(text: out)
    }

    /// The first violation of each field, by its name; violations of the whole stand under the empty name.
    ///
    /// - Throws: the evaluation was given up.
    package func errors(_ input: JSONNode) throws(EvaluationFault) -> [String: String] {
        var errors: [String: String] = [:]
        for violation in try schema.validate(input).violations where violation.keyword != "required" {
            let field = JSONPointer.tokens(violation.instance.utf8)?.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
            if errors[field] == nil { errors[field] = violation.message }
        }
        guard input.kind == .object else { return errors }
        for field in fields where input[field] == nil { errors[field] = "is required" }
        return errors
    }

    /// Keywords by the types they go with, and what they are called in draft 2020-12.
    private static let keywords: [(name: String, translation: String, types: Set<String>)] = [
        ("pattern", "pattern", ["string"]), ("minLength", "minLength", ["string"]), ("maxLength", "maxLength", ["string"]),
        ("min", "minimum", ["number"]), ("max", "maximum", ["number"]),
        ("minItems", "minItems", ["array"]), ("maxItems", "maxItems", ["array"]),
        ("enum", "enum", ["string", "number", "boolean", "array", "object"]),
    ]

    private static func translate(_ field: String, _ rule: JSONNode) throws(SchemaFault) -> [UInt8] {
        guard rule.kind == .object else { throw malformed(field, "must be an object with a \"type\"") }
        let types = ["string", "number", "boolean", "array", "object", "any"]
        guard let type = rule["type"]?.string, types.contains(type) else {
            throw malformed(field, "must have a \"type\": one of " + types.joined(separator: ", "))
        }
        var out = JSONWriter()
        if type != "any" {
            out.key(Array("type".utf8))
            JSONText.append(type, to: &out.bytes)
        }
        for (key, value) in rule.members {
            let name = key.string ?? ""
            if name == "type" || name == "description" { continue }
            guard let keyword = keywords.first(where: { $0.name == name }) else {
                throw malformed(field, "has \"\(name)\", which is not known; known are type, description, " + keywords.map(\.name).joined(separator: ", "))
            }
            guard type == "any" || keyword.types.contains(type) else {
                throw malformed(field, "has \"\(name)\", which goes with \(keyword.types.sorted().joined(separator: ", "))")
            }
            out.key(Array(keyword.translation.utf8))
            out.bytes += value.canonical
        }
        return [UInt8(ascii: "{")] + out.bytes + [UInt8(ascii: "}")]
    }

    private static func malformed(_ field: String, _ message: String) -> SchemaFault {
        var location = Array("/policy_input_schema".utf8)
        JSONPointer.append(key: field.utf8, to: &location)
        return .malformed(location: String(decoding: location, as: UTF8.self), message: message)
    }
}

/// The inside of a JSON object or array, member by member.
private struct JSONWriter {
    var bytes: [UInt8] = []

    mutating func key(_ name: [UInt8]) {
        item(text: name)
        bytes.append(UInt8(ascii: ":"))
    }

    mutating func item(text: [UInt8]) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        JSONText.append(text, to: &bytes)
    }
}
