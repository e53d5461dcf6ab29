package import Core
internal import Log

/// The state of a projection in memory: its rows as far as they are known, what changed since the last commit, and the digest of all.
///
/// A pure machine: events go in, changed rows come out. Where the rows lie in the end, and how missing ones are found, is its owner's.
package struct Fold<P: Projection>: Sendable {
    package let projection: P
    /// Everything up to here is folded.
    package private(set) var position: Position
    /// Events that concerned this projection.
    package private(set) var events: Int64
    /// Rows in all, also those not in memory; as of the last `commit`.
    package private(set) var count: Int64
    /// The digest of all rows; as of the last `commit`.
    package private(set) var digest: StateDigest
    /// Slots by `index(of:)` of their keys.
    private var places: [String: Int] = [:]
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var changed: [Int] = []
    /// Of the stream of the last event, in the order in which the definition names them: two streams may use the same id.
    private var rank = Int.max
    private let streams: [StreamName]

    private struct Slot: Sendable {
        let key: String
        var row: P.Row?
        /// Of the last event that touched the row.
        var position: Position
        /// Of the row as committed; nil when it is not there.
        var committed: StateDigest?
        var isChanged = false
    }

    /// - Parameters:
    ///   - digest: of all rows at `position`.
    ///   - count: of all rows at `position`.
    package init(_ projection: P, position: Position = .zero, events: Int64 = 0, count: Int64 = 0, digest: StateDigest = StateDigest()) {
        self.projection = projection
        self.position = position
        self.events = events
        self.count = count
        self.digest = digest
        streams = projection.definition.streams
    }

    /// Rows held in memory.
    package var held: Int { places.count }

    /// Rows touched since the last commit.
    package var touched: Int { changed.count }

    /// Of the keys that an event concerns, those whose rows must be put in before it is applied (unless the owner holds all rows).
    package func missing(_ keys: [String]) -> [String] { keys.filter { places[Fold.index(of: $0)] == nil } }

    /// Puts in a row as committed elsewhere; nil says that there is none.
    package mutating func put(_ key: String, _ row: P.Row?, digest: StateDigest?, position: Position = .zero) {
        let index = Fold.index(of: key)
        if places[index] == nil { add(Slot(key: key, row: row, position: position, committed: digest), index) }
    }

    /// Makes room for so many rows.
    mutating func reserve(_ count: Int) {
        places.reserveCapacity(count)
        slots.reserveCapacity(count)
    }

    package func row(_ key: String) -> P.Row? { places[Fold.index(of: key)].flatMap { slots[$0].row } }

    /// The last event that touched a row; nil when there is no row.
    package func position(of key: String) -> Position? {
        places[Fold.index(of: key)].flatMap { slots[$0].row == nil ? nil : slots[$0].position }
    }

    /// All rows in memory, in no order.
    package var rows: some Sequence<(String, P.Row)> {
        places.values.lazy.compactMap { place in slots[place].row.map { (slots[place].key, $0) } }
    }

    // MARK: Folding

    /// Folds one event that lies behind those before it (another is passed over: it is folded already).
    ///
    /// - Returns: the keys it concerned.
    /// - Throws: `ProjectionFault`; then nothing has changed but the position.
    @discardableResult
    package mutating func apply(_ event: LogEvent) throws(ProjectionFault) -> [String] {
        guard isNext(event) else { return [] }
        return try fold(event, try keys(of: event))
    }

    /// The rows that an event concerns.
    ///
    /// - Throws: also for a key that no table takes.
    func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
        let keys = try projection.keys(of: event)
        for key in keys {
            guard !key.isEmpty, key.utf8.count <= ProjectionLimits.keyBytesMax, !key.utf8.contains(0) else {
                throw ProjectionFault("a key of it has \(key.utf8.count) bytes; keys have 1 to \(ProjectionLimits.keyBytesMax), without U+0000")
            }
        }
        return keys
    }

    /// As `apply`, for an owner that has asked for the keys before.
    mutating func apply(_ event: LogEvent, keys: [String]) throws(ProjectionFault) {
        guard isNext(event) else { return }
        _ = try fold(event, keys)
    }

    /// Folds an event out of turn: one that was parked, and is tried again.
    package mutating func applyAgain(_ event: LogEvent) throws(ProjectionFault) { _ = try fold(event, try keys(of: event)) }

    private mutating func isNext(_ event: LogEvent) -> Bool {
        if event.position < position { return false }
        let of = streams.count == 1 ? 0 : streams.firstIndex(of: event.stream) ?? 0
        if event.position == position, of <= rank { return false }
        position = event.position
        rank = of
        return true
    }

    private mutating func fold(_ event: LogEvent, _ keys: [String]) throws(ProjectionFault) -> [String] {
        if keys.isEmpty { return keys }
        if keys.count == 1 {
            try fold(event, keys[0])
        } else {
            // All rows or none: a fault in the last must not leave the first changed.
            var before: [Slot?] = []
            for key in keys { before.append(places[Fold.index(of: key)].map { slots[$0] }) }
            let changedBefore = changed.count
            do throws(ProjectionFault) {
                for key in keys { try fold(event, key) }
            } catch {
                changed.removeLast(changed.count - changedBefore)
                for (key, slot) in zip(keys, before) {
                    let index = Fold.index(of: key)
                    if let slot, let place = places[index] { slots[place] = slot } else { remove(index) }
                }
                throw error
            }
        }
        events += 1
        return keys
    }

    private mutating func fold(_ event: LogEvent, _ key: String) throws(ProjectionFault) {
        let index = Fold.index(of: key)
        if let place = places[index] {
            let before = slots[place].row
            do throws(ProjectionFault) {
                try projection.apply(event, to: &slots[place].row, key: key)
            } catch {
                slots[place].row = before
                throw error
            }
            slots[place].position = event.position
            if !slots[place].isChanged {
                slots[place].isChanged = true
                changed.append(place)
            }
        } else {
            var slot = Slot(key: key, row: nil, position: event.position, committed: nil, isChanged: true)
            try projection.apply(event, to: &slot.row, key: key)
            changed.append(add(slot, index))
        }
    }

    /// Moves on over entries that concern nobody.
    package mutating func pass(_ position: Position) {
        guard position > self.position else { return }
        self.position = position
        rank = .max
    }

    // MARK: Committing

    /// What was touched since the last call; the digest and the count are of the state with it.
    ///
    /// A row that is touched and ends as it was is written again, because its position moves: so what lies in the table does not depend
    /// on where commits were made.
    ///
    /// - Cost: one SHA-256 and one JSON text for each changed row.
    package mutating func commit() -> [RowChange] {
        var out: [RowChange] = []
        out.reserveCapacity(changed.count)
        rank = .max
        for place in changed {
            let json = slots[place].row?.json
            let digest = json.map { StateDigest(key: slots[place].key, row: $0) }
            let old = slots[place].committed
            slots[place].isChanged = false
            if json != nil || old != nil {
                out.append(RowChange(key: slots[place].key, json: json, digest: digest, position: slots[place].position, isNew: old == nil))
            }
            if let old {
                self.digest &-= old
                count -= 1
            }
            if let digest {
                self.digest &+= digest
                count += 1
            }
            slots[place].committed = digest
        }
        for place in changed where slots[place].row == nil { remove(Fold.index(of: slots[place].key)) }
        changed.removeAll(keepingCapacity: true)
        return out
    }

    /// Forgets rows in memory; they must be put in again when they are needed. Only right after `commit`.
    package mutating func forget() {
        precondition(changed.isEmpty, "only committed rows can be forgotten")
        places = [:]
        slots = []
        free = []
    }

    // MARK: Slots

    @discardableResult
    private mutating func add(_ slot: Slot, _ index: String) -> Int {
        let place: Int
        if let reused = free.popLast() {
            slots[reused] = slot
            place = reused
        } else {
            place = slots.count
            slots.append(slot)
        }
        places[index] = place
        return place
    }

    private mutating func remove(_ index: String) {
        guard let place = places.removeValue(forKey: index) else { return }
        slots[place].row = nil
        free.append(place)
    }

    /// Keys differ when their bytes do. Swift's strings are equal when they look alike (`é` in one character or two), so those beyond ASCII
    /// are spelled out.
    private static func index(of key: String) -> String {
        for byte in key.utf8 where byte >= 0x80 || byte == 1 {
            var out = "\u{1}"
            for byte in key.utf8 { out += String(byte, radix: 16) + "." }
            return out
        }
        return key
    }
}
