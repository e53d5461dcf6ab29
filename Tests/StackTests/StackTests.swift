internal import Foundation
internal import Glibc
internal import Logging
internal import Stack
internal import TestSupport
internal import Testing

@Suite("The embedded stack", .serialized)
struct StackTests {
    @Test("What each server was told before kill -9 is still there after a restart on the same port")
    func killAndRestart() async throws {
        try await withStack { stack in
            let ports = stack.all.map(\.port)
            #expect(redis(stack, "SET before kill\r\n") == "+OK\r\n")
            try sql(stack, "CREATE TABLE before (word text); INSERT INTO before VALUES ('kill')")
            #expect(
                nats(stack, "$JS.API.STREAM.CREATE.before", #"{"name":"before","subjects":["before.>"],"storage":"file"}"#)?.contains(
                    "error") == false)
            #expect(nats(stack, "before.1", "kill")?.contains(#""seq":1"#) == true)

            for server in stack.all {
                let pid = try #require(server.pid)
                await server.kill9()
                #expect(!server.isRunning)
                try await server.restart()
                #expect(server.pid != pid)
            }

            #expect(stack.all.map(\.port) == ports)
            #expect(redis(stack, "GET before\r\n") == "$4\r\nkill\r\n")
            #expect(try sql(stack, "SELECT word FROM before") == [["kill"]])
            #expect(nats(stack, "$JS.API.STREAM.INFO.before", "")?.contains(#""messages":1"#) == true)
        }
    }

    @Test("Redis runs with an append-only file, an fsync before every reply, and never evicts")
    func redisSettings() async throws {
        try await withStack([.redis]) { stack in
            for (name, value) in [
                ("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction"), ("save", ""), ("bind", "127.0.0.1"),
            ] {
                #expect(
                    redis(stack, "CONFIG GET \(name)\r\n") == "*2\r\n$\(name.utf8.count)\r\n\(name)\r\n$\(value.utf8.count)\r\n\(value)\r\n"
                )
            }
        }
    }

    @Test("A half-written last entry of the append-only file is cut off, and Redis starts")
    func truncatedLog() async throws {
        try await withStack([.redis]) { stack in
            #expect(redis(stack, "SET whole entry\r\n") == "+OK\r\n")
            await stack.redis.kill9()
            let folder = stack.redis.folder + "/appendonlydir"
            let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".incr.aof") })
            let handle = try #require(FileHandle(forWritingAtPath: "\(folder)/\(file)"))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("*3\r\n$3\r\nSET\r\n$4\r\nha".utf8))
            try handle.close()
            try await stack.redis.restart()
            #expect(redis(stack, "GET whole\r\n") == "$5\r\nentry\r\n")
            #expect(redis(stack, "DBSIZE\r\n") == ":1\r\n")
        }
    }

    @Test("A lock file of PostgreSQL that names a living stranger does not keep it from starting")
    func staleLockFile() async throws {
        try await withStack([.postgresql]) { stack in
            await stack.postgresql.kill9()
            let path = stack.postgresql.folder + "/data/postmaster.pid"
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
            let stranger = "\(ProcessInfo.processInfo.processIdentifier)\n" + lines.dropFirst().joined(separator: "\n")
            try stranger.write(toFile: path, atomically: false, encoding: .utf8)
            try await stack.postgresql.restart()
            #expect(try sql(stack, "SELECT 1") == [["1"]])
        }
    }

    @Test("PostgreSQL has the database meshlog in UTF-8 with C order, and asks nobody for a password")
    func database() async throws {
        try await withStack([.postgresql]) { stack in
            let row = try sql(
                stack,
                """
                SELECT current_user, datname, pg_encoding_to_char(encoding), datcollate
                FROM pg_database WHERE datname = current_database()
                """
            )
            #expect(row == [["meshlog", "meshlog", "UTF8", "C"]])
        }
    }

    @Test("A taken port is named with its holder and the setting that changes it", arguments: ServerKind.allCases)
    func takenPort(kind: ServerKind) async throws {
        // The kernel lists them a page at a time, in no order: one of many must be found, too.
        let crowd = (0..<80).compactMap { _ in Listener() }
        try await withStack([.redis]) { holder in
            let port = holder.redis.port
            #expect(crowd.count == 80)
            try await withTemporaryFolder { folder in
                var configuration = EmbeddedStack.Configuration(dataFolder: folder)
                configuration.servers = [kind]
                configuration.ports = [kind: port]
                let error = await #expect(throws: StackError.self) { _ = try await EmbeddedStack.start(configuration, logger: quiet) }
                let text = try #require(error).description
                #expect(text.contains("Port \(port) for \(kind.title) is taken by process \(holder.redis.pid ?? 0) (redis-server)"))
                #expect(text.contains("--\(kind.rawValue)-port"))
            }
        }
    }

    @Test("A second stack on the same data folder is refused, with the process that has it")
    func folderInUse() async throws {
        try await withStack([.redis]) { stack in
            let error = await #expect(throws: StackError.self) {
                _ = try await EmbeddedStack.start(stack.configuration, logger: quiet)
            }
            let text = try #require(error).description
            #expect(text.contains("is in use by process \(ProcessInfo.processInfo.processIdentifier)"))
        }
    }

    @Test("Whoever asks learns who runs on a data folder, and nobody when none does, whatever an old report says")
    func holder() async throws {
        try await withTemporaryFolder { folder in
            #expect(FolderLock.holder(of: folder) == nil)
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            try await {
                let stack = try await EmbeddedStack.start(configuration, logger: quiet)
                #expect(FolderLock.holder(of: folder) == ProcessInfo.processInfo.processIdentifier)
                await stack.stop()
            }()
            #expect(FileManager.default.fileExists(atPath: folder + "/stack.json"))
            #expect(FolderLock.holder(of: folder) == nil)
        }
    }

    @Test("A stop ends a start that is still loading, and is not undone by it", .timeLimit(.minutes(2)))
    func stopWhileLoading() async throws {
        try await withStack([.redis]) { stack in
            for key in 0..<200 { #expect(redis(stack, "SET key\(key) value\r\n") == "+OK\r\n") }
            await stack.redis.stop()
            // A second for each key, as a very slow disk would need.
            try "key-load-delay 1000000\n".write(toFile: stack.redis.folder + "/local.conf", atomically: true, encoding: .utf8)
            let known = stack.redis.logTail(lines: 1_000)
            let start = Task { try await stack.redis.start() }
            #expect(await eventually { stack.redis.logTail(lines: 1_000).dropFirst(known.count).contains("Server initialized") })
            let begun = ContinuousClock.now
            await stack.redis.stop()
            #expect(ContinuousClock.now - begun < .seconds(60))
            await #expect(throws: StackError.stopped(server: .redis)) { try await start.value }
            #expect(!stack.redis.isRunning)
        }
    }

    @Test("Stopping leaves no process, and the next start has the data in under three seconds")
    func stopAndStart() async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.ports = [:]
            configuration.postgresqlFsync = false
            var pids: [Int32] = []
            do {
                let stack = try await EmbeddedStack.start(configuration, logger: quiet)
                pids = stack.all.compactMap(\.pid)
                #expect(pids.count == 3)
                #expect(redis(stack, "SET kept yes\r\n") == "+OK\r\n")
                await stack.stop()
                #expect(stack.all.allSatisfy { !$0.isRunning })
            }
            #expect(pids.allSatisfy { !FileManager.default.fileExists(atPath: "/proc/\($0)") })
            // Other tests share the machine: the fastest of a few starts is what a start takes.
            var fastest = Duration.seconds(3_600)
            for _ in 0..<3 where fastest >= .seconds(3) {
                let started = ContinuousClock.now
                let stack = try await EmbeddedStack.start(configuration, logger: quiet)
                fastest = min(fastest, ContinuousClock.now - started)
                #expect(redis(stack, "GET kept\r\n") == "$3\r\nyes\r\n")
                await stack.stop()
            }
            #expect(fastest < .seconds(3), "a warm start took \(fastest)")
        }
    }

    @Test("A supervised server that is killed comes back by itself")
    func supervised() async throws {
        try await withStack([.redis, .nats]) { stack in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await stack.supervise() }
                for server in stack.all {
                    let pid = server.pid
                    await server.kill9()
                    #expect(await eventually { server.pid != nil && server.pid != pid })
                }
                group.cancelAll()
            }
        }
    }

    @Test("Servers that outlive a killed run are stopped by the next start")
    func leftovers() async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            let first = try await EmbeddedStack.start(configuration, logger: quiet)
            await first.stop()
            // The same data, run by nobody of ours: what a run leaves that could not tell its servers to stop.
            let stranger = try Stranger(["/usr/bin/redis-server", first.redis.folder + "/redis.conf", "--logfile", "/dev/null"])
            #expect(await eventually { redis(first, "PING\r\n") == "+PONG\r\n" })
            try await first.redis.restart()
            #expect(stranger.hasEnded)
            #expect(first.redis.isRunning)
            await first.stop()
        }
    }

    @Test("What is not installed is named as Debian packages with the line that installs them")
    func prerequisites() throws {
        #expect(Prerequisites.find().missingPackages().isEmpty)
        let none = Prerequisites(redisServer: nil, natsServer: nil, postgresqlFolders: [])
        #expect(none.missingPackages() == ["nats-server", "redis-server", "postgresql-15"])
        #expect(none.missingPackages(for: [.redis]) == ["redis-server"])
        #expect(Prerequisites.installLine(["redis-server"]).hasSuffix("apt-get install -y --no-install-recommends redis-server"))
    }

    @Test("Tests get databases of their own, copied from a template that is made once")
    func databases() async throws {
        let made = Counter()
        let port = try await SharedStack.shared.postgresql.port
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let template = try await SharedStack.template("stack_tests") { url in
                        made.add()
                        let session = try SetupSession(port: port, database: name(in: url))
                        try session.query("CREATE TABLE prepared (word text)")
                    }
                    try await SharedStack.withDatabase(template: template) { url in
                        let session = try SetupSession(port: port, database: name(in: url))
                        #expect(try session.query("INSERT INTO prepared VALUES ('mine') RETURNING word") == [["mine"]])
                        #expect(try session.query("SELECT count(*) FROM prepared") == [["1"]])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(made.value == 1)
        #expect(SharedStack.unique("name") != SharedStack.unique("name"))
    }
}

/// A socket that listens on any free port of 127.0.0.1.
private final class Listener {
    private let socket: Int32

    init?() {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        if !isBound || listen(socket, 1) != 0 { return nil }
    }

    deinit { close(socket) }
}
