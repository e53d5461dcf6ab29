internal import ArgumentParser
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// Hummingbird as it comes, with one route: what `tools/bench` measures reads against.
struct PingBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping-benchmark", abstract: "Serve GET /ping by plain Hummingbird; tools/bench uses it.", shouldDisplay: false)

    func run() async throws {
        let router = Router()
        router.get("/ping") { _, _ in "pong" }
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in Output.line("ping serves http://127.0.0.1:\(channel.localAddress?.port ?? 0)") }, logger: Logger(label: "ping"))
        try await app.runService()
    }
}
