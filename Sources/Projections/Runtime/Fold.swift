package import Core

/// The state of a projection in memory: its rows as far as they are known, what changed since the last commit, and the digest of all.
///
/// A pure machine: events go in, changed rows come out. Where the rows lie in the end, and how missing ones are found, is its owner's.
package struct Fold<P: Projection>: Sendable {
    package let projection: P
    /// Everything up to here is folded.
    package private(set) var position: Position
    /// Events that concerned this projection.
    package private(set) var events: Int64
    /// Rows in all, also those not in memory.
    package private(set) var count: Int64
    private var known: [String: Slot]
    private var changed: [String] = []
    private var sum: StateDigest

    private struct Slot: Sendable {
        var row: P.Row?
        /// Of the row as committed; nil when it is not there.
        var committed: StateDigest?
        var isChanged = false
    }

    /// A row that differs from what was committed; `json` is nil when it is to be removed.
    package struct Change: Sendable {
        package let key: String
        package let json: [UInt8]?
        package let digest: StateDigest?
        /// There was none before.
        package let isNew: Bool
    }

    /// - Parameters:
    ///   - digest: of all rows at `position`.
    ///   - count: of all rows at `position`.
    package init(_ projection: P, position: Position = .zero, events: Int64 = 0, count: Int64 = 0, digest: StateDigest = StateDigest()) {
        self.projection = projection
        self.position = position
        self.events = events
        self.count = count
        known = [:]
        sum = digest
    }

    /// The digest of all rows as of the last `commit`.
    package var digest: StateDigest { sum }

    /// Rows held in memory.
    package var held: Int { known.count }

    /// Of the keys that an event concerns, those whose rows must be put in before it is applied (unless the owner holds all rows).
    package func missing(_ keys: [String]) -> [String] { keys.filter { known[$0] == nil } }

    /// Puts in a row as committed elsewhere; nil says that there is none.
    package mutating func put(_ key: String, _ row: P.Row?, digest: StateDigest?) {
        if known[key] == nil { known[key] = Slot(row: row, committed: digest) }
    }

    package func row(_ key: String) -> P.Row? { known[key]?.row }

    /// All rows in memory, in no order.
    package var rows: some Sequence<(String, P.Row)> { known.lazy.compactMap { key, slot in slot.row.map { (key, $0) } } }

    /// Folds one event whose position lies behind `position` (another is passed over: it is folded already).
    ///
    /// - Returns: the keys it concerned.
    /// - Throws: `ProjectionFault`; then nothing has changed but the position.
    @discardableResult
    package mutating func apply(_ event: LogEvent) throws(ProjectionFault) -> [String] {
        guard event.position > position else { return [] }
        position = event.position
        return try fold(event)
    }

    /// Folds an event out of turn: one that was parked, and is tried again.
    package mutating func applyAgain(_ event: LogEvent) throws(ProjectionFault) { try fold(event) }

    @discardableResult
    private mutating func fold(_ event: LogEvent) throws(ProjectionFault) -> [String] {
        let keys = try projection.keys(of: event)
        if keys.count == 1 {
            try fold(event, keys[0])
        } else {
            // All rows or none: a fault in the last must not leave the first changed.
            let before = keys.map { ($0, known[$0]) }
            let changedBefore = changed.count
            do {
                for key in keys { try fold(event, key) }
            } catch {
                for (key, slot) in before { known[key] = slot }
                changed.removeLast(changed.count - changedBefore)
                throw error
            }
        }
        if !keys.isEmpty { events += 1 }
        return keys
    }

    private mutating func fold(_ event: LogEvent, _ key: String) throws(ProjectionFault) {
        var slot = known[key] ?? Slot(row: nil, committed: nil)
        // Taken out, so that the row is changed in place instead of copied.
        if known[key] != nil { known[key] = Slot(row: nil, committed: nil) }
        let before = slot.row
        do throws(ProjectionFault) {
            try projection.apply(event, to: &slot.row, key: key)
        } catch {
            slot.row = before
            if slot.row != nil || slot.committed != nil || slot.isChanged { known[key] = slot } else { known[key] = nil }
            throw error
        }
        if !slot.isChanged {
            slot.isChanged = true
            changed.append(key)
        }
        known[key] = slot
    }

    /// Moves on over entries that concern nobody.
    package mutating func pass(_ position: Position) { if position > self.position { self.position = position } }

    /// What changed since the last call; the digest and the count are of the state with it.
    ///
    /// - Cost: one SHA-256 and one JSON text for each changed row.
    package mutating func commit() -> [Change] {
        var out: [Change] = []
        out.reserveCapacity(changed.count)
        for key in changed {
            guard var slot = known[key] else { continue }
            let json = slot.row?.json
            let digest = json.map { StateDigest(key: key, row: $0) }
            slot.isChanged = false
            if digest != slot.committed {
                out.append(Change(key: key, json: json, digest: digest, isNew: slot.committed == nil))
                if let old = slot.committed {
                    sum &-= old
                    count -= 1
                }
                if let digest {
                    sum &+= digest
                    count += 1
                }
                slot.committed = digest
            }
            if slot.row == nil { known[key] = nil } else { known[key] = slot }
        }
        changed.removeAll(keepingCapacity: true)
        return out
    }

    /// Forgets rows in memory; they must be put in again when they are needed. Only right after `commit`.
    package mutating func forget() {
        precondition(changed.isEmpty, "only committed rows can be forgotten")
        known.removeAll(keepingCapacity: false)
    }
}
