package import Core
package import Log
internal import RE2Driver
internal import ZoneDriver

/// The forms of the control stream's documents: JSON Schemas of `streams/documents` for backbones, topic groups, values and webhooks; constraints and
/// templates are compiled, so that nothing is stored which could not be applied.
package struct DocumentForms: Sendable {
    private let schemas: [ControlKind: CompiledSchema]
    private let compiler: SchemaCompiler
    private let constraints: ConstraintReader

    /// - Throws: `.declaration` for a kind without a schema, or a schema that is none.
    package init(_ catalog: StreamCatalog) throws(LogError) {
        do throws(SchemaFault) {
            compiler = try SchemaCompiler(patterns: RE2Compiler())
        } catch {
            throw .declaration("the meta-schema cannot be compiled: \(error.detail)")
        }
        var schemas: [ControlKind: CompiledSchema] = [:]
        for kind in [ControlKind.backbone, .topics, .config, .webhook] {
            let file = "streams/documents/\(kind.rawValue).json"
            guard let text = catalog.documentSchemas[kind.rawValue] else { throw .declaration("\(file) is missing") }
            do throws(SchemaFault) {
                schemas[kind] = try compiler.compile(text: Array(text.utf8), options: .init(assertsFormats: true))
            } catch {
                throw .declaration("\(file): \(error.detail)")
            }
        }
        self.schemas = schemas
        constraints = ConstraintReader(PolicyCompiler(patterns: RE2Compiler(), zones: ZoneFolder()))
    }

    /// The rules for documents, of which these forms are the first.
    package var rules: DocumentRules { DocumentRules { [self] kind, document in check(kind, document) } }

    private func check(_ kind: ControlKind, _ document: JSONNode) -> Refusal {
        do throws(Refusal) {
            switch kind {
            case .constraint: _ = try constraints.read(document)
            case .template: _ = try ValidationTemplate(document, compiler: compiler)
            case .backbone, .topics, .config, .webhook: return check(schemas[kind], document)
            }
            return Refusal()
        } catch {
            return error
        }
    }

    private func check(_ schema: CompiledSchema?, _ document: JSONNode) -> Refusal {
        guard let schema else { preconditionFailure("every kind of plain documents has a schema") }
        var refusal = Refusal()
        do throws(EvaluationFault) {
            for violation in try schema.validate(document).violations {
                refusal.add(DocumentForms.code(violation.keyword), violation.instance, "it \(violation.message)")
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
