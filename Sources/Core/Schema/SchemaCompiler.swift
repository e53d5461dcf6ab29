/// Compiles JSON Schemas of draft 2020-12.
///
/// - Source: JSON Schema draft 2020-12, Core and Validation.
package struct SchemaCompiler: Sendable {
    package struct Options: Sendable {
        /// Whether `format` is an assertion; else it only is one where the meta-schema has the format-assertion vocabulary.
        package var assertsFormats: Bool

        package init(assertsFormats: Bool = false) { self.assertsFormats = assertsFormats }
    }

    private let patterns: any PatternCompiler
    private let metaSchema: CompiledSchema

    /// - Throws: never in practice: the meta-schema's two patterns cannot be compiled.
    package init(patterns: any PatternCompiler) throws(SchemaFault) {
        self.patterns = patterns
        var builder = SchemaBuilder(SchemaRegistry(), patterns, Options())
        metaSchema = try builder.build(uri: SchemaDialect.draft2020URI)
    }

    /// Compiles the schema `document`, with all it refers to.
    ///
    /// - Parameters:
    ///   - uri: where the document was found; relative references and `$id` start from here.
    ///   - registry: what references may lead to besides the document itself.
    /// - Cost: linear in the schema and what it refers to, plus its regular expressions.
    /// - Throws: what is wrong with the schema.
    package func compile(
        _ document: JSONDocument, uri: String = "", registry: SchemaRegistry = SchemaRegistry(), options: Options = Options()
    ) throws(SchemaFault) -> CompiledSchema {
        var registry = registry
        let root = try registry.load(document, uri: uri, keepEmpty: true)
        var builder = SchemaBuilder(registry, patterns, options)
        try checkRules(document, registry.resources[root].dialect, registry)
        let schema = try builder.build(resource: root)
        for (other, dialect) in builder.documentsUsed() where other !== document { try checkRules(other, dialect, registry) }
        return schema
    }

    package func compile(
        text: [UInt8], uri: String = "", registry: SchemaRegistry = SchemaRegistry(), options: Options = Options()
    ) throws(SchemaFault) -> CompiledSchema {
        let document: JSONDocument
        do { document = try JSONDocument(text) } catch { throw .notJSON(error) }
        return try compile(document, uri: uri, registry: registry, options: options)
    }

    /// Checks a schema against the meta-schema of its dialect; draft 2019-09 has none here.
    private func checkRules(_ document: JSONDocument, _ dialect: String, _ registry: SchemaRegistry) throws(SchemaFault) {
        let rules: CompiledSchema
        if dialect == SchemaDialect.draft2020URI {
            rules = metaSchema
        } else if dialect == SchemaDialect.draft2019URI {
            return
        } else {
            guard registry.resource(uri: dialect) != nil else { throw .unknownDialect(dialect) }
            var builder = SchemaBuilder(registry, patterns, Options())
            rules = try builder.build(uri: dialect)
        }
        do {
            let verdict = try rules.validate(document.root)
            if !verdict.isValid { throw SchemaFault.invalid(verdict.violations) }
        } catch let fault as SchemaFault {
            throw fault
        } catch {
            throw .tooLarge(what: "steps to check against its meta-schema", max: Limits.evaluationStepsMax)
        }
    }
}
