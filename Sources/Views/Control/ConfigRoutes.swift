internal import Control
internal import Core
internal import Hummingbird
internal import Web

/// The configuration: values that are named by level, scope and name.
///
/// The body of a value is `{"value": …}`, so that a value of any type, also null or an object with a member of that name, is what it is.
/// What was read (`level`, `scope`, `name` besides) can be put back.
struct ConfigRoutes: Sendable {
    let desk: ControlDesk
    /// What holds where nothing is set, as JSON text.
    let defaults: [KnownSetting: [UInt8]]

    func add(to router: Router<some RequestContext>) {
        let documents = ControlDocuments(kind: .config, desk: desk)
        router.get("/v1/config") { request, _ in try await documents.list(request) }
        router.get("/v1/config/diff") { request, _ in try await documents.differences(request) }
        router.get("/v1/config/explain") { request, _ in try await explain(request) }
        router.get("/v1/config/known") { request, _ in try await known(request) }
        for path in ["/v1/config/global/{name}", "/v1/config/{level}/{scope}/{name}"] {
            let one = RouterPath(path)
            router.get(one) { request, context in try await documents.one(request, try ConfigRoutes.address(context.parameters).key) }
            router.put(one) { request, context in try await put(request, try ConfigRoutes.address(context.parameters), documents) }
            router.delete(one) { request, context in try await documents.delete(request, try ConfigRoutes.address(context.parameters).key) }
            router.get(RouterPath(path + "/history")) { request, context in
                try await documents.history(request, try ConfigRoutes.address(context.parameters).key)
            }
            router.get(RouterPath(path + "/diff")) { request, context in
                try await documents.difference(request, try ConfigRoutes.address(context.parameters).key)
            }
        }
    }

    // MARK: One value

    private func put(_ request: Request, _ address: ConfigAddress, _ documents: ControlDocuments) async throws -> Response {
        let (expected, author) = try documents.change(request)
        let root = try DocumentBody.object(try await DocumentBody.read(request, .document), ControlKind.config.noun)
        return try await documents.run(.put(try ConfigRoutes.document(root, address)), address.key, expected, author)
    }

    /// - Throws: 422 for a body that has no value, names another place or says more.
    private static func document(_ root: JSONNode, _ address: ConfigAddress) throws(ProblemDocument) -> [UInt8] {
        var refusal = Refusal()
        let named = ["level": address.level.rawValue, "scope": address.scope, "name": address.name]
        for (key, value) in root.members {
            guard let member = key.string, member != "value" else { continue }
            if let text = named[member] {
                if value.string != text { refusal.add(.conflict, "/\(member)", "the path says '\(text)'") }
            } else {
                refusal.add(.unknownField, Violation.pointer(to: member), "no such member; a value is {\"value\": …}")
            }
        }
        guard let value = root["value"] else {
            refusal.add(.missing, "/value", "the value, any JSON: {\"value\": …}")
            throw ControlProblem.refused(refusal, ControlKind.config.noun)
        }
        if !refusal.isEmpty { throw ControlProblem.refused(refusal, ControlKind.config.noun) }
        return address.document(value: value.text)
    }

    private static func address(_ parameters: Parameters) throws(ProblemDocument) -> ConfigAddress {
        var faults: [ParameterFault] = []
        func text(_ parameter: String) -> String {
            let text = PercentText.decode(parameters.get(parameter) ?? "", plusIsSpace: false)
            let detail = text.map { DocumentRules.keyFault($0) } ?? "it is not percent-encoded UTF-8"
            if let detail { faults.append(ParameterFault(parameter: parameter, detail: detail)) }
            return text ?? ""
        }
        let name = text("name")
        if name.contains("/") { faults.append(ParameterFault(parameter: "name", detail: "a name holds no '/'")) }
        guard parameters.get("level") != nil else {
            guard faults.isEmpty else { throw ParameterFault.problem(faults) }
            return ConfigAddress(.global, name: name)
        }
        let scope = text("scope")
        let level = ConfigLevel(rawValue: text("level"))
        if level == nil || level == .global {
            faults.append(ParameterFault(parameter: "level", detail: "none of org, topic, subject; a global value is /v1/config/global/{name}"))
        }
        guard faults.isEmpty, let level else { throw ParameterFault.problem(faults) }
        return ConfigAddress(level, scope: scope, name: name)
    }

    // MARK: What holds

    private func explain(_ request: Request) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let topic = query.text("topic")
        if let topic, let fault = Subject.literalFault(Array(topic.utf8).span) { query.fault("topic", fault) }
        let subject = query.name("subject")
        let key = query.name("key")
        if query.text("key") == nil { query.fault("key", "it is missing: the name of the value, such as \(KnownSetting.messageBytesMax.rawValue)") }
        let moment = query.moment("at")
        try query.finish()
        let picture = try await desk.picture(request, at: moment)
        let explanation = ConfigExplanation(key: key ?? "", topic: topic, subject: subject, table: picture.state.table, defaults: defaults)
        return ViewAnswer.json(explanation.json, position: picture.position)
    }

    private func known(_ request: Request) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let position = try await desk.present(request).position
        var object = JSONObject()
        object.add("settings", raw: JSONArray.of(KnownSetting.allCases) { $0.append(contentsOf: ConfigExplanation.json($1, defaults[$1])) })
        return ViewAnswer.json(object.finish(), position: position)
    }
}
