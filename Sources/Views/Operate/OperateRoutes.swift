package import Control
internal import Core
internal import HTTPTypes
package import Hummingbird
package import Log
internal import Web

/// What operators and their machines ask, whatever the process does besides.
package struct OperateRoutes: Sendable {
    private let pulse: Pulse
    private let metrics: Metrics
    private let positions: Positions

    init(pulse: Pulse, metrics: Metrics, positions: Positions) {
        self.pulse = pulse
        self.metrics = metrics
        self.positions = positions
    }

    /// For a process without views.
    ///
    /// - Parameters:
    ///   - pulse: is run by the caller.
    ///   - control: is run by the caller.
    package init(pulse: Pulse, metrics: Metrics, stores: Stores, keys: LogKeys, control: ControlFollower) {
        self.init(pulse: pulse, metrics: metrics, positions: Positions(stores: stores, keys: keys, control: control))
    }

    package func add(to router: Router<some RequestContext>) {
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
