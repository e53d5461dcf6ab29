internal import Control
internal import Core
internal import Hummingbird
internal import Web

/// The topics of subjects as the reference system serves them.
struct ReferenceTopicRoutes: Sendable {
    let desk: ControlDesk
    private let ids = UUIDSource()

    init(desk: ControlDesk) { self.desk = desk }

    func add(to router: Router<some RequestContext>) {
        router.post("/topics_data") { request, _ in try await ReferenceAnswer.answering(.plain) { try await create(request) } }
        router.get("/topics_data") { request, _ in try await ReferenceAnswer.answering(.plain) { try await list(request) } }
        router.get("/topics_data/{key}") { request, context in
            try await ReferenceAnswer.answering(.plain) { try await one(request, try ControlRoutes.key(context.parameters)) }
        }
        router.put("/topics_data/{key}") { request, context in
            try await ReferenceAnswer.answering(.plain) { try await update(request, try ControlRoutes.key(context.parameters)) }
        }
    }

    private func create(_ request: Request) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.topics.noun)
        let key = body.root["subject_id"] == nil ? ids.next().description : body.text("subject_id")
        _ = body.value("topic_ids")
        try body.finish(["subject_id", "topic_ids"])
        let receipt = try await run(.create(DocumentBody.named(body.root, "subject_id", key)), key, request)
        return ViewAnswer.json(ReferenceAnswer.message("Topics data created", [("subject_id", key)]), status: .created, position: receipt.position)
    }

    private func update(_ request: Request, _ key: String) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.topics.noun)
        _ = body.value("topic_ids")
        try body.finish(["subject_id", "topic_ids"])
        let receipt = try await run(.patch(body.root.document.text), key, request)
        return ViewAnswer.json(ReferenceAnswer.message("Topics data updated", [("subject_id", key)]), position: receipt.position)
    }

    private func one(_ request: Request, _ key: String) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let picture = try await desk.present(request)
        guard let row = picture.state.row(.topics, key) else { throw ControlProblem.notFound(.topics, key, picture.position) }
        return ViewAnswer.json(ReferenceTopicRoutes.record(row), position: picture.position)
    }

    private func list(_ request: Request) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let picture = try await desk.present(request)
        let rows = picture.state.rows(.topics).sorted { $0.key < $1.key }
        return ViewAnswer.json(JSONArray.of(rows) { $0.append(contentsOf: ReferenceTopicRoutes.record($1.value)) }, position: picture.position)
    }

    private static func record(_ row: ControlRow) -> [UInt8] {
        let root = try? JSONDocument(row.document).root
        var object = JSONObject()
        object.add("subject_id", root?["subject_id"]?.string ?? "")
        object.add("topic_ids", raw: root?["topic_ids"]?.text ?? Array("[]".utf8)[...])
        return object.finish()
    }

    private func run(_ verb: ControlCommand.Verb, _ key: String, _ request: Request) async throws -> ControlReceipt {
        let author = try ChangeAuthor.read(request.headers, via: "reference")
        return try await desk.run(ControlCommand(verb, .topics, key, author: author), path: "/topics_data/\(PercentText.encode(key))")
    }
}
