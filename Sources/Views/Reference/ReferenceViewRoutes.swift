internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Replay
internal import Web

/// The message log as the reference system serves it: the same reads, nine fields, errors as `{"error": …}`.
struct ReferenceViewRoutes: Sendable {
    let stores: Stores
    let positions: Positions
    let tracer: Tracer

    func add(to router: Router<some RequestContext>) {
        router.get("/messages/{uuid}") { request, context in
            try await ReferenceAnswer.answering(.plain) { try await one(request, try MessageRoutes.uuid(context.parameters)) }
        }
        router.get("/messages/subject/{subject_id}") { request, context in
            try await ReferenceAnswer.answering(.plain) { try await list(request, context.parameters.get("subject_id") ?? "") }
        }
    }

    private func one(_ request: Request, _ uuid: MessageUUID) async throws -> Response {
        let reached = try await positions.waitForArchive(request)
        let (stand, found) = try await stores.archive { session in
            let reader = ArchiveReader(session: session)
            return (try ArchiveStand.position(reader), try reader.message(uuid: uuid))
        }
        if let found { return ViewAnswer.json(found.referenceJSON, position: stand, reached: reached) }
        guard let hot = try await tracer.logged(uuid, archivedUpTo: stand) else {
            return ReferenceAnswer.error(404, "Message not found", .plain, [.meshlogPosition: max(stand, reached ?? stand).description])
        }
        let (bytes, referenceBytes) = MessageJSON.object(hot.message, at: hot.position, outcome: hot.verdict?.outcome, ackTS: nil)
        return ViewAnswer.json(MessageJSON.reference(bytes, referenceBytes: referenceBytes), position: stand, reached: reached)
    }

    private func list(_ request: Request, _ encoded: String) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        var filter = ArchiveFilter()
        let subject = PercentText.decode(encoded, plusIsSpace: false)
        if let detail = subject.map(QueryReader.nameFault) ?? "it is not percent-encoded UTF-8" { query.fault("subject_id", detail) }
        filter.subject = subject
        filter.limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        MessageQuery.readPage(&query, order: .newestFirst, into: &filter)
        try query.finish()
        let reached = try await positions.waitForArchive(request)
        let (stand, page) = try await stores.archive { [filter] session in
            let reader = ArchiveReader(session: session)
            return (try ArchiveStand.position(reader), try reader.messages(filter))
        }
        var headers: HTTPFields = [:]
        if let next = page.next, let subject {
            let cursor = PageCursor(order: .newestFirst, position: next).text
            headers[.link] = "</messages/subject/\(PercentText.encode(subject))?limit=\(filter.limit)&cursor=\(cursor)>; rel=\"next\""
        }
        return ViewAnswer.json(JSONArray.of(page.messages) { $0.append(contentsOf: $1.referenceJSON) }, position: stand, reached: reached, headers: headers)
    }
}

extension ArchivedMessage {
    fileprivate var referenceJSON: [UInt8] {
        let (bytes, referenceBytes) = json
        return MessageJSON.reference(bytes, referenceBytes: referenceBytes)
    }
}
