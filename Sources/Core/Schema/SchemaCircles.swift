/// Finds references that lead back to where they stand without a step into the instance.
///
/// A circle of `$ref` and `allOf` alone is always followed to no end: the schema is refused. Where a condition stands in between, the
/// references on the circle are marked, and the evaluation watches them.
enum SchemaCircles {
    static func mark(_ tables: inout SchemaTables) throws(SchemaFault) {
        let certain = tables.schemas.indices.map { edges(tables, $0, certainOnly: true) }
        let certainParts = components(certain)
        for (schema, targets) in certain.enumerated() where targets.contains(where: { certainParts[Int($0)] == certainParts[schema] }) {
            throw .endless(location: CompiledSchema(tables).location(schema))
        }
        let all = tables.schemas.indices.map { edges(tables, $0, certainOnly: false) }
        let parts = components(all)
        for (number, schema) in tables.schemas.enumerated() {
            for op in schema.common {
                if case .ref(let target) = tables.ops[Int(op)], parts[Int(target)] == parts[number] { tables.ops[Int(op)] = .refInCircle(target) }
            }
        }
    }

    /// The schemas that a schema applies to the same value.
    private static func edges(_ tables: SchemaTables, _ number: Int, certainOnly: Bool) -> [Int32] {
        let code = tables.schemas[number]
        var targets: [Int32] = []
        for index in code.common {
            switch tables.ops[Int(index)] {
            case .ref(let target), .refInCircle(let target): targets.append(target)
            case .allOf(let list): targets += tables.lists[Int(list)]
            case .anyOf(let list), .oneOf(let list): if !certainOnly { targets += tables.lists[Int(list)] }
            case .not(let target): if !certainOnly { targets.append(target) }
            case .conditional(let plan):
                let conditional = tables.conditionals[Int(plan)]
                if !certainOnly { targets += [conditional.condition, conditional.then, conditional.otherwise].filter { $0 >= 0 } }
            case .dynamicRef(let plan):
                guard !certainOnly else { continue }
                targets.append(tables.dynamicRefs[Int(plan)].fallback)
                targets += tables.resources.flatMap(\.dynamicAnchors).filter { $0.anchor == tables.dynamicRefs[Int(plan)].anchor }.map(\.schema)
            default: continue
            }
        }
        guard !certainOnly else { return targets }
        for index in code.objects {
            if case .dependentSchemas(let plan) = tables.ops[Int(index)] { targets += tables.dependencies[Int(plan)].entries.map(\.schema) }
        }
        return targets
    }

    /// The number of the strongly connected component of each schema; -1-number for one that is in no circle.
    ///
    /// - Source: R. Tarjan, "Depth-first search and linear graph algorithms", without recursion.
    private static func components(_ edges: [[Int32]]) -> [Int] {
        var order = [Int](repeating: -1, count: edges.count)
        var low = order
        var component = [Int](repeating: -1, count: edges.count)
        var onStack = [Bool](repeating: false, count: edges.count)
        var stack: [Int] = []
        var next = 0
        for root in edges.indices where order[root] < 0 {
            var calls: [(schema: Int, edge: Int)] = [(root, 0)]
            while let (schema, edge) = calls.last {
                if edge == 0 {
                    order[schema] = next
                    low[schema] = next
                    next += 1
                    stack.append(schema)
                    onStack[schema] = true
                }
                if edge < edges[schema].count {
                    calls[calls.count - 1].edge += 1
                    let target = Int(edges[schema][edge])
                    if order[target] < 0 {
                        calls.append((target, 0))
                    } else if onStack[target] {
                        low[schema] = min(low[schema], order[target])
                    }
                    continue
                }
                calls.removeLast()
                if let parent = calls.last?.schema { low[parent] = min(low[parent], low[schema]) }
                guard low[schema] == order[schema] else { continue }
                var size = 0
                while let member = stack.popLast() {
                    onStack[member] = false
                    component[member] = schema
                    size += 1
                    if member == schema { break }
                }
                if size == 1, !edges[schema].contains(Int32(schema)) { component[schema] = -1 - schema }
            }
        }
        return component
    }
}
