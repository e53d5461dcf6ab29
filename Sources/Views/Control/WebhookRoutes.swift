internal import Control
internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Log
internal import RedisDriver
internal import Replay
internal import Web

/// What webhooks have besides their documents: a secret, the log of their deliveries, a test.
struct WebhookRoutes: Sendable {
    let desk: ControlDesk
    let stores: Stores
    let keys: LogKeys
    /// Nil when none is set.
    let key: WebhookKey?

    func add(to router: Router<some RequestContext>) {
        router.get("/v1/webhooks/{key}/secret") { request, context in try await secret(request, try ControlRoutes.key(context.parameters)) }
        router.get("/v1/webhooks/{key}/attempts") { request, context in try await attempts(request, try ControlRoutes.key(context.parameters)) }
        router.post("/v1/webhooks/{key}/test") { request, context in try await test(request, try ControlRoutes.key(context.parameters)) }
    }

    private func secret(_ request: Request, _ id: String) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let picture = try await desk.present(request)
        guard let row = picture.state.row(.webhook, id) else { throw ControlProblem.notFound(.webhook, id, picture.position) }
        guard let key else {
            throw ProblemDocument(
                "webhook-key-missing", status: 503, title: "There is no key for webhooks",
                detail: "Secrets are derived from a key of at least \(WebhookKey.bytesMin) bytes; set webhook-key-file in every process.")
        }
        let version = (try? JSONDocument(row.document).root["secret_version"])?.integer ?? 1
        var object = JSONObject()
        object.add("webhook_id", id)
        object.add("secret_version", Int(clamping: version))
        object.add("secret", key.secret(of: id, version: version).text)
        return ViewAnswer.json(object.finish(), position: picture.position, headers: [.cacheControl: "no-store"])
    }

    private func test(_ request: Request, _ id: String) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let author = try ChangeAuthor.read(request.headers, via: "http")
        let picture = try await desk.present(request)
        guard picture.state.row(.webhook, id) != nil else { throw ControlProblem.notFound(.webhook, id, picture.position) }
        let notification = NotificationEntry.test(.init(webhook: id, principal: author.principal))
        let position = try await stores.log { [keys] session in try notification.append(session, keys: keys) }
        var object = JSONObject()
        object.add("notification", position.description)
        object.add("message_id", WebhookAttempt.messageID(position, webhook: id))
        object.add("attempts", ControlKind.webhook.path(id) + "/attempts")
        return ViewAnswer.json(object.finish(), status: .accepted, position: picture.position)
    }

    private func attempts(_ request: Request, _ id: String) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.cursor("cursor")
        if let cursor, cursor.order != .newestFirst { query.fault("cursor", "it was made by another route") }
        try query.finish()
        let present = try await desk.present(request)
        let page = try await stores.log { [inspector = StreamInspector(keys: keys)] session in
            try WebhookRoutes.read(id, before: cursor?.position, limit: limit, inspector, session)
        }
        // A webhook that was deleted still has its log.
        if page.attempts.isEmpty, cursor == nil, present.state.row(.webhook, id) == nil { throw ControlProblem.notFound(.webhook, id, present.position) }
        var object = JSONObject()
        object.add("attempts", raw: JSONArray.of(page.attempts) { $0.append(contentsOf: $1) })
        object.add("next_cursor", optional: page.next.map { PageCursor(order: .newestFirst, position: $0).text })
        return ViewAnswer.json(object.finish(), position: present.position)
    }

    /// The newest attempts before a position.
    ///
    /// - Bounds: `limit` attempts, and `ViewLimits.attemptsScanMax` entries looked at; a page may be short and still have a cursor.
    private static func read(
        _ id: String, before: Position?, limit: Int, _ inspector: StreamInspector, _ session: RedisSession
    ) throws(RedisError) -> (attempts: [[UInt8]], next: Position?) {
        var out: [[UInt8]] = []
        var last = before
        var scanned = 0
        while scanned < ViewLimits.attemptsScanMax {
            let to = last.map { "(" + $0.streamID } ?? "+"
            let part = try inspector.entries(.notifications, from: "-", to: to, count: ViewLimits.attemptsChunk, reverse: true, session)
            for entry in part {
                last = entry.position
                guard let attempt = json(entry, of: id) else { continue }
                out.append(attempt)
                if out.count == limit { return (out, last) }
            }
            if part.count < ViewLimits.attemptsChunk { return (out, nil) }
            scanned += part.count
        }
        return (out, last)
    }

    /// An attempt of this webhook; nil for every other entry.
    private static func json(_ entry: RawEntry, of id: String) -> [UInt8]? {
        var fields: [String: String] = [:]
        for (name, value) in entry.fields { fields[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self) }
        guard fields["event"] == WebhookAttempt.event, fields["webhook_id"] == id else { return nil }
        var object = JSONObject()
        object.add("position", entry.position.description)
        object.add("ts", time: entry.position.microseconds)
        object.add("notification", fields["notification"] ?? "")
        object.add("type", fields["type"] ?? "")
        object.add("message_id", fields["message_id"] ?? "")
        object.add("revision", nonEmpty: fields["revision"] ?? "")
        object.add("attempt", fields["attempt"].flatMap { Int($0) } ?? 0)
        object.add("result", fields["result"] ?? "")
        object.add("status", optional: fields["status"].flatMap { Int($0) })
        object.add("error", nonEmpty: fields["error"] ?? "")
        object.add("duration_ms", fields["duration_ms"].flatMap { Int($0) } ?? 0)
        object.add("next_ts", time: fields["next_ts"].flatMap { Int64($0) })
        return object.finish()
    }
}
