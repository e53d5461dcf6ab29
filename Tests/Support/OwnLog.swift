package import Log
package import RedisDriver
package import Stack

/// A log of one test's own on a real Redis.
package struct OwnLog: Sendable {
    package let endpoint: RedisEndpoint
    package let keys: LogKeys
    package let catalog: StreamCatalog

    /// Runs `body` with a log whose streams and groups are there, and removes its keys on both paths.
    ///
    /// - Parameters:
    ///   - name: begins the name of its keys.
    ///   - redis: a server of the test's own; the shared one otherwise.
    package static func with<Value>(
        _ name: String, redis: EmbeddedServer? = nil, isolation: isolated (any Actor)? = #isolation, _ body: (OwnLog) async throws -> Value
    ) async throws -> Value {
        let server: EmbeddedServer
        if let redis { server = redis } else { server = try await SharedStack.shared.redis }
        let log = OwnLog(
            endpoint: try RedisEndpoint(url: server.url), keys: LogKeys(prefix: SharedStack.unique(name)),
            catalog: try StreamCatalog.load(Repository.root + "/streams"))
        try LogSetup(catalog: log.catalog, keys: log.keys).apply(try RedisSession(log.endpoint, name: "test"))
        defer { remove(log.keys, log.endpoint) }
        return try await body(log)
    }

    /// Removes everything that a log has in Redis; nothing when the server is gone.
    package static func remove(_ keys: LogKeys, _ endpoint: RedisEndpoint) {
        guard let session = try? RedisSession(endpoint, name: "test"), let names = try? session.run("KEYS", ["\(keys.prefix):*"]).array?.compactMap(\.text),
            !names.isEmpty
        else { return }
        _ = try? session.run("UNLINK", names)
    }
}
