internal import Log
package import PostgreSQLDriver
package import RedisDriver

/// Something that is asked again and again.
package struct Probe: Sendable {
    package let name: String
    let ask: @Sendable () async throws -> Void
    /// What must run meanwhile.
    let serve: @Sendable () async -> Void
    /// Is what this process needs of the server set up?
    let isUsed: @Sendable () -> Bool

    /// - Parameters:
    ///   - isUsed: looked at with each answer; a server that is not used yet counts as missing.
    ///   - ask: returns when all is well; throws what is wrong. It may hang: after `ViewLimits.pulsePatience` that counts as an error.
    package init(name: String, isUsed: @escaping @Sendable () -> Bool = { true }, ask: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.isUsed = isUsed
        self.ask = ask
        serve = {}
    }

    /// Asks a server on a connection of its own: those of the reads may all be busy with what takes long, while the server is well.
    private init<Session>(
        name: String, connect: @escaping @Sendable () throws -> Session, ask: @escaping @Sendable (Session) throws -> Void
    ) {
        let connection = BlockingPool<Session>(name: "\(name)-probe", width: 1, connect: connect)
        self.name = name
        isUsed = { true }
        self.ask = { try await connection.run(ask) }
        serve = { await connection.serve() }
    }

    /// Does Redis answer?
    package static func redis(_ endpoint: RedisEndpoint) -> Probe {
        Probe(name: "redis", connect: { try RedisSession(endpoint, name: "meshlog-probe") }, ask: { _ = try $0.run("PING") })
    }

    /// Does PostgreSQL answer, and is the archive as it must be?
    ///
    /// - Parameter connect: makes a connection with this application name, to an archive that can be used.
    package static func postgresql(_ connect: @escaping @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession) -> Probe {
        Probe(name: "postgresql", connect: { try connect("meshlog-probe") }, ask: { try $0.ping() })
    }
}
