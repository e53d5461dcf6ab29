package import Core

/// A page of rows that is asked for: conditions that all hold, in order of the key, behind a key.
package struct RowQuery: Sendable {
    package let definition: ProjectionDefinition
    package let filters: [RowFilter]
    package let after: String?
    package let limit: Int

    /// - Parameters:
    ///   - parameters: fields with their values, see `RowFilter`; all must hold.
    ///   - after: the last key of the page before.
    /// - Throws: `.invalid` that says which fields and operators exist.
    package init(_ definition: ProjectionDefinition, _ parameters: [(name: String, value: String)] = [], after: String? = nil, limit: Int = 100)
        throws(ProjectionError)
    {
        guard (1...Limits.pageRowsMax).contains(limit) else { throw .invalid("limit is 1 to \(Limits.pageRowsMax)") }
        guard parameters.count <= RowQuery.filtersMax else { throw .invalid("at most \(RowQuery.filtersMax) filters") }
        if let after, after.utf8.contains(0) { throw .invalid("the cursor is no key") }
        self.definition = definition
        self.after = after
        self.limit = limit
        var filters: [RowFilter] = []
        for (name, value) in parameters { filters.append(try RowFilter(name, value, of: definition)) }
        self.filters = filters
    }

    /// More only come from mistakes.
    private static let filtersMax = 64
}

/// A row as it is read.
package struct ProjectionRowText: Sendable, Equatable {
    package let key: String
    /// JSON of an object.
    package let json: [UInt8]
    /// The last event that touched it.
    package let position: Position
}

/// Rows in order of their keys, all of one moment.
package struct RowPage: Sendable {
    package let rows: [ProjectionRowText]
    /// Everything up to here is in the rows.
    package let position: Position
    package let generation: Int
    /// What to give as `after` for the next page; nil when this is the last.
    package let next: String?
}
