package import Log
package import PostgreSQLDriver
package import RedisDriver

/// Where the past lies: the log, and the archive that goes on from it into the past.
package struct HistoryPlace: Sendable {
    package let keys: LogKeys
    package let endpoint: RedisEndpoint
    /// Makes a connection to the archive with this application name.
    package let connect: @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession

    package init(keys: LogKeys, endpoint: RedisEndpoint, connect: @escaping @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession) {
        self.keys = keys
        self.endpoint = endpoint
        self.connect = connect
    }

    /// A connection to the log for one reader of the past.
    package func session(_ name: String) throws(HistoryError) -> RedisSession {
        do throws(RedisError) { return try RedisSession(endpoint, name: "meshlog-\(name)", timeout: .seconds(30)) } catch { throw .log(error) }
    }
}
