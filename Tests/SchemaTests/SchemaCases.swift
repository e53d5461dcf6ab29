import Core
import RE2Driver

/// Short ways to schemas and instances in tests.
enum SchemaCases {
    private static let compiler = Result { try SchemaCompiler(patterns: RE2Compiler()) }

    static func compile(_ text: String, registry: SchemaRegistry = SchemaRegistry(), assertsFormats: Bool = false) throws -> CompiledSchema {
        try compiler.get().compile(text: Array(text.utf8), registry: registry, options: .init(assertsFormats: assertsFormats))
    }

    /// The violations as `pointer keyword: message`.
    static func violations(_ schema: String, _ instance: String, assertsFormats: Bool = false) throws -> [String] {
        try compile(schema, assertsFormats: assertsFormats).validate(JSONDocument(instance).root).violations.map {
            "\($0.instance) \($0.keyword): \($0.message)"
        }
    }

    /// Why a schema is refused; nil when it is not.
    static func refusal(_ schema: String, registry: SchemaRegistry = SchemaRegistry()) -> String? {
        do {
            _ = try compile(schema, registry: registry)
            return nil
        } catch let fault as SchemaFault {
            return fault.detail
        } catch {
            return "\(error)"
        }
    }
}
