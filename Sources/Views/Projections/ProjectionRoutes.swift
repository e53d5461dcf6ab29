internal import Control
internal import Core
internal import Foundation
internal import Hummingbird
internal import Projections
internal import Web

/// Projections and their rows: how they stand, now and in the past.
struct ProjectionRoutes: Sendable {
    let desk: ProjectionDesk
    let control: ControlDesk

    func add(to router: Router<some RequestContext>) {
        router.get("/v1/projections") { request, _ in try await all(request) }
        router.get("/v1/projections/{name}") { request, context in try await one(request, try runtime(context.parameters)) }
        router.get("/v1/projections/{name}/rows") { request, context in try await rows(request, try runtime(context.parameters)) }
        router.get("/v1/projections/{name}/rows/{key}") { request, context in
            try await row(request, try runtime(context.parameters), try ProjectionRoutes.key(context.parameters))
        }
        router.get("/v1/projections/{name}/diff") { request, context in try await difference(request, try runtime(context.parameters)) }
    }

    private func runtime(_ parameters: Parameters) throws(ProblemDocument) -> any ProjectionRuntime { try desk.runtime(PathText.of("name", parameters)) }

    /// A row's key may be longer than a document's: it can be made of several names.
    private static func key(_ parameters: Parameters) throws(ProblemDocument) -> String {
        let text = try PathText.of("key", parameters)
        guard text.utf8.count <= ProjectionLimits.keyBytesMax, !text.utf8.contains(0) else {
            throw ParameterFault.problem([
                ParameterFault(
                    parameter: "key", detail: "a key has at most \(ProjectionLimits.keyBytesMax) bytes, without U+0000; this one has \(text.utf8.count)")
            ])
        }
        return text
    }

    // MARK: How they stand

    private func all(_ request: Request) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let all = try await desk.rowsAndLog { [reader = desk.reader] redis, session throws(ProjectionError) in try reader.statuses(redis, on: session) }
        var object = JSONObject()
        object.add("projections", raw: JSONArray.of(all) { $0.append(contentsOf: ProjectionJSON.status($1)) })
        return ViewAnswer.json(object.finish(), position: all.compactMap(\.serving?.position).min())
    }

    private func one(_ request: Request, _ runtime: any ProjectionRuntime) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let name = runtime.definition.name
        let reached = try await desk.wait(request, runtime.definition)
        let status = try await desk.rowsAndLog { [reader = desk.reader] redis, session throws(ProjectionError) in try reader.status(name, redis, on: session) }
        return ViewAnswer.json(ProjectionJSON.status(status), position: status.serving?.position, reached: reached)
    }

    // MARK: Rows

    private func rows(_ request: Request, _ runtime: any ProjectionRuntime) async throws -> Response {
        let definition = runtime.definition
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.keyCursor("cursor")
        let moment = query.moment("at")
        // Each by itself, so that everything wrong is named at once.
        let (conditions, _) = query.rest()
        for condition in conditions {
            do throws(ProjectionError) {
                _ = try RowQuery(definition, [condition])
            } catch {
                query.fault(condition.name, error.description)
            }
        }
        try query.finish()
        let asked: RowQuery
        do throws(ProjectionError) {
            asked = try RowQuery(definition, conditions, after: cursor?.key, limit: limit)
        } catch {
            throw ProjectionProblem.problem(error)
        }
        if let moment {
            let past = try await desk.past { place throws(ProjectionError) in try runtime.state(at: moment.through, place) }
            return ViewAnswer.json(ProjectionJSON.page(past.page(asked)), position: past.position)
        }
        let reached = try await desk.wait(request, definition)
        let page = try await desk.rows { [reader = desk.reader] session throws(ProjectionError) in try reader.page(asked, on: session) }
        return ViewAnswer.json(ProjectionJSON.page(page), position: page.position, reached: reached)
    }

    private func row(_ request: Request, _ runtime: any ProjectionRuntime, _ key: String) async throws -> Response {
        let definition = runtime.definition
        var moment: Moment?
        if let text = request.uri.query {
            var query = QueryReader(text)
            moment = query.moment("at")
            try query.finish()
        }
        // Every process holds the control plane in memory.
        if let kind = ControlKind.allCases.first(where: { $0.projection == definition.name }) {
            let picture = try await control.picture(request, at: moment)
            guard let row = picture.state.row(kind, key) else { throw ProjectionRoutes.notFound(definition, key, picture.position) }
            return ViewAnswer.json(ProjectionJSON.row(key, row.revision, row.json), position: picture.position)
        }
        if let moment {
            let past = try await desk.past { place throws(ProjectionError) in try runtime.row(key, at: moment.through, place) }
            guard let row = past.row else { throw ProjectionRoutes.notFound(definition, key, past.position) }
            return ViewAnswer.json(ProjectionJSON.row(key, row.position, row.json), position: past.position)
        }
        let reached = try await desk.wait(request, definition)
        let page = try await desk.rows { [reader = desk.reader] session throws(ProjectionError) in try reader.row(definition, key: key, on: session) }
        guard let row = page.rows.first else { throw ProjectionRoutes.notFound(definition, key, max(page.position, reached ?? .zero)) }
        return ViewAnswer.json(ProjectionJSON.row(key, row.position, row.json), position: page.position, reached: reached)
    }

    private static func notFound(_ definition: ProjectionDefinition, _ key: String, _ position: Position) -> ProblemDocument {
        ProblemDocument(
            "row-not-found", status: 404, title: "There is no such row", detail: "\(definition.name) has no row '\(key)' at \(position).",
            members: [("key", .string(key)), ("position", .string(position.description))], headers: [.meshlogPosition: position.description])
    }

    private func difference(_ request: Request, _ runtime: any ProjectionRuntime) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.keyCursor("cursor")
        let from = query.requiredMoment("from").through
        let to = (query.moment("to") ?? .time(Int64(Date().timeIntervalSince1970 * 1e6))).through
        if to < from { query.fault("to", "it lies before 'from'") }
        try query.finish()
        let past = try await desk.past { place throws(ProjectionError) in try runtime.diff(from: from, to: to, place) }
        let changes = Dictionary(uniqueKeysWithValues: past.changes.map { ($0.key, $0) })
        let page = DocumentPage(changes, after: cursor, limit: limit) { _ in true }
        var object = JSONObject()
        object.add("from", past.from.description)
        object.add("to", past.to.description)
        object.add("differences", raw: JSONArray.of(page.rows) { $0.append(contentsOf: ProjectionJSON.change($1.row)) })
        object.add("next_cursor", optional: page.next?.text)
        return ViewAnswer.json(object.finish(), position: past.to)
    }
}
