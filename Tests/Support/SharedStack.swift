internal import Foundation
internal import Logging
package import Stack
internal import Synchronization

/// The servers of this test process: started by the first test that asks, ended with the process.
///
/// All tests share them, side by side. Each takes names of its own: `unique("orders")` for key prefixes and subjects,
/// `withDatabase` for a database. The data lies in a temporary folder that goes when the process goes.
package enum SharedStack {
    private static let start = Task { () async throws -> EmbeddedStack in
        sweepDeadRuns()
        let folder = NSTemporaryDirectory().trimmingSuffix("/") + "/\(prefix)\(ProcessInfo.processInfo.processIdentifier)"
        var configuration = EmbeddedStack.Configuration(dataFolder: folder)
        configuration.ports = [:]
        configuration.postgresqlConnectionsMax = 300
        // Every test has a database, and each CREATE DATABASE would wait for the disk. Tests of durability start stacks of their own.
        configuration.postgresqlFsync = false
        var logger = Logger(label: "stack")
        logger.logLevel = .warning
        let stack = try await EmbeddedStack.start(configuration, logger: logger)
        running.withLock { $0 = (stack, folder) }
        atexit { SharedStack.end() }
        return stack
    }

    private static let running = Mutex<(stack: EmbeddedStack, folder: String)?>(nil)
    private static let counter = Atomic<Int>(0)
    private static let prefix = "meshlog-tests-"

    /// The running stack. Cost: about 1 s for the first caller, nothing for the others.
    package static var shared: EmbeddedStack {
        get async throws { try await start.value }
    }

    /// A name no other test of this run has: `orders_12`. Good as a Redis key prefix, a NATS subject token, a database name.
    package static func unique(_ name: String) -> String {
        "\(name)_\(counter.add(1, ordering: .relaxed).newValue)"
    }

    /// A port of 127.0.0.1 that nobody listens on.
    package static func freePort() -> Int { Ports.free() }

    // MARK: - Databases

    /// Runs `body` with the URL of a fresh database, and drops it afterwards.
    ///
    /// - Parameter template: from `template(_:prepare:)`; nil: an empty database.
    package static func withDatabase<Value>(
        template: String? = nil, isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Value
    ) async throws -> Value {
        let postgresql = try await shared.postgresql
        let name = unique("test")
        try await administrate("CREATE DATABASE \(name) TEMPLATE \(template ?? "template0")", on: postgresql)
        do {
            let value = try await body(url(of: name, on: postgresql))
            try await administrate("DROP DATABASE \(name) WITH (FORCE)", on: postgresql)
            return value
        } catch {
            try? await administrate("DROP DATABASE \(name) WITH (FORCE)", on: postgresql)
            throw error
        }
    }

    /// The URL of a fresh, empty database that stays until the process ends; for what many tests share.
    package static func database() async throws -> String {
        let postgresql = try await shared.postgresql
        let name = unique("kept")
        try await administrate("CREATE DATABASE \(name) TEMPLATE template0", on: postgresql)
        return url(of: name, on: postgresql)
    }

    /// Makes the template `name` once per test process: `prepare` gets its URL and, say, applies the migrations. It must
    /// close its connections before it returns: PostgreSQL copies no database that is in use.
    package static func template(
        _ name: String, prepare: @escaping @Sendable (String) async throws -> Void
    ) async throws -> String {
        let task = templates.withLock { tasks in
            if let task = tasks[name] { return task }
            let task = Task {
                let postgresql = try await shared.postgresql
                let database = "template_\(name)"
                try await administrate("CREATE DATABASE \(database) TEMPLATE template0", on: postgresql)
                try await prepare(url(of: database, on: postgresql))
                // The workers of an extension (TimescaleDB's scheduler) would stay connected, and keep it from being copied.
                try await administrate("ALTER DATABASE \(database) ALLOW_CONNECTIONS false", on: postgresql)
                try await administrate("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)'", on: postgresql)
                return database
            }
            tasks[name] = task
            return task
        }
        return try await task.value
    }

    private static let templates = Mutex<[String: Task<String, any Error>]>([:])

    private static func url(of database: String, on server: EmbeddedServer) -> String {
        "postgresql://meshlog@127.0.0.1:\(server.port)/\(database)"
    }

    /// A template is copied by one at a time ("source database is being accessed by other users" else): the others wait.
    private static func administrate(_ sql: String, on server: EmbeddedServer) async throws {
        let port = server.port
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            administration.async {
                continuation.resume(
                    with: Result {
                        let session = try SetupSession(port: port, database: "postgres")
                        try session.query(sql)
                    })
            }
        }
    }

    private static let administration = DispatchQueue(label: "meshlog.tests.databases")

    // MARK: - End

    private static func end() {
        guard let (stack, folder) = running.withLock({ $0 }) else { return }
        stack.kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Folders of test processes that were killed before they could clean up. Their servers got the death signal.
    private static func sweepDeadRuns() {
        let parent = NSTemporaryDirectory()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            guard let pid = Int32(name.dropFirst(prefix.count)), !FileManager.default.fileExists(atPath: "/proc/\(pid)") else { continue }
            try? FileManager.default.removeItem(atPath: parent + "/" + name)
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
