internal import Foundation
internal import Glibc
package import Logging
package import Stack
internal import Synchronization
internal import TestSupport
internal import Testing

/// A logger that says nothing: failures speak through errors.
package let quiet: Logger = {
    var logger = Logger(label: "stack")
    logger.logLevel = .critical
    return logger
}()

/// Runs `body` on a stack of its own and leaves nothing behind. PostgreSQL does not fsync: that matters to a machine that
/// loses power, not to a killed process, and makes initdb several times faster.
package func withStack(_ servers: Set<ServerKind> = Set(ServerKind.allCases), _ body: (EmbeddedStack) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        var configuration = EmbeddedStack.Configuration(dataFolder: folder)
        configuration.servers = servers
        configuration.ports = [:]
        configuration.postgresqlFsync = false
        let stack = try await EmbeddedStack.start(configuration, logger: quiet)
        do {
            try await body(stack)
            await stack.stop()
        } catch {
            await stack.stop()
            throw error
        }
    }
}

/// Redis's answer to one inline command, as it came.
package func redis(_ stack: EmbeddedStack, _ command: String) -> String? {
    guard let socket = LoopbackSocket(port: stack.redis.port), socket.send(command) else { return nil }
    return socket.receive { $0.hasSuffix("\r\n") }
}

@discardableResult
package func sql(_ stack: EmbeddedStack, _ text: String) throws -> [[String?]] {
    let session = try SetupSession(port: stack.postgresql.port, database: "meshlog")
    return try session.query(text)
}

/// The reply to one request on `subject`.
package func nats(_ stack: EmbeddedStack, _ subject: String, _ payload: String) -> String? {
    guard let socket = LoopbackSocket(port: stack.nats.port) else { return nil }
    let request = "CONNECT {\"verbose\":false}\r\nSUB reply 1\r\nPUB \(subject) reply \(payload.utf8.count)\r\n\(payload)\r\nPING\r\n"
    guard socket.send(request) else { return nil }
    return socket.receive { text in
        text.range(of: "MSG reply 1 ").map { text[$0.upperBound...].contains("}\r\n") } ?? false
    }
}

package func name(in url: String) -> String {
    String(url.split(separator: "/").last ?? "")
}

/// Counts across tasks.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    package init() {}
    package func add() { count.add(1, ordering: .relaxed) }
    package var value: Int { count.load(ordering: .relaxed) }
}

/// A process that the stack did not start.
///
/// Not Foundation's `Process`: it hands on the signal mask of the pool's threads, which blocks everything but SIGKILL.
package struct Stranger {
    private let pid: pid_t

    package init(_ words: [String]) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        // In the folder of its configuration, as the stack does it.
        let folder = URL(fileURLWithPath: words[1]).deletingLastPathComponent().path
        var chain = (["/usr/bin/env", "--chdir", folder] + words).map { strdup($0) } + [nil]
        defer { chain.forEach { free($0) } }
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, "/usr/bin/env", nil, &attributes, &chain, nil) == 0)
        self.pid = pid
    }

    /// Whether it is gone; reaps it.
    package var hasEnded: Bool {
        var status: Int32 = 0
        return waitpid(pid, &status, WNOHANG) == pid
    }
}
