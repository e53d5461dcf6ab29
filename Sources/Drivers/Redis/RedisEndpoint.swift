internal import Foundation

/// Where a Redis server listens and how to log in.
package struct RedisEndpoint: Sendable, Hashable {
    package var host: String
    package var port: Int
    package var user: String?
    package var password: String?
    package var database: Int

    package init(host: String, port: Int, user: String? = nil, password: String? = nil, database: Int = 0) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
    }

    /// Reads `redis://[user:password@]host[:port][/database]`.
    package init(url: String) throws(RedisError) {
        guard let parts = URLComponents(string: url), parts.scheme == "redis", let host = parts.host, !host.isEmpty else {
            throw .badAddress(RedisEndpoint.redacted(url))
        }
        let path = parts.path.drop { $0 == "/" }
        guard path.isEmpty || Int(path) != nil else { throw .badAddress(RedisEndpoint.redacted(url)) }
        let user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        self.init(host: host, port: parts.port ?? 6379, user: user, password: parts.password, database: Int(path) ?? 0)
    }

    /// Without the password.
    package var description: String { "redis://\(host):\(port)" + (database == 0 ? "" : "/\(database)") }

    private static func redacted(_ url: String) -> String {
        guard let at = url.lastIndex(of: "@") else { return url }
        return "…" + url[at...]
    }
}
