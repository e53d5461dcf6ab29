internal import Core
internal import Hummingbird
internal import Projections
internal import Replay
internal import Web

/// What people ask of projections: rebuilds, parked events, going on after a stop.
struct ProjectionWorkRoutes: Sendable {
    let desk: ProjectionDesk

    func add(to router: Router<some RequestContext>) {
        router.post("/v1/projections/{name}/rebuild") { request, context in try await rebuild(request, try definition(context.parameters)) }
        router.delete("/v1/projections/{name}/rebuild") { request, context in try await cancel(request, try definition(context.parameters)) }
        router.post("/v1/projections/{name}/resume") { request, context in try await resume(request, try definition(context.parameters)) }
        router.get("/v1/projections/{name}/parked") { request, context in try await parked(request, try definition(context.parameters)) }
        router.post("/v1/projections/{name}/parked/{position}/retry") { request, context in
            try await settle(request, try definition(context.parameters), try position(context.parameters), .retry)
        }
        router.delete("/v1/projections/{name}/parked/{position}") { request, context in
            try await settle(request, try definition(context.parameters), try position(context.parameters), .discarded)
        }
    }

    private func definition(_ parameters: Parameters) throws(ProblemDocument) -> ProjectionDefinition {
        try desk.runtime(PathText.of("name", parameters)).definition
    }

    private func position(_ parameters: Parameters) throws(ProblemDocument) -> Position {
        guard let position = PositionText.parse(try PathText.of("position", parameters)) else {
            throw ParameterFault.problem([ParameterFault(parameter: "position", detail: PositionText.expectation)])
        }
        return position
    }

    // MARK: Rebuilds

    private func rebuild(_ request: Request, _ definition: ProjectionDefinition) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let row = try await desk.rows { session throws(ProjectionError) in try ProjectionRequests.rebuild(definition, on: session) }
        return ViewAnswer.json(
            ProjectionJSON.rebuild(row), status: .accepted, position: row.position, headers: [.location: "/v1/projections/\(definition.name)"])
    }

    private func cancel(_ request: Request, _ definition: ProjectionDefinition) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let row = try await desk.rows { session throws(ProjectionError) in try ProjectionRequests.cancelRebuild(definition.name, on: session) }
        return ViewAnswer.json(ProjectionJSON.rebuild(row), position: row.position)
    }

    /// `way=retry` tries the event that stopped it again, `way=skip` passes over it.
    private func resume(_ request: Request, _ definition: ProjectionDefinition) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let way = query.choice("way", of: ProjectionRequests.Resumption.self) ?? .retry
        try query.finish()
        let row = try await desk.rows { session throws(ProjectionError) in try ProjectionRequests.resume(definition.name, way, on: session) }
        return ViewAnswer.json(ProjectionJSON.generation(row), status: .accepted, position: row.position)
    }

    // MARK: Parked events

    private func parked(_ request: Request, _ definition: ProjectionDefinition) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.cursor("cursor")
        if let cursor, cursor.order != .oldestFirst { query.fault("cursor", "it was made by another route") }
        try query.finish()
        let (events, stand) = try await desk.rows { [reader = desk.reader] session throws(ProjectionError) in
            let events = try ProjectionRequests.parked(definition.name, after: cursor?.position, limit: limit, on: session)
            return (events, try reader.row(definition, key: "", on: session).position)
        }
        var object = JSONObject()
        object.add("parked", raw: JSONArray.of(events) { $0.append(contentsOf: ProjectionJSON.parked($1)) })
        // A full page may be the last one: the next is then empty.
        object.add("next_cursor", optional: events.count == limit ? events.last.map { PageCursor(order: .oldestFirst, position: $0.position).text } : nil)
        return ViewAnswer.json(object.finish(), position: stand)
    }

    private func settle(
        _ request: Request, _ definition: ProjectionDefinition, _ position: Position, _ status: ParkedEvent.Status
    ) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let count = try await desk.rows { session throws(ProjectionError) in
            try ProjectionRequests.settle(definition.name, [position], as: status, on: session)
        }
        guard count > 0 else {
            throw ProblemDocument(
                "parked-not-found", status: 404, title: "No such event is parked", detail: "\(definition.name) has no parked event at \(position).",
                members: [("position", .string(position.description))])
        }
        var object = JSONObject()
        object.add("position", position.description)
        object.add("status", status.rawValue)
        object.add("events", count)
        return ViewAnswer.json(object.finish(), status: status == .retry ? .accepted : .ok, position: nil)
    }
}
