package import Core
internal import Foundation

/// The newest decided messages, kept by the process whose router decided them: its followers need not read back from Redis what this process
/// has just written there.
///
/// It is a copy of the log's end and no truth of its own. Between `floor` and `head` it holds every entry of `messages`, each with its verdict, without a
/// hole; whatever lies elsewhere is read from the log. Who waits here waits a bounded time and then looks at the log, so a router that stands still,
/// or acts in another process, holds nobody up.
/// - Bounds: the entries and bytes given at the start; the oldest go first.
package final class DecidedTail: Sendable {
    /// What stands behind a cursor.
    package enum Answer: Sendable {
        /// The next messages, at least one.
        case messages([DecidedMessage])
        /// Nothing yet; `wait` for it.
        case upToDate
        /// It is not here: ask the log.
        case elsewhere
    }

    private struct State {
        var entries: [DecidedMessage] = []
        /// Entries before this one have gone; they are removed many at a time.
        var first = 0
        var bytes = 0
        /// Everything behind this is here; nil while nothing is known.
        var floor: Position?
        var head: Position?
        /// Until when it counts as kept up.
        var keptUntil = ContinuousClock.now
    }

    private let condition = NSCondition()
    // Guarded by `condition`, on which followers wait as well.
    nonisolated(unsafe) private var state = State()
    private let entriesMax: Int
    private let bytesMax: Int

    /// How long a router that says nothing is taken for one that acts: it says so several times a second.
    private static let patience = Duration.seconds(1)

    package init(entriesMax: Int = Limits.decidedTailEntriesMax, bytesMax: Int = Limits.decidedTailBytesMax) {
        self.entriesMax = entriesMax
        self.bytesMax = bytesMax
    }

    // MARK: The router's side

    /// The router begins to act, or has to begin anew: nothing is known of what was decided meanwhile.
    package func forget() {
        locked { $0 = State() }
    }

    /// The router acts, and decides everything that is decided.
    package func keep() {
        condition.withLock { state.keptUntil = .now + DecidedTail.patience }
    }

    /// Adds what the log has taken, in order and right behind what was added before.
    package func append(_ batch: [DecidedMessage]) {
        guard let first = batch.first, let last = batch.last else { return }
        locked { state in
            precondition(state.head.map { $0 < first.position } ?? true, "decided messages come in order")
            if state.floor == nil { state.floor = first.position.previous }
            state.entries.append(contentsOf: batch)
            state.bytes += batch.reduce(0) { $0 + $1.message.bytes.count }
            state.head = last.position
            let count = state.entries.count
            while state.first < count, count - state.first > entriesMax || state.bytes > bytesMax {
                let gone = state.entries[state.first]
                state.bytes -= gone.message.bytes.count
                state.floor = gone.position
                state.first += 1
            }
            if state.first > count / 2 {
                state.entries.removeFirst(state.first)
                state.first = 0
            }
        }
    }

    /// Something up to `position` went another way: it is in the log alone.
    package func restart(at position: Position) {
        locked { state in
            state.entries.removeAll()
            state.first = 0
            state.bytes = 0
            state.floor = position
            state.head = position
        }
    }

    // MARK: The followers' side

    /// The messages behind `cursor`: at most `count`, and no more once they have `bytes` bytes.
    ///
    /// - Cost: a binary search, then one reference a message.
    package func read(after cursor: Position, count: Int, bytes: Int = Limits.readBatchBytesTarget) -> Answer {
        condition.withLock {
            guard let floor = state.floor, let head = state.head, cursor >= floor, cursor <= head else { return .elsewhere }
            if cursor == head { return state.keptUntil > .now ? .upToDate : .elsewhere }
            var low = state.first
            var high = state.entries.count
            while low < high {
                let middle = (low + high) / 2
                if state.entries[middle].position > cursor { high = middle } else { low = middle + 1 }
            }
            var out: [DecidedMessage] = []
            out.reserveCapacity(min(count, state.entries.count - low))
            var size = 0
            while low < state.entries.count, out.count < count, size < bytes {
                out.append(state.entries[low])
                size += state.entries[low].message.bytes.count
                low += 1
            }
            return .messages(out)
        }
    }

    /// Are the messages behind `cursor` here, should there be any?
    package func covers(_ cursor: Position) -> Bool {
        condition.withLock { state.floor.map { cursor >= $0 } ?? false && state.head.map { cursor <= $0 } ?? false }
    }

    /// Is it worth waiting here for what follows `cursor`? Where the router has stopped acting, what comes is in the log alone.
    package func isKept(at cursor: Position) -> Bool {
        condition.withLock { state.keptUntil > .now && state.floor.map { cursor >= $0 } ?? false && state.head.map { cursor <= $0 } ?? false }
    }

    /// Waits until something stands behind `cursor` here, at most `wait`; false when the log has to be asked.
    package func wait(after cursor: Position, _ wait: Duration) -> Bool {
        let end = Date(timeIntervalSinceNow: wait / .seconds(1))
        condition.lock()
        defer { condition.unlock() }
        while state.head == cursor, state.keptUntil > .now, Date() < end { _ = condition.wait(until: end) }
        return state.head.map { $0 > cursor } ?? false
    }

    private func locked(_ body: (inout State) -> Void) {
        condition.withLock {
            body(&state)
            condition.broadcast()
        }
    }
}
