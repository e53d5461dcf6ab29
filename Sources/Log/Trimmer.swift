internal import Core
internal import Logging
package import RedisDriver

/// Keeps streams within their retention, never past what a group has acknowledged nor past what the archive holds.
///
/// Age is counted by Redis's clock, which gave the ids: a host whose clock is wrong trims nothing too early.
package struct Trimmer: Sendable {
    private let loop: StageLoop
    private let catalog: StreamCatalog
    private let keys: LogKeys
    private let interval: Duration
    private let rejectedBytesMax: Int
    private let live: LiveConfig
    private let removed: Counter
    private let log = Logger(label: "meshlog.trim")

    private static let partsMax = 20
    /// Fewer than this say that nothing more is to go; see `meshlog_trim`.
    private static let partSize = 5_000

    /// Streams whose entries have the same ids as the stream's own, so that their groups bound it too.
    package static let boundBy: [StreamName: [StreamName]] = [
        .messages: [.messages, .verdicts], .verdicts: [.verdicts], .deliveries: [.deliveries], .sessions: [.sessions],
        .notifications: [.notifications],
    ]

    /// - Parameter live: the configuration, whose retention of messages goes before the declared one.
    package init(
        loop: StageLoop, catalog: StreamCatalog, keys: LogKeys, live: LiveConfig, interval: Duration, rejectedBytesMax: Int = Limits.rejectedStreamBytesMax,
        metrics: Metrics
    ) {
        self.rejectedBytesMax = rejectedBytesMax
        self.live = live
        self.loop = loop
        self.catalog = catalog
        self.keys = keys
        self.interval = interval
        removed = metrics.counter("meshlog_trimmed_entries_total", help: "Entries removed from streams by retention")
    }

    /// Runs until shutdown; one process trims at a time.
    package func run() async {
        await WorkerThread.run("trim") { [self] stop in
            loop.run(stop, begin: { _, _, _ in ContinuousClock.now - interval }) { last, session, _ in
                if ContinuousClock.now - last >= interval {
                    last = .now
                    for name in StreamName.allCases {
                        // A backlog goes in parts; what is still there after these goes with the next turn, and the lease is kept in between.
                        for _ in 0..<Trimmer.partsMax {
                            let count = try trim(name, session)
                            removed.add(count)
                            if count < Trimmer.partSize { break }
                        }
                    }
                }
                stop.wait(for: .milliseconds(500))
            }
        }
    }

    /// Trims one stream once, a bounded part of it; the number of entries that went.
    package func trim(_ name: StreamName, _ session: RedisSession) throws(RedisError) -> Int {
        let retention = retention(of: name)
        var entries = retention.entries
        if name == .rejected, let most = try rejectedEntriesMax(session) { entries = entries == 0 ? most : min(entries, most) }
        return try Trimmer.trim(name, ageMs: retention.ageMs, entries: entries, keys: keys, session)
    }

    /// How many rejected inputs may stay where their bytes are what is too much; nil where it is not. Nobody admits what comes there, so nobody else
    /// bounds it. All of the stream is measured: its oldest part says nothing of what came since.
    private func rejectedEntriesMax(_ session: RedisSession) throws(RedisError) -> Int? {
        let key = keys.stream(.rejected)
        guard let bytes = try session.call("MEMORY", ["USAGE", key, "SAMPLES", "0"]).int, bytes > rejectedBytesMax,
            let length = try session.run("XLEN", [key]).int
        else { return nil }
        return max(1, Int(Double(length) * Double(rejectedBytesMax) / Double(bytes)))
    }

    /// The messages' is also that of their verdicts and deliveries: one without the others answers no question.
    private func retention(of name: StreamName) -> StreamDeclaration.Retention {
        let declared = catalog[name].retention
        guard [.messages, .verdicts, .deliveries].contains(name) else { return declared }
        let table = live.state.table
        return .init(
            ageMs: table.integer(.retentionAge).map { UInt64($0) } ?? declared.ageMs,
            entries: table.integer(.retentionEntries).map { Int($0) } ?? declared.entries)
    }

    /// - Parameters:
    ///   - ageMs: entries that are older by Redis's clock go; 0 for no bound by age.
    ///   - entries: how many may stay; 0 for no bound by size.
    package static func trim(_ name: StreamName, ageMs: UInt64, entries: Int, keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Int {
        try trim(name, age: ageMs == 0 ? "0" : "+\(ageMs)", entries: entries, keys: keys, session)
    }

    /// - Parameters:
    ///   - oldestMs: entries before go; 0 for no bound by age.
    ///   - entries: how many may stay; 0 for no bound by size.
    package static func trim(_ name: StreamName, oldestMs: UInt64, entries: Int, keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Int {
        try trim(name, age: String(oldestMs), entries: entries, keys: keys, session)
    }

    /// - Parameter age: as `meshlog_trim` takes it.
    private static func trim(_ name: StreamName, age: String, entries: Int, keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Int {
        let streams = [keys.stream(name)] + (boundBy[name] ?? []).map { keys.stream($0) }
        guard try session.run("EXISTS", [streams[0]]) == .integer(1) else { return 0 }
        let kept = try firstKept(name, keys, session)?.streamID ?? "-"
        let reply = try session.run("FCALL", ["meshlog_trim", String(streams.count)] + streams + [age, String(entries), kept])
        guard let items = reply.array, items.count == 2, let count = items[0].int, let first = items[1].text else { throw .unexpectedReply("meshlog_trim") }
        // A server without memory left refuses the note, and what was trimmed is what helps it.
        if count > 0 { _ = try session.call("XADD", operation(name, count, first: first, keys)) }
        return count
    }

    /// What must stay although every group has passed it; nil when nothing must.
    private static func firstKept(_ name: StreamName, _ keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Position? {
        switch name {
        // A session's opening stays for as long as the session is open; it stands behind the entry that it is about.
        case .sessions: return try SessionLog(keys: keys).oldestOpen(session)
        // What limits count is in the verdicts until the router has written it down: the first verdict that is not in there stays, and what it is about.
        // The router writes within `Limits.limitsWrittenSeconds`, so retention waits no longer for it than that while one runs.
        case .messages, .verdicts:
            // The position stands in front of a state that may have many megabytes.
            let head = try session.run("GETRANGE", [keys.limits, "0", "63"]).text ?? ""
            let written = head.split(separator: "\n", omittingEmptySubsequences: false).first.flatMap { Position($0) } ?? .zero
            let first = try session.run("XRANGE", [keys.stream(.verdicts), written.next.streamID, "+", "COUNT", "1"]).array?.first
            return first?.array?.first?.text.flatMap { Position(streamID: $0) }
        default: return nil
        }
    }

    private static func operation(_ name: StreamName, _ count: Int, first: String, _ keys: LogKeys) -> [String] {
        [keys.stream(.operations), "*", "event", "log.trimmed", "v", "1", "stream", name.rawValue, "removed", String(count), "first", first]
    }
}
