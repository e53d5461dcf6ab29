package import Log

/// A view of the log: rows by key, each the fold of the events that concern it.
///
/// `keys` and `apply` are pure: no clock, no randomness, no I/O; time is the entry's own. So the same log gives the same rows, byte for byte,
/// on every machine, and a rebuild can be checked against what was there. To add one, write a type like those in `BuiltIn` and name it in
/// `ProjectionCatalog`; docs/projections.md walks through an example.
package protocol Projection: Sendable {
    associatedtype Row: ProjectionRow

    var definition: ProjectionDefinition { get }

    /// The rows that an event concerns, each once; none when it concerns none.
    ///
    /// - Throws: `ProjectionFault` for an event that this projection should understand and does not.
    func keys(of event: LogEvent) throws(ProjectionFault) -> [String]

    /// Folds the event into the row with this key; nil when there is none, and to remove it.
    func apply(_ event: LogEvent, to row: inout Row?, key: String) throws(ProjectionFault)
}

/// A row as JSON, both ways. Writing what was read must give the same bytes.
package protocol ProjectionRow: Sendable {
    /// An object; the same row always gives the same bytes.
    var json: [UInt8] { get }
    init?(json: [UInt8])
}

/// What a projection is, apart from its fold.
package struct ProjectionDefinition: Sendable {
    /// Lower case, digits and dashes; names the view in PostgreSQL (dashes become underscores).
    package let name: String
    /// Raised whenever `apply` gives other rows than before: the next start then rebuilds beside the old rows.
    package let version: Int
    /// Read in order of their positions; `.verdicts` gives decided messages.
    package let streams: [StreamName]
    package let purpose: String
    /// Columns of the view in PostgreSQL, and the fields by which REST filters.
    package let columns: [ProjectionColumn]
    package let onFault: FaultPolicy

    package init(name: String, version: Int, streams: [StreamName], purpose: String, columns: [ProjectionColumn], onFault: FaultPolicy = .park) {
        self.name = name
        self.version = version
        self.streams = streams
        self.purpose = purpose
        self.columns = columns
        self.onFault = onFault
    }
}

/// A member of the row that is a column in PostgreSQL.
package struct ProjectionColumn: Sendable {
    package enum Kind: String, Sendable { case text, integer = "int8", number = "float8", boolean = "bool", time = "timestamptz", json }
    package let name: String
    package let kind: Kind
    /// Where it stands in the row: member names from the outside in.
    package let path: [String]

    package init(_ name: String, _ kind: Kind, path: [String]? = nil) {
        self.name = name
        self.kind = kind
        self.path = path ?? [name]
    }
}

/// What becomes of an event that cannot be applied.
package enum FaultPolicy: String, Sendable, CaseIterable {
    /// Counted and passed over.
    case skip
    /// Passed over and kept, so that it can be looked at and tried again.
    case park
    /// The projection stands still until somebody acts; the others go on.
    case stop
}

/// Why an event cannot be applied.
package struct ProjectionFault: Error, Equatable, Sendable {
    package let detail: String
    package init(_ detail: String) { self.detail = detail }
}
