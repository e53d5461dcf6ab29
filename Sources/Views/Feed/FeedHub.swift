internal import Core
internal import Foundation
internal import HTTPTypes
package import Log
internal import Logging
internal import NIOConcurrencyHelpers
package import RedisDriver
internal import Web

/// The live feed: one reader of the log's end for all followers of this process.
///
/// The feed is pulled and drops nothing. The hub keeps the newest messages, rendered once, in a ring. A follower has a cursor and
/// pulls behind it: from the ring, else from the log, else, where the log has been trimmed, from the archive. Who is slow falls
/// behind and reads at its own pace; it holds one batch in memory and delays nobody. It is let go only when it has taken nothing
/// for `ViewLimits.feedStallMax`, and can resume where it was.
package final class FeedHub: Sendable {
    enum Pull {
        case entries([FeedEntry])
        /// Read `history`.
        case behind
        /// Something may have come, or it is time for a sign of life: pull again.
        case again
        /// The hub stops, or the follower has left.
        case ended
    }

    private struct Waiter {
        let continuation: CheckedContinuation<Pull, Never>
        let deadline: ContinuousClock.Instant
    }
    private struct State {
        var ring = FeedRing(at: .zero)
        /// The ring stands at the end of a log that was reached at least once.
        var isStarted = false
        var isClosed = false
        var followers: Set<Int> = []
        var waiting: [Int: Waiter] = [:]
        var nextID = 0
    }
    typealias Work = @Sendable () async -> Void

    let history: FeedHistory
    /// How long a follower may take nothing.
    let stallMax: Duration
    private let endpoint: RedisEndpoint
    private let live: LiveConfig
    private let hot: HotFeed
    private let reader: LogReader
    private let tail: DecidedTail
    private let state = NIOLockedValueBox(State())
    private let works: AsyncStream<Work>
    private let hire: AsyncStream<Work>.Continuation
    private let log = Logger(label: "meshlog.feed")
    private let followers: Gauge
    private let batch: Histogram
    private let age: Histogram
    private let passed: Counter

    /// - Parameter tail: of the router in this process.
    package init(
        endpoint: RedisEndpoint, keys: LogKeys, stores: Stores, live: LiveConfig, tail: DecidedTail = DecidedTail(), metrics: Metrics,
        stallMax: Duration = ViewLimits.feedStallMax
    ) {
        self.tail = tail
        self.live = live
        self.endpoint = endpoint
        self.stallMax = stallMax
        history = FeedHistory(stores: stores, keys: keys)
        hot = HotFeed(keys: keys)
        reader = LogReader(keys: keys)
        (works, hire) = AsyncStream.makeStream(of: Work.self, bufferingPolicy: .bufferingOldest(Limits.feedFollowersMax))
        followers = metrics.gauge("meshlog_feed_followers", help: "Followers of the live feed")
        batch = metrics.sizes("meshlog_stage_batch_entries", help: "Entries in one step of a stage", ["stage": "feed"])
        age = metrics.latency("meshlog_stage_age_seconds", help: "From an entry's append to its passing the stage", ["stage": "feed"])
        passed = metrics.counter("meshlog_stage_entries_total", help: "Entries that passed a stage", ["stage": "feed"])
    }

    /// Serves until shutdown, once; then all followers end.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { [self] in
                await WorkerThread.run("feed") { [self] stop in tail(stop) }
                end()
            }
            for await work in works { group.addTask { await work() } }
        }
    }

    // MARK: Followers

    /// The newest position that the hub has seen; following from here on misses nothing that is decided later.
    ///
    /// - Throws: 503 when there are too many followers, or the log has not been reached yet.
    func start() throws(ProblemDocument) -> Position {
        let state = state.withLockedValue { (full: $0.followers.count >= Limits.feedFollowersMax, ready: $0.isStarted && !$0.isClosed, head: $0.ring.head) }
        if state.full {
            throw ProblemDocument(
                "feed-full", status: 503, title: "Too many follow the feed", detail: "At most \(Limits.feedFollowersMax) followers are served by one process.",
                headers: [.retryAfter: "5"])
        }
        guard state.ready else {
            throw ProblemDocument(
                "log-unavailable", status: 503, title: "The log cannot be reached", detail: "The feed has not reached Redis yet; /readyz says since when.",
                headers: [.retryAfter: "1"])
        }
        return state.head
    }

    /// The log has been reached once: from then on it can be followed.
    package var hasBegun: Bool { state.withLockedValue(\.isStarted) }

    /// Counts a follower in; nil when there are too many, or the hub has stopped. Every id must `leave`.
    func join() -> Int? {
        let id: Int? = state.withLockedValue { state in
            guard !state.isClosed, state.followers.count < Limits.feedFollowersMax else { return nil }
            state.nextID += 1
            state.followers.insert(state.nextID)
            return state.nextID
        }
        if id != nil { followers.add(1) }
        return id
    }

    /// The follower ends: its `pull` returns `ended`, now and later. Repeating it changes nothing.
    func leave(_ id: Int) {
        let (left, waiter) = state.withLockedValue { ($0.followers.remove(id) != nil, $0.waiting.removeValue(forKey: id)) }
        if left { followers.add(-1) }
        waiter?.continuation.resume(returning: .ended)
    }

    /// Runs a follower's work among the hub's tasks; false when the hub does not take it.
    func run(_ work: @escaping Work) -> Bool {
        if case .enqueued = hire.yield(work) { true } else { false }
    }

    /// What stands behind `cursor`; waits for it until `deadline` when nothing does.
    ///
    /// - Parameter knowsPast: the follower has read what an earlier log left in the archive, or does not want it.
    /// - Shape: one call of a follower at a time.
    func pull(_ id: Int, after cursor: Position, knowsPast: Bool, until deadline: ContinuousClock.Instant) async -> Pull {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Pull? = state.withLockedValue { state in
                    guard !state.isClosed, state.followers.contains(id) else { return .ended }
                    // A ring that begins with the log itself does not say what was before.
                    if !knowsPast, state.ring.floor == .zero { return .behind }
                    switch state.ring.batch(after: cursor, count: ViewLimits.feedBatchEntriesMax, bytesTarget: ViewLimits.feedBatchBytesTarget) {
                    case .entries(let entries): return .entries(entries)
                    case .behind: return .behind
                    case .upToDate:
                        precondition(state.waiting[id] == nil, "a follower pulls once at a time")
                        state.waiting[id] = Waiter(continuation: continuation, deadline: deadline)
                        return nil
                    }
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            leave(id)
        }
    }

    // MARK: The thread

    private func tail(_ stop: StopSignal) {
        var backoff = Backoff()
        var isFailing = false
        while !stop.isRequested {
            do {
                let session = try RedisSession(endpoint, name: "meshlog-feed", timeout: .seconds(10))
                while !stop.isRequested {
                    try step(session, stop)
                    backoff.reset()
                    isFailing = false
                }
            } catch {
                if !isFailing { log.warning("the feed cannot read the log, will try again", metadata: ["reason": "\(error)"]) }
                isFailing = true
                let pause = backoff.next()
                wake(onlyOverdue: true)
                stop.wait(for: pause)
            }
        }
    }

    private func step(_ session: RedisSession, _ stop: StopSignal) throws(RedisError) {
        let (isStarted, isFollowed, head) = state.withLockedValue { ($0.isStarted, !$0.followers.isEmpty, $0.ring.head) }
        guard isStarted, isFollowed else {
            let last = try reader.bounds(.verdicts, session).last
            // Who has just come may wait behind the old place.
            if restart(at: last) { wake(onlyOverdue: false) }
            // Nobody looks: rendering would be for nothing. The place is kept, so that a follower begins near now.
            if isFollowed { return }
            if try reader.awaitEntry(.verdicts, after: last, wait: ViewLimits.feedWait, session) { stop.wait(for: ViewLimits.feedIdlePause) }
            return
        }
        switch tail.read(after: head, count: Limits.readBatchMax, bytes: Limits.feedRingBytesMax / 4) {
        case .messages(let messages): return show(messages)
        case .upToDate:
            // Nothing comes from anywhere else; what did is found by the look into the log after a quiet wait.
            if tail.wait(after: head, ViewLimits.feedWait) { return }
        case .elsewhere: break
        }
        let page = try hot.read(after: head, count: Limits.readBatchMax, bytes: Limits.feedRingBytesMax / 4, session)
        let end = page.messages.last?.position ?? page.last
        if !page.isWhole, end > head {
            // The hub itself has been away for longer than the log keeps: followers find the rest in the archive.
            restart(at: end)
        } else if page.messages.isEmpty {
            _ = try reader.awaitEntry(.verdicts, after: head, wait: ViewLimits.feedWait, session)
            wake(onlyOverdue: true)
            return
        } else {
            return show(page.messages)
        }
        wake(onlyOverdue: false)
    }

    private func show(_ messages: [DecidedMessage]) {
        let entries = messages.map { FeedEntry($0) }
        let most = live.state.table.integer(.feedHistory).map { Int($0) } ?? Limits.feedRingEntriesMax
        state.withLockedValue {
            $0.ring.entriesMax = most
            $0.ring.append(entries)
        }
        count(entries)
        wake(onlyOverdue: false)
    }

    /// - Returns: whether the ring now stands elsewhere.
    @discardableResult
    private func restart(at head: Position) -> Bool {
        state.withLockedValue { state in
            let moves = !state.isStarted || state.ring.head != head
            if moves { state.ring.restart(at: head) }
            state.isStarted = true
            return moves
        }
    }

    private func count(_ entries: [FeedEntry]) {
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        for entry in entries { age.record(Int(max(0, now - entry.position.microseconds))) }
        batch.record(entries.count)
        passed.add(entries.count)
    }

    /// Lets followers pull again: one notification for each that waits, however many entries came.
    private func wake(onlyOverdue: Bool) {
        let now = ContinuousClock.now
        let woken: [Waiter] = state.withLockedValue { state in
            guard onlyOverdue else {
                defer { state.waiting.removeAll(keepingCapacity: true) }
                return Array(state.waiting.values)
            }
            let overdue = state.waiting.filter { $0.value.deadline <= now }
            for id in overdue.keys { state.waiting[id] = nil }
            return Array(overdue.values)
        }
        for waiter in woken { waiter.continuation.resume(returning: .again) }
    }

    private func end() {
        let woken: [Waiter] = state.withLockedValue { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in woken { waiter.continuation.resume(returning: .ended) }
        hire.finish()
    }
}
