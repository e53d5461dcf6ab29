internal import Core
internal import Log
internal import RedisDriver
internal import Replay
internal import Web

/// The parameters of `GET /v1/streams/{name}/entries`.
struct EntryQuery: Sendable {
    let from: String
    let to: String
    let limit: Int
    let isReverse: Bool

    /// - Throws: 400 that names everything wrong.
    init(_ text: String) throws(ProblemDocument) {
        var query = QueryReader(text)
        var from = EntryQuery.bound("from", "-", &query)
        var to = EntryQuery.bound("to", "+", &query)
        limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let isReverse = query.flag("reverse")
        if let cursor = query.cursor("cursor") {
            // Redis: '(' leaves the id itself out.
            if cursor.order != (isReverse ? .newestFirst : .oldestFirst) {
                query.fault("cursor", "it was made with reverse=\(isReverse ? "false" : "true")")
            } else if isReverse {
                to = "(" + cursor.position.streamID
            } else {
                from = "(" + cursor.position.streamID
            }
        }
        self.from = from
        self.to = to
        self.isReverse = isReverse
        try query.finish()
    }

    private static func bound(_ name: String, _ missing: String, _ query: inout QueryReader) -> String {
        guard let text = query.text(name) else { return missing }
        guard let bound = EntryBound.parse(text) else {
            query.fault(name, EntryBound.expectation)
            return missing
        }
        return bound
    }

    /// Reads a page in parts, so that large entries end it early.
    ///
    /// - Bounds: `limit` entries; the part that passes `Limits.readBatchBytesTarget` is the last one.
    func read(_ stream: StreamName, _ inspector: StreamInspector, _ session: RedisSession) throws(RedisError) -> (entries: [RawEntry], next: PageCursor?) {
        var entries: [RawEntry] = []
        var bytes = 0
        var from = from
        var to = to
        var hasMore = true
        while hasMore, entries.count <= limit, bytes < Limits.readBatchBytesTarget {
            let asked = min(ViewLimits.entriesChunk, limit + 1 - entries.count)
            if asked == 0 { break }
            let part = try inspector.entries(stream, from: from, to: to, count: asked, reverse: isReverse, session)
            hasMore = part.count == asked
            for entry in part { bytes += entry.fields.reduce(0) { $0 + $1.name.count + $1.value.count } }
            entries += part
            guard let last = part.last else { break }
            if isReverse { to = "(" + last.position.streamID } else { from = "(" + last.position.streamID }
        }
        if entries.count > limit {
            entries.removeLast(entries.count - limit)
            hasMore = true
        }
        let next = hasMore ? entries.last.map { PageCursor(order: isReverse ? .newestFirst : .oldestFirst, position: $0.position) } : nil
        return (entries, next)
    }
}
