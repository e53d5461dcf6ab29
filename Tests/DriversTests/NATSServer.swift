internal import Foundation
internal import Logging
internal import NATSDriver
internal import Stack
internal import TestSupport

/// Runs `body` with a nats-server of its own, for tests that kill it or need it empty.
func withNATSServer(_ body: (EmbeddedServer) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        var configuration = EmbeddedStack.Configuration(dataFolder: folder)
        configuration.servers = [.nats]
        configuration.ports = [:]
        configuration.natsPayloadBytesMax = 1 << 20
        var logger = Logger(label: "nats")
        logger.logLevel = .warning
        let stack = try await EmbeddedStack.start(configuration, logger: logger)
        do {
            try await body(stack.nats)
            await stack.stop()
        } catch {
            await stack.stop()
            throw error
        }
    }
}
