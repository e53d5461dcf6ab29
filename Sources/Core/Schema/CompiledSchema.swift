/// A schema, compiled: flat tables that evaluation walks by index. Immutable; any number of threads may use it.
///
/// - Cost: `isValid` makes no allocation beyond its own small stacks, except for strings with escapes that a pattern or format looks at.
/// - Source: JSON Schema draft 2020-12, Core and Validation.
package final class CompiledSchema: Sendable {
    let tables: SchemaTables

    init(_ tables: SchemaTables) { self.tables = tables }

    /// Number of subschemas that were compiled.
    package var size: Int { tables.schemas.count }

    /// Whether the instance is valid; stops at the first violation.
    ///
    /// - Throws: the evaluation was given up, see `EvaluationFault`.
    package func isValid(_ node: JSONNode) throws(EvaluationFault) -> Bool {
        var evaluation = Evaluation(self, node.document, collecting: false)
        return try evaluation.check(0, node.index)
    }

    /// Every violation of the instance. Only an instance that is not valid pays for them.
    ///
    /// - Throws: the evaluation was given up, see `EvaluationFault`.
    package func validate(_ node: JSONNode) throws(EvaluationFault) -> SchemaVerdict {
        if try isValid(node) { return SchemaVerdict(violations: [], further: 0) }
        var evaluation = Evaluation(self, node.document, collecting: true)
        _ = try evaluation.check(0, node.index)
        return SchemaVerdict(violations: evaluation.violations, further: evaluation.further)
    }

    /// The absolute location of a schema: its resource's URI, `#`, and the pointer from there.
    func location(_ schema: Int) -> String {
        let code = tables.schemas[schema]
        let resource = tables.resources[Int(code.resource)]
        let node = JSONNode(document: tables.documents[Int(code.document)], index: Int(code.node))
        let root = JSONNode(document: node.document, index: resource.root)
        let pointer = node.pointer.dropFirst(root.pointer.count)
        return resource.uri + "#" + String(decoding: pointer, as: UTF8.self)
    }
}

/// The tables of a compiled schema. The root schema is the first.
struct SchemaTables: Sendable {
    struct Resource: Sendable {
        let uri: String
        let root: Int
        /// Schemas that have a dynamic anchor here.
        var dynamicAnchors: [(anchor: Int32, schema: Int32)] = []
    }

    var documents: [JSONDocument] = []
    var resources: [Resource] = []
    var schemas: [SchemaCode] = []
    var ops: [SchemaOp] = []
    /// Lists of schemas for allOf, anyOf and oneOf.
    var lists: [[Int32]] = []
    var numbers: [SharedPlan<NumberPlan>] = []
    var lengths: [LengthPlan] = []
    var patterns: [PatternPlan] = []
    var arrays: [SharedPlan<ArrayPlan>] = []
    var objects: [SharedPlan<ObjectPlan>] = []
    var dependencies: [DependencyPlan] = []
    var consts: [ConstPlan] = []
    var enums: [EnumPlan] = []
    var conditionals: [ConditionalPlan] = []
    var dynamicRefs: [DynamicRefPlan] = []
    /// Whether any reference depends on the dynamic scope.
    var isDynamic = false
}
