internal import Core
internal import Web

/// What a follower asks for.
struct FeedRequest: Sendable {
    let filter: MessageFilter
    /// Exclusive; nil: from now on.
    let since: Position?

    /// - Parameter lastEventID: what a reconnecting EventSource sends; it wins, since the URL still says where the first connection began.
    /// - Throws: 400 that names everything wrong.
    init(query text: String, lastEventID: String? = nil) throws(ProblemDocument) {
        var query = QueryReader(text)
        filter = MessageFilter(&query)
        var since = query.position("since")
        if let lastEventID, !lastEventID.isEmpty {
            since = PositionText.parse(lastEventID)
            if since == nil { query.fault("Last-Event-ID", PositionText.expectation) }
        }
        self.since = since
        try query.finish()
    }
}
