internal import Core
internal import Hummingbird
internal import Log
internal import Web

/// Looks into the streams.
struct StreamRoutes: Sendable {
    let stores: Stores
    let positions: Positions
    let catalog: StreamCatalog
    let inspector: StreamInspector
    let reader: LogReader

    func add(to router: Router<some RequestContext>) {
        router.get("/v1/streams") { request, _ in try await all(request) }
        router.get("/v1/streams/{name}") { request, context in try await one(request, try StreamRoutes.name(context.parameters)) }
        router.get("/v1/streams/{name}/entries") { request, context in try await entries(request, try StreamRoutes.name(context.parameters)) }
        router.get("/v1/streams/{name}/groups") { request, context in try await groups(request, try StreamRoutes.name(context.parameters)) }
    }

    private func all(_ request: Request) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let reached = try await positions.wait(for: .messages, request)
        let all = try await stores.log { [inspector] session in try StreamName.allCases.map { try inspector.status($0, session) } }
        var object = JSONObject()
        object.add("streams", raw: JSONArray.of(all) { $0.append(contentsOf: StreamJSON.status($1)) })
        return ViewAnswer.json(object.finish(), position: all.first { $0.name == .messages }?.last, reached: reached)
    }

    private func one(_ request: Request, _ name: StreamName) async throws -> Response {
        let (status, reached) = try await status(request, name)
        return ViewAnswer.json(StreamJSON.status(status, catalog[name]), position: status.last, reached: reached)
    }

    private func groups(_ request: Request, _ name: StreamName) async throws -> Response {
        let (status, reached) = try await status(request, name)
        var object = JSONObject()
        object.add("groups", raw: StreamJSON.groups(status.groups))
        return ViewAnswer.json(object.finish(), position: status.last, reached: reached)
    }

    private func status(_ request: Request, _ name: StreamName) async throws -> (StreamStatus, reached: Position?) {
        try QueryReader(request.uri.query ?? "").finish()
        let reached = try await positions.wait(for: name, request)
        let status = try await stores.log { [inspector] in try inspector.status(name, $0) }
        return (status, reached)
    }

    private func entries(_ request: Request, _ name: StreamName) async throws -> Response {
        let query = try EntryQuery(request.uri.query ?? "")
        let reached = try await positions.wait(for: name, request)
        let (last, page) = try await stores.log { [inspector, reader] session in
            let last = try reader.bounds(name, session).last
            let (entries, next) = try query.read(name, inspector, session)
            return (last, (entries: entries, next: next))
        }
        var object = JSONObject()
        object.add("entries", raw: JSONArray.of(page.entries) { $0.append(contentsOf: StreamJSON.entry($1.position, $1.fields)) })
        object.add("next_cursor", optional: page.next?.text)
        return ViewAnswer.json(object.finish(), position: last, reached: reached)
    }

    private static func name(_ parameters: Parameters) throws(ProblemDocument) -> StreamName {
        let text = PercentText.decode(parameters.get("name") ?? "", plusIsSpace: false) ?? ""
        guard let name = StreamName(rawValue: text) else {
            let names = StreamName.allCases.map(\.rawValue)
            throw ProblemDocument(
                "stream-not-found", status: 404, title: "There is no such stream", detail: "The streams are \(names.joined(separator: ", ")).",
                members: [("streams", .strings(names))])
        }
        return name
    }
}
