package import Core
internal import Log
internal import RedisDriver
internal import Replay

/// What was read of the past, and how long it took.
package struct HistoryCoverage: Sendable, Equatable {
    package let from: Position
    package let through: Position
    /// The first position that is left, when older ones of the range are gone for good.
    package internal(set) var begins: Position?
    package internal(set) var first: Position?
    package internal(set) var last: Position?
    /// Where to go on; nil when the end was reached.
    package internal(set) var next: Position?
    /// Messages that were read, also those that nobody asked about.
    package internal(set) var messages = 0
    package internal(set) var elapsed: Duration = .zero

    package var isComplete: Bool { next == nil }

    package var rate: Int {
        let seconds = elapsed / .seconds(1)
        return seconds > 0 ? Int((Double(messages) / seconds).rounded()) : 0
    }

    /// `"complete", "next", "from", "through", "begins", "first", "last", "read", "elapsed_ms", "messages_per_second"`
    func add(to object: inout JSONObject) {
        object.add("complete", isComplete)
        add("next", next, to: &object)
        object.add("from", from.description)
        object.add("through", through.description)
        add("begins", begins, to: &object)
        add("first", first, to: &object)
        add("last", last, to: &object)
        object.add("read", messages)
        object.add("elapsed_ms", Int(elapsed / .milliseconds(1)))
        object.add("messages_per_second", rate)
    }

    private func add(_ key: StaticString, _ position: Position?, to object: inout JSONObject) {
        if let position { object.add(key, position.description) } else { object.addNull(key) }
    }
}

/// Goes over a range of the past message by message, within limits, until it is told to stop.
struct HistoryWalk {
    let place: HistoryPlace
    let session: RedisSession
    let limits: HistoryLimits
    let stop: StopSignal
    let progress: (HistoryProgress) -> Void
    let start = ContinuousClock.now

    /// Messages between two looks at the clock: a few milliseconds, even where each costs as much as the policy allows some tenths of a second.
    private static let stride = 64

    /// - Parameters:
    ///   - topics: only messages on these are read; none for all.
    ///   - visit: gets the messages in order.
    func go(
        over range: HistoryRange, reading topics: [SubjectPattern], archive: ArchiveConnection, _ visit: (DecidedMessage) throws(HistoryError) -> Void
    ) throws(HistoryError) -> HistoryCoverage {
        let through: Position
        if let asked = range.through { through = asked } else { through = try decidedThrough() }
        var coverage = HistoryCoverage(from: range.from, through: through)
        let reader = HistoryReader(from: range.from, through: through, topics: topics, keys: place.keys, session: session, archive: archive.open)
        walk: while true {
            let chunk = try reader.next()
            coverage.begins = reader.begins
            if chunk.isEmpty {
                if stop.isRequested { coverage.next = reader.after.next }
                break
            }
            for one in chunk {
                if coverage.messages % HistoryWalk.stride == 0, coverage.messages > 0, isEnough(coverage.messages) {
                    coverage.next = one.position
                    break walk
                }
                try visit(one)
                if coverage.first == nil { coverage.first = one.position }
                coverage.last = one.position
                coverage.messages += 1
            }
            progress(
                HistoryProgress(
                    messages: coverage.messages, position: reader.after, from: max(coverage.first ?? range.from, range.from), through: through,
                    elapsed: ContinuousClock.now - start))
        }
        coverage.elapsed = ContinuousClock.now - start
        return coverage
    }

    private func isEnough(_ messages: Int) -> Bool {
        stop.isRequested || messages >= limits.messagesMax || ContinuousClock.now - start >= limits.timeMax
    }

    private func decidedThrough() throws(HistoryError) -> Position {
        do throws(RedisError) { return try StreamExtent.read(.verdicts, keys: place.keys, session).last } catch { throw .log(error) }
    }
}
