internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Interventions
internal import Projections
internal import Web

/// Held messages: what waits, what became of it, and people's decisions.
struct SessionRoutes: Sendable {
    let desk: SessionDesk
    let projections: ProjectionDesk

    func add(to router: Router<some RequestContext>) {
        router.get("/v1/sessions") { request, _ in try await list(request) }
        router.get("/v1/sessions/{id}") { request, context in try await one(request, try SessionRoutes.id(context.parameters)) }
        for decision in SessionClosing.Decision.allCases {
            router.post(RouterPath("/v1/sessions/{id}/\(decision.rawValue)")) { request, context in
                try await decide(request, try SessionRoutes.id(context.parameters), decision)
            }
        }
    }

    static func id(_ parameters: Parameters) throws(ProblemDocument) -> String {
        let text = PercentText.decode(parameters.get("id") ?? "", plusIsSpace: false) ?? ""
        guard let position = PositionText.parse(text) else {
            throw ParameterFault.problem([
                ParameterFault(parameter: "id", detail: "a session's id is the position of what is held: \(PositionText.expectation)")
            ])
        }
        return position.description
    }

    private static let word = "any"

    // MARK: Reading

    /// What people have to decide, unless the request asks for more: pending approvals.
    private func list(_ request: Request) async throws -> Response {
        let runtime = try projections.runtime(SessionsProjection.name)
        let definition = runtime.definition
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.keyCursor("cursor")
        let moment = query.moment("at")
        var conditions: [(name: String, value: String)] = []
        for (name, words, usual) in [
            ("status", SessionRow.Status.allCases.map(\.rawValue), SessionRow.Status.pending.rawValue),
            ("kind", SessionOpening.Kind.allCases.map(\.rawValue), SessionOpening.Kind.approval.rawValue),
        ] {
            let asked = query.text(name) ?? usual
            if asked == SessionRoutes.word { continue }
            if words.contains(asked) {
                conditions.append((name, asked))
            } else {
                query.fault(name, "none of \((words + [SessionRoutes.word]).joined(separator: ", "))")
            }
        }
        for (name, column) in [("rule", "rule"), ("topic", "topic"), ("source", "source_subject_id"), ("message_uuid", "message_uuid"), ("by", "decided_by")] {
            if let value = query.name(name) { conditions.append((column, value)) }
        }
        try query.finish()
        let asked: RowQuery
        do throws(ProjectionError) {
            asked = try RowQuery(definition, conditions, after: cursor?.key, limit: limit)
        } catch {
            throw ProjectionProblem.problem(error)
        }
        if let moment {
            let past = try await projections.past { place throws(ProjectionError) in try runtime.state(at: moment.through, place) }
            return ViewAnswer.json(SessionRoutes.page(past.page(asked)), position: past.position)
        }
        let reached = try await projections.wait(request, definition)
        let page = try await projections.rows { [reader = projections.reader] session throws(ProjectionError) in try reader.page(asked, on: session) }
        return ViewAnswer.json(SessionRoutes.page(page), position: page.position, reached: reached)
    }

    private static func page(_ page: RowPage) -> [UInt8] {
        var object = JSONObject()
        object.add("sessions", raw: JSONArray.of(page.rows) { $0.append(contentsOf: $1.json) })
        object.add("next_cursor", optional: page.next.map { KeyCursor(key: $0).text })
        return object.finish()
    }

    /// The session with what is held: what a person looks at before he decides.
    private func one(_ request: Request, _ id: String) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let definition = try projections.runtime(SessionsProjection.name).definition
        let reached = try await projections.wait(request, definition)
        let page = try await projections.sessionPage(id)
        guard let found = page.rows.first, let row = SessionRow(json: found.json) else { throw SessionProblem.notFound(id) }
        var out = found.json
        out.removeLast()
        let held: DecidedMessage?
        do throws(SessionRefusal) { held = try await desk.message(row.opening.position) } catch { held = nil }
        var object = JSONObject()
        if let held {
            object.add("message", raw: MessageJSON.object(held.message, at: held.position, outcome: held.verdict.outcome, ackTS: nil).bytes)
            object.add("verdict", raw: held.verdict.json)
        } else {
            object.addNull("message")
            object.addNull("verdict")
        }
        out.append(UInt8(ascii: ","))
        out.append(contentsOf: object.finish().dropFirst())
        return ViewAnswer.json(out, position: page.position, reached: reached, headers: [.eTag: "\"\(row.opening.digest)\""])
    }

    // MARK: Deciding

    private func decide(_ request: Request, _ id: String, _ decision: SessionClosing.Decision) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let (command, isConditional) = try await SessionBody.read(request, id: id, decision)
        do throws(SessionRefusal) {
            let receipt = try await desk.decide(command)
            return ViewAnswer.json(SessionRoutes.answer(receipt, command), position: receipt.position)
        } catch {
            // Whoever has no projection at hand is told less.
            let known = try? await projections.sessionRow(id).flatMap { SessionRow(json: $0.json) }
            throw SessionProblem.problem(error, command, row: known, isConditional: isConditional)
        }
    }

    private static func answer(_ receipt: SessionReceipt, _ command: SessionCommand) -> [UInt8] {
        var row = SessionRow(receipt.opening, opened: receipt.opening.position)
        row.closing = receipt.closing
        var object = JSONObject()
        object.add("session_id", receipt.opening.sessionID)
        object.add("status", row.status.rawValue)
        object.add("decision", command.decision.rawValue)
        object.add("decided_by", nonEmpty: command.by)
        object.add("comment", nonEmpty: command.comment)
        object.add("message_uuid", receipt.opening.messageUUID.description)
        object.add("position", receipt.position.description)
        object.add("released", optional: receipt.closing.released?.description)
        return object.finish()
    }
}

extension ProjectionDesk {
    /// A session's row, or none, with the position it stands for.
    func sessionPage(_ id: String) async throws -> RowPage {
        let definition = try runtime(SessionsProjection.name).definition
        return try await rows { [reader] session throws(ProjectionError) in try reader.row(definition, key: id, on: session) }
    }

    func sessionRow(_ id: String) async throws -> ProjectionRowText? { try await sessionPage(id).rows.first }
}
