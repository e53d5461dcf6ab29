internal import Control
internal import Core
internal import Hummingbird
internal import Web

/// The configuration as the reference system serves it: values of topics, and global ones.
struct ReferenceConfigRoutes: Sendable {
    let desk: ControlDesk

    func add(to router: Router<some RequestContext>) {
        router.post("/messaging_config") { request, _ in try await ReferenceAnswer.answering(.plain) { try await createForTopic(request) } }
        router.put("/messaging_config/{topic_id}") { request, context in
            try await ReferenceAnswer.answering(.plain) { try await updateForTopic(request, try Self.name("topic_id", context.parameters)) }
        }
        router.get("/messaging_config/{topic_id}") { request, context in
            try await ReferenceAnswer.answering(.plain) { try await allOfTopic(request, try Self.name("topic_id", context.parameters)) }
        }
        router.get("/messaging_config/{topic_id}/{config_name}") { request, context in
            try await ReferenceAnswer.answering(.plain) {
                let topic = try Self.name("topic_id", context.parameters)
                return try await one(request, ConfigAddress(.topic, scope: topic, name: try Self.name("config_name", context.parameters)))
            }
        }
        router.post("/global_config") { request, _ in try await ReferenceAnswer.answering(.plain) { try await createGlobal(request) } }
        router.get("/global_config") { request, _ in try await ReferenceAnswer.answering(.plain) { try await allGlobal(request) } }
        router.put("/global_config/{config_name}") { request, context in
            try await ReferenceAnswer.answering(.plain) { try await updateGlobal(request, try Self.name("config_name", context.parameters)) }
        }
        router.get("/global_config/{config_name}") { request, context in
            try await ReferenceAnswer.answering(.plain) {
                try await one(request, ConfigAddress(.global, name: try Self.name("config_name", context.parameters)))
            }
        }
    }

    // MARK: Topics

    private func createForTopic(_ request: Request) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.config.noun)
        let address = ConfigAddress(.topic, scope: body.text("topic_id"), name: body.text("config_name"))
        let value = body.value("config_value")
        try body.finish(["topic_id", "config_name", "config_value"])
        guard try await desk.present(request).state.isKnown(topic: address.scope) else {
            throw ControlProblem.refused(Refusal(.conflict, "/topic_id", "no topics data names the topic '\(address.scope)'"), ControlKind.config.noun)
        }
        return try await write(.create(address.document(value: value)), address, request, expected: nil)
    }

    private func updateForTopic(_ request: Request, _ topic: String) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.config.noun)
        let address = ConfigAddress(.topic, scope: topic, name: body.text("config_name"))
        let value = body.value("config_value")
        try body.finish(["config_name", "config_value"])
        return try await write(.put(address.document(value: value)), address, request, expected: .exists)
    }

    private func allOfTopic(_ request: Request, _ topic: String) async throws -> Response {
        try await list(request) {
            $0.level == .topic && $0.scope == topic
        } missing: {
            ControlProblem.notFound(.config, "topic/*/\(topic)", $0)
        }
    }

    // MARK: Global

    private func createGlobal(_ request: Request) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.config.noun)
        let address = ConfigAddress(.global, name: body.text("config_name"))
        let value = body.value("config_value")
        try body.finish(["config_name", "config_value"])
        return try await write(.create(address.document(value: value)), address, request, expected: nil)
    }

    private func updateGlobal(_ request: Request, _ name: String) async throws -> Response {
        var body = try await ReferenceBody(request, ControlKind.config.noun)
        let address = ConfigAddress(.global, name: name)
        let value = body.value("config_value")
        try body.finish(["config_value"])
        return try await write(.put(address.document(value: value)), address, request, expected: .exists)
    }

    private func allGlobal(_ request: Request) async throws -> Response {
        try await list(request) {
            $0.level == .global
        } missing: { _ in
            nil
        }
    }

    // MARK: Both

    private func one(_ request: Request, _ address: ConfigAddress) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let picture = try await desk.present(request)
        guard let row = picture.state.row(.config, address.key) else { throw ControlProblem.notFound(.config, address.key, picture.position) }
        return ViewAnswer.json(Self.record(address, row), position: picture.position)
    }

    /// - Parameter missing: what is said when there are none; nil to answer an empty list.
    private func list(
        _ request: Request, _ isMeant: (ConfigAddress) -> Bool, missing: (Position) -> ProblemDocument?
    ) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let picture = try await desk.present(request)
        let found = picture.state.rows(.config).compactMap { key, row in ConfigAddress(key: key).map { (address: $0, row: row) } }
            .filter { isMeant($0.address) }.sorted { $0.address.name < $1.address.name }
        if found.isEmpty, let problem = missing(picture.position) { throw problem }
        return ViewAnswer.json(JSONArray.of(found) { $0.append(contentsOf: Self.record($1.address, $1.row)) }, position: picture.position)
    }

    private func write(
        _ verb: ControlCommand.Verb, _ address: ConfigAddress, _ request: Request, expected: ExpectedVersion?
    ) async throws -> Response {
        let author = try ChangeAuthor.read(request.headers, via: "reference")
        let receipt = try await desk.run(
            ControlCommand(verb, .config, address.key, expected: expected, author: author), path: ControlKind.config.path(address.key))
        let text = receipt.isNew ? "Configuration created" : "Configuration updated"
        return ViewAnswer.json(
            ReferenceAnswer.message(text, [("config_name", address.name)]), status: receipt.isNew ? .created : .ok, position: receipt.position)
    }

    private static func record(_ address: ConfigAddress, _ row: ControlRow) -> [UInt8] {
        var object = JSONObject()
        if address.level == .topic { object.add("topic_id", address.scope) }
        object.add("config_name", address.name)
        object.add("config_value", raw: ConfigExplanation.value(row.document))
        return object.finish()
    }

    private static func name(_ parameter: String, _ parameters: Parameters) throws(ProblemDocument) -> String {
        let text = PercentText.decode(parameters.get(parameter) ?? "", plusIsSpace: false)
        if let text, DocumentRules.keyFault(text) == nil { return text }
        throw ParameterFault.problem([
            ParameterFault(parameter: parameter, detail: text.flatMap { DocumentRules.keyFault($0) } ?? "it is not percent-encoded UTF-8")
        ])
    }
}
