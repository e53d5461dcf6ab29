internal import Core

/// Applies filters to a row in memory; the SQL of `RowStatement` means the same.
enum RowMatcher {
    static func matches(_ row: ProjectionRowText, _ filters: [RowFilter]) -> Bool {
        if filters.isEmpty { return true }
        let document = filters.contains { !$0.column.path.isEmpty } ? try? JSONDocument(row.json) : nil
        return filters.allSatisfy { filter in
            let text = filter.column.path.isEmpty ? row.key : document.flatMap { RowMatcher.text($0.root, filter.column.path) }
            guard let text, let value = RowFilter.value(text, filter.column.kind) else { return false }
            return holds(value, filter)
        }
    }

    /// What `#>>` gives: a string without its quotes, any other value as its JSON text, nothing for null and what is not there.
    private static func text(_ root: JSONNode, _ path: [String]) -> String? {
        var node = root
        for name in path {
            guard let next = node[name] else { return nil }
            node = next
        }
        if node.isNull { return nil }
        return node.string ?? String(decoding: node.text, as: UTF8.self)
    }

    private static func holds(_ value: RowFilter.Value, _ filter: RowFilter) -> Bool {
        switch filter.comparison {
        case .equal, .any: filter.values.contains { order(value, $0) == 0 }
        case .greater: order(value, filter.values[0]) > 0
        case .greaterOrEqual: order(value, filter.values[0]) >= 0
        case .less: order(value, filter.values[0]) < 0
        case .lessOrEqual: order(value, filter.values[0]) <= 0
        case .prefix: if case .text(let text) = value, case .text(let start) = filter.values[0] { text.utf8.starts(with: start.utf8) } else { false }
        }
    }

    /// Both are of the column's kind.
    private static func order(_ a: RowFilter.Value, _ b: RowFilter.Value) -> Int {
        switch (a, b) {
        case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8) ? 0 : KeyOrder.isBefore(a, b) ? -1 : 1
        case (.integer(let a), .integer(let b)): a == b ? 0 : a < b ? -1 : 1
        case (.time(let a), .time(let b)): a == b ? 0 : a < b ? -1 : 1
        case (.number(let a), .number(let b)): a == b ? 0 : a < b ? -1 : 1
        case (.boolean(let a), .boolean(let b)): a == b ? 0 : a ? 1 : -1
        default: preconditionFailure("a filter's values are of its column's kind")
        }
    }
}
