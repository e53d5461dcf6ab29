internal import Core
internal import Log
internal import RedisDriver

/// Reads decided messages from the log, and knows whether trimming has left a hole before them.
struct HotFeed: Sendable {
    struct Page {
        let messages: [DecidedMessage]
        /// The last decided position before the read.
        let last: Position
        /// Nothing behind the cursor had been trimmed.
        let isWhole: Bool
        /// The cursor lies before all that this log has had: when it is the successor of one that was lost, the archive has more.
        var isBeforeLog = false
        /// The first entry that the log has; nil when it has none.
        var first: Position?
    }

    let keys: LogKeys

    /// - Cost: two look-ups of the stream's state around the read: what the second one finds was not trimmed during the read either.
    func read(after cursor: Position, count: Int, bytes: Int, chunk: Int = LogReader.chunk, _ session: RedisSession) throws(RedisError) -> Page {
        let last = try state(session).last
        var messages: [DecidedMessage] = []
        do {
            messages = try LogReader(keys: keys).decided(after: cursor, count: count, bytes: bytes, chunk: chunk, session)
        } catch .unexpectedReply {
            // Trimming takes the message before its verdict.
            return Page(messages: [], last: last, isWhole: false)
        }
        let now = try state(session)
        let isBehind = now.first.map { cursor >= $0 } ?? false
        return Page(messages: messages, last: last, isWhole: now.isUntouched || isBehind, isBeforeLog: !isBehind, first: now.first)
    }

    private func state(_ session: RedisSession) throws(RedisError) -> (first: Position?, last: Position, isUntouched: Bool) {
        let reply = try session.call("XINFO", ["STREAM", keys.stream(.verdicts)])
        if case .error(let text) = reply {
            if text.hasPrefix("ERR no such key") { return (nil, .zero, false) }
            throw .server(text)
        }
        let info = reply.pairs
        let first = info["first-entry"]?.array?.first?.text.flatMap { Position(streamID: $0) }
        let last = info["last-generated-id"]?.text.flatMap { Position(streamID: $0) } ?? .zero
        // - Source: Redis 7.0, XINFO STREAM: entries-added counts all of all time.
        let isUntouched = info["entries-added"]?.int != nil && info["entries-added"]?.int == info["length"]?.int
        return (first, last, isUntouched)
    }
}
