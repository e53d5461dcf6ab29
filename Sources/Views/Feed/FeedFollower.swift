internal import Core
internal import Log

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

    /// Follows until the hub stops or the follower leaves.
    ///
    /// - Throws: what the sink throws.
    func run(after start: Position) async throws {
        var cursor = start
        var spokenAt = ContinuousClock.now
        var backoff = Backoff(first: .milliseconds(100))
        while true {
            if ContinuousClock.now - spokenAt >= ViewLimits.feedHeartbeat {
                try await sink.heartbeat(cursor)
                spokenAt = .now
            }
            var wanted: [FeedEntry] = []
            switch await hub.pull(id, after: cursor, until: spokenAt + ViewLimits.feedHeartbeat) {
            case .ended: return
            case .again: continue
            case .entries(let entries):
                cursor = entries.last?.position ?? cursor
                wanted = entries.filter { filter.matches($0) }
            case .behind:
                let page = try? await hub.history.read(after: cursor, filter)
                guard let page, page.cursor > cursor else {
                    // A store is away: nothing is skipped, the same cursor is asked again.
                    try await Task.sleep(for: backoff.next())
                    continue
                }
                backoff.reset()
                cursor = page.cursor
                wanted = page.entries
            }
            if !wanted.isEmpty {
                try await sink.take(wanted)
                spokenAt = .now
            }
        }
    }
}
