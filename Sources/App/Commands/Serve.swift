internal import ArgumentParser
internal import Foundation
internal import Logging

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve existing Redis, PostgreSQL and NATS servers.",
        discussion: """
            Several processes may serve one log: each stage acts in one of them, the others stand by and take over.

            meshlog serve --redis-url redis://log:6379 --postgresql-url postgresql://meshlog@archive/meshlog --nats-url nats://hub:4222
            """)
    @OptionGroup var flags: ServeFlags

    func run() async throws {
        let settings = try Settings.resolve(flags)
        Logs.start(settings.logLevel)
        try await Wiring(settings: settings).run { port in
            Output.say("meshlog serves \(settings.url(port: port))")
        }
    }
}
