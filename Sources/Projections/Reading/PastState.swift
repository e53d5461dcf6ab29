package import Core

/// A row as it was.
package struct PastRow: Sendable {
    /// The state is that behind the last entry at or before the asked position.
    package let position: Position
    /// Nil when there was none.
    package let row: ProjectionRowText?
}

/// All rows as they were, in order of their keys.
package struct PastState: Sendable {
    package let definition: ProjectionDefinition
    /// The last entry folded: at or before the asked position.
    package let position: Position
    package let events: Int64
    package let digest: String
    package let rows: [ProjectionRowText]

    /// A page of the rows: the same filters with the same meaning as on the rows in PostgreSQL.
    package func page(_ query: RowQuery) -> RowPage {
        let start = query.after.map { after in rows.partitioningIndex { KeyOrder.isBefore(after, $0.key) } } ?? 0
        var found: [ProjectionRowText] = []
        for row in rows[start...] where RowMatcher.matches(row, query.filters) {
            // One more than asked for tells whether there is a next page.
            if found.count == query.limit { return RowPage(rows: found, position: position, generation: 0, next: found.last?.key) }
            found.append(row)
        }
        return RowPage(rows: found, position: position, generation: 0, next: nil)
    }
}

/// How rows differ between two positions.
package struct PastDifference: Sendable {
    package struct Change: Sendable, Equatable {
        package let key: String
        /// Nil when there was none.
        package let before: [UInt8]?
        package let after: [UInt8]?
        /// The last event that touched it.
        package let position: Position
    }
    package let from: Position
    package let to: Position
    /// In order of the keys.
    package let changes: [Change]
}

/// Keys are ordered by their bytes, as `COLLATE "C"` does.
enum KeyOrder {
    static func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

extension Array {
    /// The first index whose element satisfies a condition that holds for all elements behind it.
    fileprivate func partitioningIndex(_ holds: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
