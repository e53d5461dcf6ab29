package import Core
package import Log
internal import RE2Driver

/// The forms of the control stream's documents: the JSON Schemas of `streams/documents`, compiled once.
package struct DocumentForms: Sendable {
    private let schemas: [ControlKind: CompiledSchema]

    /// - Throws: `.declaration` for a kind without a schema, or a schema that is none.
    package init(_ catalog: StreamCatalog) throws(LogError) {
        var schemas: [ControlKind: CompiledSchema] = [:]
        for kind in ControlKind.allCases {
            let file = "streams/documents/\(kind.rawValue).json"
            guard let text = catalog.documentSchemas[kind.rawValue] else { throw .declaration("\(file) is missing") }
            do throws(SchemaFault) {
                schemas[kind] = try SchemaCompiler(patterns: RE2Compiler()).compile(text: Array(text.utf8), options: .init(assertsFormats: true))
            } catch {
                throw .declaration("\(file): \(error)")
            }
        }
        self.schemas = schemas
    }

    /// The rules for documents, of which these forms are the first.
    package var rules: DocumentRules { DocumentRules { [schemas] kind, document in DocumentForms.check(schemas[kind], document) } }

    private static func check(_ schema: CompiledSchema?, _ document: JSONNode) -> Refusal {
        guard let schema else { preconditionFailure("every kind has a schema") }
        var refusal = Refusal()
        do throws(EvaluationFault) {
            for violation in try schema.validate(document).violations {
                refusal.add(code(violation.keyword), violation.instance, "it \(violation.message)")
            }
        } catch {
            refusal.add(.tooLarge, "", "the document is too entangled to be checked: \(error)")
        }
        return refusal
    }

    private static func code(_ keyword: String) -> Violation.Code {
        switch keyword {
        case "required": .missing
        case "type": .wrongType
        case "additionalProperties", "unevaluatedProperties": .unknownField
        case "maxLength", "maxItems", "maxProperties": .tooLarge
        default: .malformed
        }
    }
}
