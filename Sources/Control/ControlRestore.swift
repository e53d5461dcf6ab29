internal import Core

/// What must change so that documents are again what they were.
enum ControlRestore {
    static func changes(_ kinds: [ControlKind], from present: ControlState, to past: ControlState, author: ControlAuthor) -> [ControlChange] {
        kinds.flatMap { kind in
            let now = present.rows(kind)
            let then = past.rows(kind)
            return Set(now.keys).union(then.keys).sorted().compactMap { key -> ControlChange? in
                let row = now[key]
                let old = then[key]
                if row?.document == old?.document { return nil }
                let change: ControlEvent.Change = old == nil ? .deleted : row == nil ? .created : .updated
                let event = ControlEvent(
                    kind, change, key: key, document: old?.document ?? [], principal: author.principal, via: author.via, comment: author.comment,
                    restoredFrom: past.position)
                return ControlChange(event, expected: row.map { .at($0.revision) } ?? .none)
            }
        }
    }
}
