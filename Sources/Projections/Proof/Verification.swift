package import Core

/// How far a verification is.
package struct VerifyProgress: Sendable {
    package let entries: Int64
    package let entriesTotal: Int64
    package let position: Position
}

/// What a verification found.
package struct Verification: Sendable {
    package struct RowDifference: Sendable, Equatable {
        package enum Kind: String, Sendable {
            /// In both, and not the same.
            case differs
            /// The log gives this row, the table lacks it.
            case missing
            /// The table has this row, the log does not give it.
            case extra
            /// The row's digest is not that of its bytes.
            case digest
            /// The row's position is not that of the last event that touched it.
            case position
        }
        package let kind: Kind
        package let key: String
        /// From the log.
        package let expected: String?
        /// From the table.
        package let found: String?
    }

    /// A member of the checkpoint that is not what the log gives.
    package struct CheckpointDifference: Sendable, Equatable {
        package let field: String
        package let expected: String
        package let found: String
    }

    package let name: String
    package let generation: Int
    /// The checkpoint: the rows are compared as of here.
    package let position: Position
    package let entries: Int64
    package let events: Int64
    package let rows: Int64
    /// From the log.
    package let digest: String
    /// Recorded digests that were compared, and the last of those that agree.
    package let digestsCompared: Int
    package let lastEqual: Position?
    /// The first recorded digest that the log does not give.
    package let firstDifferent: Position?
    package let checkpoint: [CheckpointDifference]
    package let differences: [RowDifference]
    /// Also those that are not listed.
    package let differencesTotal: Int

    package var isEqual: Bool { firstDifferent == nil && checkpoint.isEmpty && differencesTotal == 0 }

    package var json: [UInt8] {
        var object = JSONObject()
        object.add("projection", name)
        object.add("generation", generation)
        object.add("equal", isEqual)
        object.add("position", position.description)
        object.add("entries", Int(entries))
        object.add("events", Int(events))
        object.add("rows", Int(rows))
        object.add("digest", digest)
        object.add("digests_compared", digestsCompared)
        if let lastEqual { object.add("last_equal", lastEqual.description) }
        if let firstDifferent { object.add("first_different", firstDifferent.description) }
        object.add(
            "checkpoint",
            raw: JSONList.of(checkpoint) { item in
                var inner = JSONObject()
                inner.add("field", item.field)
                inner.add("expected", item.expected)
                inner.add("found", item.found)
                return inner.finish()
            })
        object.add(
            "differences",
            raw: JSONList.of(differences) { item in
                var inner = JSONObject()
                inner.add("kind", item.kind.rawValue)
                inner.add("key", item.key)
                if let expected = item.expected { inner.add("expected", expected) }
                if let found = item.found { inner.add("found", found) }
                return inner.finish()
            })
        object.add("differences_total", differencesTotal)
        return object.finish()
    }

    /// For people, one line a finding.
    package var text: String {
        var lines: [String] = []
        if isEqual {
            lines.append("\(name): \(rows) rows at \(position) are what the log gives (\(events) events, \(digestsCompared) digests compared)")
            lines.append("digest \(digest)")
            return lines.joined(separator: "\n")
        }
        lines.append("\(name): generation \(generation) is not what the log gives")
        if let firstDifferent {
            lines.append("  first differing position: \(firstDifferent)" + (lastEqual.map { " (equal up to \($0))" } ?? " (the first recorded digest)"))
        }
        for item in checkpoint { lines.append("  checkpoint: \(item.field) is \(item.found), the log gives \(item.expected)") }
        for item in differences {
            lines.append("  row '\(item.key)' \(item.kind.phrase)")
            if let expected = item.expected { lines.append("    log:   \(expected)") }
            if let found = item.found { lines.append("    table: \(found)") }
        }
        if differencesTotal > differences.count { lines.append("  and \(differencesTotal - differences.count) more rows") }
        return lines.joined(separator: "\n")
    }
}

extension Verification.RowDifference.Kind {
    fileprivate var phrase: String {
        switch self {
        case .differs: "differs"
        case .missing: "is missing from the table"
        case .extra: "is in the table only"
        case .digest: "has a digest that is not that of its bytes"
        case .position: "has another position"
        }
    }
}

/// A JSON array of values that are JSON already.
enum JSONList {
    static func of<T>(_ items: [T], _ json: (T) -> [UInt8]) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for (index, item) in items.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: json(item))
        }
        out.append(UInt8(ascii: "]"))
        return out
    }
}
