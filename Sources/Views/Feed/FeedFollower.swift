internal import Core
internal import Log
internal import Logging

/// Where a follower's messages go.
protocol FeedSink: Sendable {
    /// Hands entries to the peer and returns when it has room for more.
    ///
    /// - Throws: when the peer is gone or takes nothing.
    func take(_ entries: [FeedEntry]) async throws
    /// A sign of life after a silence. Everything up to `cursor` has been looked at.
    func heartbeat(_ cursor: Position) async throws
}

/// One follower of the feed: pulls behind its cursor, filters, hands on.
struct FeedFollower<Sink: FeedSink>: Sendable {
    let hub: FeedHub
    /// From `FeedHub.join`.
    let id: Int
    let filter: MessageFilter
    let sink: Sink
    private let log = Logger(label: "meshlog.feed")

    init(hub: FeedHub, id: Int, filter: MessageFilter, sink: Sink) {
        self.hub = hub
        self.id = id
        self.filter = filter
        self.sink = sink
    }

    /// Follows until the hub stops or the follower leaves.
    ///
    /// - Parameter fromNow: `start` is where the feed stands: nothing older is wanted, whatever the archive has.
    /// - Throws: what the sink throws.
    func run(after start: Position, fromNow: Bool) async throws {
        var cursor = start
        var knowsPast = fromNow
        var spokenAt = ContinuousClock.now
        var backoff = Backoff(first: .milliseconds(100))
        var isFailing = false
        while true {
            if ContinuousClock.now - spokenAt >= ViewLimits.feedHeartbeat {
                try await sink.heartbeat(cursor)
                spokenAt = .now
            }
            var wanted: [FeedEntry] = []
            switch await hub.pull(id, after: cursor, knowsPast: knowsPast, until: spokenAt + ViewLimits.feedHeartbeat) {
            case .ended: return
            case .again: continue
            case .entries(let entries):
                cursor = entries.last?.position ?? cursor
                wanted = entries.filter { filter.matches($0) }
            case .behind:
                do {
                    let page = try await hub.history.read(after: cursor, filter, fromNow: fromNow)
                    isFailing = false
                    wanted = page.entries
                    if page.cursor > cursor { backoff.reset() } else if knowsPast { try await Task.sleep(for: backoff.next()) }
                    cursor = page.cursor
                    knowsPast = knowsPast || page.isOfLog
                } catch  where !(error is CancellationError) {
                    // A store is away: nothing is skipped, the same cursor is asked again.
                    if !isFailing { log.warning("a follower cannot read the past, will try again", metadata: ["cursor": "\(cursor)", "reason": "\(error)"]) }
                    isFailing = true
                    try await Task.sleep(for: backoff.next())
                }
            }
            if !wanted.isEmpty {
                try await sink.take(wanted)
                spokenAt = .now
            }
        }
    }
}
