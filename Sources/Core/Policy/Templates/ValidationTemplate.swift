/// A schema that payloads on some topics have to fit, read from its document:
/// `{"template_id", "topics": [patterns], "version"?, "schema": JSON Schema | "policy_input_schema": {...}, "description"?}`.
package struct ValidationTemplate: Sendable {
    package let id: String
    /// Topics it is bound to.
    package let topics: [SubjectPattern]
    /// Counts up with each change of the schema; whoever writes the document counts.
    package let version: Int64
    package let description: String
    /// In draft 2020-12, also where the document has the older form.
    package let schema: JSONDocument
    package let compiled: CompiledSchema

    static let members = ["template_id", "topics", "version", "schema", "policy_input_schema", "description"]

    /// - Parameter pointer: where the document stands in the input.
    /// - Cost: that of compiling the schema.
    /// - Throws: everything that is wrong, with JSON Pointers.
    package init(_ document: JSONNode, at pointer: String = "", compiler: SchemaCompiler) throws(Refusal) {
        guard document.kind == .object else { throw Refusal(.wrongType, pointer, "a template is a JSON object") }
        var reader = DocumentReader(document, pointer, Refusal())
        reader.allow(Self.members, of: "a template")
        let id = reader.name("template_id", isRequired: true)
        let topics = reader.names("topics") ?? []
        for (index, topic) in topics.enumerated() where !Subject.isPattern(topic.utf8) {
            reader.refusal.add(.malformed, "\(reader.at("topics"))/\(index)", "no pattern of topics such as 'tasks.>'")
        }
        version = reader.integer("version", in: 1...1_000_000_000) ?? 1
        description = reader.text("description") ?? ""
        let schema = Self.schema(&reader, compiler)
        guard reader.refusal.isEmpty, let id, let schema else { throw reader.refusal }
        self.id = id
        self.topics = topics.map { SubjectPattern($0.utf8) }
        self.schema = schema.document
        compiled = schema.compiled
    }

    private static func schema(_ reader: inout DocumentReader, _ compiler: SchemaCompiler) -> (document: JSONDocument, compiled: CompiledSchema)? {
        let modern = reader.node["schema"]
        let older = reader.node["policy_input_schema"]
        guard (modern == nil) != (older == nil) else {
            let words =
                modern == nil
                ? "'schema' (JSON Schema draft 2020-12) or 'policy_input_schema' is needed" : "'schema' and 'policy_input_schema' exclude each other"
            reader.refusal.add(modern == nil ? .missing : .conflict, reader.at("schema"), words)
            return nil
        }
        do {
            if let modern {
                let document = try JSONDocument(Array(modern.text))
                return (document, try compiler.compile(document, options: SchemaCompiler.Options(assertsFormats: true)))
            }
            let form = try PolicyInputSchema(try JSONDocument(Array(reader.node.text)), compiler: compiler)
            return (try JSONDocument(form.translation), form.schema)
        } catch let fault as SchemaFault {
            add(fault, reader.at(modern == nil ? "policy_input_schema" : "schema"), &reader)
        } catch let fault as JSONFault {
            reader.refusal.add(.notJSON, reader.at("schema"), fault.detail)
        } catch {
            preconditionFailure("nothing else is thrown")
        }
        return nil
    }

    private static func add(_ fault: SchemaFault, _ pointer: String, _ reader: inout DocumentReader) {
        if case .invalid(let violations) = fault {
            for violation in violations { reader.refusal.add(.malformed, pointer + violation.instance, violation.message) }
        } else {
            reader.refusal.add(.malformed, pointer, fault.detail)
        }
    }

    /// Whether everything that passed the other version passes this one.
    package func compatibility(with old: ValidationTemplate) -> Compatibility { Compatibility.check(old: old.schema, new: schema) }
}
