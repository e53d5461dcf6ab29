internal import Control
internal import Core
internal import Hummingbird
internal import Web

/// The registry of backbones as the reference system serves it.
struct ReferenceRegistryRoutes: Sendable {
    let desk: ControlDesk
    private let ids = UUIDSource()

    init(desk: ControlDesk) { self.desk = desk }

    func add(to router: Router<some RequestContext>) {
        router.post("/backbone") { request, _ in try await ReferenceAnswer.answering(.success) { try await create(request) } }
        router.post("/backbones") { request, _ in try await ReferenceAnswer.answering(.success) { try await list(request) } }
        router.get("/backbone/{key}") { request, context in
            try await ReferenceAnswer.answering(.success) { try await one(request, try ControlRoutes.key(context.parameters)) }
        }
        router.put("/backbone/{key}") { request, context in
            try await ReferenceAnswer.answering(.success) { try await update(request, try ControlRoutes.key(context.parameters)) }
        }
        router.delete("/backbone/{key}") { request, context in
            try await ReferenceAnswer.answering(.success) { try await delete(request, try ControlRoutes.key(context.parameters)) }
        }
    }

    private func create(_ request: Request) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.backbone.noun)
        let key = body.root["system_id"].map(\.isNull) ?? true ? ids.next().description : body.text("system_id")
        try body.finish(ReferenceRecord.members)
        let record = try DocumentBody.object(ReferenceRecord.inward(body.root, keepsNull: false), ControlKind.backbone.noun)
        let receipt = try await run(.create(DocumentBody.named(record, "system_id", key)), key, request)
        return ReferenceAnswer.success(ReferenceAnswer.message("Backbone created", [("id", key)]), status: .created, position: receipt.position)
    }

    private func one(_ request: Request, _ key: String) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let picture = try await desk.present(request)
        guard let row = picture.state.row(.backbone, key) else { throw ControlProblem.notFound(.backbone, key, picture.position) }
        return ReferenceAnswer.success(ReferenceRecord.outward(row.document), position: picture.position)
    }

    private func update(_ request: Request, _ key: String) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.backbone.noun)
        try body.finish(ReferenceRecord.members)
        let receipt = try await run(.patch(ReferenceRecord.inward(body.root, keepsNull: true)), key, request)
        return ReferenceAnswer.success(ReferenceAnswer.message("Backbone updated", [("id", key)]), position: receipt.position)
    }

    private func delete(_ request: Request, _ key: String) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let receipt = try await run(.delete, key, request)
        return ReferenceAnswer.success(ReferenceAnswer.message("Backbone deleted", [("id", key)]), position: receipt.position)
    }

    private func list(_ request: Request) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let filter = try ReferenceFilter.read(try DocumentBody.object(try await DocumentBody.read(request, .document), "filter"))
        let picture = try await desk.present(request)
        let found = picture.state.rows(.backbone).filter { filter.matches($0.value.document) }.sorted { $0.key < $1.key }
        return ReferenceAnswer.success(JSONArray.of(found) { $0.append(contentsOf: ReferenceRecord.outward($1.value.document)) }, position: picture.position)
    }

    private func run(_ verb: ControlCommand.Verb, _ key: String, _ request: Request) async throws -> ControlReceipt {
        let author = try ChangeAuthor.read(request.headers, via: "reference")
        return try await desk.run(ControlCommand(verb, .backbone, key, author: author), path: "/backbone/\(PercentText.encode(key))")
    }
}
