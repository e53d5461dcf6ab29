internal import Core
internal import Replay
internal import Web

/// The parameters of `GET /v1/messages`.
struct MessageQuery: Sendable {
    enum Order: String, CaseIterable {
        case newest, oldest

        var archived: ArchiveFilter.Order { self == .newest ? .newestFirst : .oldestFirst }
    }

    let filter: ArchiveFilter

    /// - Throws: 400 that names everything wrong.
    init(_ text: String) throws(ProblemDocument) {
        var query = QueryReader(text)
        var filter = MessageFilter(&query).archived
        filter.from = query.time("from")
        filter.to = query.time("to")
        filter.limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        MessageQuery.readPage(&query, order: query.choice("order", of: Order.self)?.archived, into: &filter)
        try query.finish()
        self.filter = filter
    }

    /// The cursor says the direction; `order` may repeat it, but not change it.
    static func readPage(_ query: inout QueryReader, order: ArchiveFilter.Order?, into filter: inout ArchiveFilter) {
        let cursor = query.cursor("cursor")
        if let cursor, let order, cursor.order != order { query.fault("cursor", "it was made for the other order; begin without a cursor") }
        filter.order = order ?? cursor?.order ?? .newestFirst
        filter.cursor = cursor?.position
    }
}
