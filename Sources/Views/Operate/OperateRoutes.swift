internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Log
internal import Web

/// What operators and their machines ask.
struct OperateRoutes: Sendable {
    let pulse: Pulse
    let metrics: Metrics
    let positions: Positions

    func add(to router: Router<some RequestContext>) {
        router.get("/healthz") { _, _ in await answer(Array(#"{"status":"alive"}"#.utf8), "application/json") }
        router.get("/readyz") { _, _ in try await ready() }
        router.get("/metrics") { _, _ in await answer(Array(metrics.render().utf8), "text/plain; version=0.0.4") }
        router.get("/openapi.yaml") { _, _ in await answer(OpenAPIDocument.bytes, "application/yaml") }
        router.get("/") { request, _ in
            try FeedRoute.refuseUpgrade(request)
            return await answer(Array(FrontPage.html.utf8), "text/html; charset=utf-8")
        }
    }

    private func answer(_ bytes: [UInt8], _ type: String) async -> Response {
        ViewAnswer.data(bytes, type: type, position: await positions.archive.known)
    }

    private func ready() async throws -> Response {
        let health = pulse.health
        let missing = health.filter { $0.missingSince != nil }
        let servers = JSONArray.of(health) { out, server in
            var object = JSONObject()
            object.add("name", server.name)
            object.add("reachable", server.missingSince == nil)
            object.add("missing_since", time: server.missingSince)
            out.append(contentsOf: object.finish())
        }
        guard missing.isEmpty else {
            throw ProblemDocument(
                "not-ready", status: 503, title: "A server is missing",
                detail: missing.map { "\($0.name) has not answered since \(Timestamp.rfc3339(microseconds: $0.missingSince ?? 0))" }.joined(separator: "; "),
                members: [("missing", .strings(missing.map(\.name))), ("servers", .json(servers))], headers: [.retryAfter: "1"])
        }
        var object = JSONObject()
        object.add("status", "ready")
        object.add("servers", raw: servers)
        return await answer(object.finish(), "application/json")
    }
}
