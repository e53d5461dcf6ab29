internal import Log
internal import PostgreSQLDriver
internal import RedisDriver

/// Something that is asked again and again.
package struct Probe: Sendable {
    package let name: String
    let ask: @Sendable () async throws -> Void

    /// - Parameter ask: returns when all is well; throws what is wrong. It may hang: after `ViewLimits.pulsePatience` that counts as an error.
    package init(name: String, ask: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.ask = ask
    }

    /// Does Redis answer?
    package static func redis(_ stores: Stores) -> Probe {
        Probe(name: "redis") { _ = try await stores.log { try $0.run("PING") } }
    }

    /// Does PostgreSQL answer?
    package static func postgresql(_ stores: Stores) -> Probe {
        Probe(name: "postgresql") { try await stores.archive { try $0.ping() } }
    }
}
