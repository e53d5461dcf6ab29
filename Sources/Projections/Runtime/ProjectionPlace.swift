package import Log
package import PostgreSQLDriver
package import RedisDriver

/// Where projections run: the log they read, the database their rows lie in, and who this process is.
package struct ProjectionPlace: Sendable {
    package let keys: LogKeys
    package let endpoint: RedisEndpoint
    package let instance: String
    package let leaseTTL: Duration
    package let metrics: Metrics
    /// How often a quiet projection looks for requests: retries, rebuilds, restarts.
    package let poll: Duration
    /// Of the router in this process; rows are kept up to date from it, but proofs and rebuilds read the log.
    package let tail: DecidedTail
    /// Makes a connection with this application name.
    package let connect: @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession

    package init(
        keys: LogKeys, endpoint: RedisEndpoint, instance: String, leaseTTL: Duration = .seconds(10), poll: Duration = .seconds(1),
        tail: DecidedTail = DecidedTail(), metrics: Metrics,
        connect: @escaping @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession
    ) {
        self.keys = keys
        self.endpoint = endpoint
        self.instance = instance
        self.leaseTTL = leaseTTL
        self.poll = poll
        self.tail = tail
        self.metrics = metrics
        self.connect = connect
    }

    func redis(_ name: String) throws(ProjectionError) -> RedisSession {
        do { return try RedisSession(endpoint, name: "meshlog-\(name)", timeout: .seconds(30)) } catch { throw .log(error) }
    }

    func postgresql(_ name: String) throws(ProjectionError) -> PostgreSQLSession {
        do { return try connect("meshlog-\(name)") } catch { throw .database(error) }
    }
}
