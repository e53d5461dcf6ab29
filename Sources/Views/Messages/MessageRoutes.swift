internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Projections
internal import Replay
internal import Web

/// Queries of the archive: one message, many, and what became of one.
struct MessageRoutes: Sendable {
    let stores: Stores
    let positions: Positions
    let tracer: Tracer
    let projections: ProjectionDesk

    func add(to router: Router<some RequestContext>) {
        router.get("/v1/messages") { request, _ in try await list(request) }
        router.get("/v1/messages/{uuid}") { request, context in try await one(request, try MessageRoutes.uuid(context.parameters)) }
        router.get("/v1/messages/{uuid}/trace") { request, context in try await trace(request, try MessageRoutes.uuid(context.parameters)) }
    }

    private func one(_ request: Request, _ uuid: MessageUUID) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let reached = try await positions.waitForArchive(request)
        let (stand, found) = try await stores.archive { session in
            let reader = ArchiveReader(session: session)
            return (try ArchiveStand.position(reader), try reader.message(uuid: uuid))
        }
        await positions.archive.note(stand)
        if let found {
            return ViewAnswer.json(MessageJSON.withVerdict(found.json.bytes, found.verdict), position: stand, reached: reached)
        }
        guard let hot = try await tracer.logged(uuid, archivedUpTo: stand) else { throw MessageRoutes.notFound(uuid, max(stand, reached ?? stand)) }
        let json = MessageJSON.object(hot.message, at: hot.position, outcome: hot.verdict?.outcome, ackTS: nil)
        return ViewAnswer.json(MessageJSON.withVerdict(json.bytes, hot.verdict), position: stand, reached: reached)
    }

    private func list(_ request: Request) async throws -> Response {
        // Who wanted a door and gets a page would wait for answers to what it sends.
        try FeedRoute.refuseUpgrade(request)
        let query = try MessageQuery(request.uri.query ?? "")
        let reached = try await positions.waitForArchive(request)
        let (stand, page) = try await stores.archive { session in
            let reader = ArchiveReader(session: session)
            return (try ArchiveStand.position(reader), try reader.messages(query.filter))
        }
        await positions.archive.note(stand)
        var object = JSONObject()
        object.add("messages", raw: JSONArray.of(page.messages) { $0.append(contentsOf: $1.json.bytes) })
        object.add("next_cursor", optional: page.next.map { PageCursor(order: query.filter.order, position: $0).text })
        return ViewAnswer.json(object.finish(), position: stand, reached: reached)
    }

    private func trace(_ request: Request, _ uuid: MessageUUID) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let reached = try await positions.waitForArchive(request)
        let (stand, trace) = try await tracer.trace(uuid)
        guard var trace else { throw MessageRoutes.notFound(uuid, max(stand, reached ?? stand)) }
        for id in trace.sessionIDs {
            // What is known without it is worth telling too.
            if let row = try? await projections.sessionRow(id)?.json { trace.sessions.append(row) }
        }
        return ViewAnswer.json(trace.json, position: stand, reached: reached)
    }

    // MARK: Shared with the reference routes

    static func uuid(_ parameters: Parameters) throws(ProblemDocument) -> MessageUUID {
        let text = PercentText.decode(parameters.get("uuid") ?? "", plusIsSpace: false) ?? ""
        guard let uuid = MessageUUID(text) else {
            throw ParameterFault.problem([ParameterFault(parameter: "uuid", detail: "not a UUID such as 01975c1e-5d3a-7cc3-98c4-dc0c0c07398f")])
        }
        return uuid
    }

    static func notFound(_ uuid: MessageUUID, _ stand: Position) -> ProblemDocument {
        ProblemDocument(
            "message-not-found", status: 404, title: "Message not found",
            detail: "The archive has no message \(uuid) up to \(stand). If you know its position, send it as Meshlog-Min-Position.",
            members: [("position", .string(stand.description))], headers: [.meshlogPosition: stand.description])
    }
}

extension ArchivedMessage {
    var json: (bytes: [UInt8], referenceBytes: Int) { MessageJSON.object(message, at: position, outcome: verdict?.outcome, ackTS: ackTS) }
}
