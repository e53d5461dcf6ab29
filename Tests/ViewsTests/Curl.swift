internal import TestSupport

extension Curl {
    static func run(_ rig: ViewsRig, _ method: String, _ path: String, _ body: String? = nil) async throws -> Answer {
        try await run(port: rig.port, method, path, body)
    }
}
