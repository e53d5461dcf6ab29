import Foundation
import Glibc
import Stack
import TestSupport
import Testing

/// What people and scripts get from commands on their own machine.
@Suite("Commands")
struct CommandTests {
    @Test(
        "A setting that cannot be used ends the command with 64 and names it",
        arguments: [
            (["tail", "--url", "http://127.0.0.1:70000"], "no address"), (["serve", "--redis-url", "redis://127.0.0.1:70000"], "redis-url"),
            (["serve", "--postgresql-url", "postgresql://u:secret@127.0.0.1:70000/x"], "postgresql-url"),
            (["serve", "--nats-url", "nats://user:secret@127.0.0.1:70000"], "nats-url"), (["doctor", "--nats-url", "foo user:secret@x"], "nats-url"),
            (["serve", "--roles", ""], "roles"), (["serve", "--nats-subject", "Q", "--jetstream-subject", "Q"], "jetstream-subject"),
            (["serve", "--jetstream-stream", "a b"], "jetstream-stream"), (["serve", "--backbone-stream", ""], "backbone-stream"),
            (["serve", "--backbone-stream", "MESHLOG_DOOR"], "backbone-stream"), (["serve", "--backbone-name", " "], "backbone-name"),
            (["serve", "--nats-credentials", "/nowhere/x.creds"], "/nowhere/x.creds"), (["up", "--redis-port", "65536"], "Redis"),
        ])
    func settings(arguments: [String], says: String) async throws {
        let answer = try await MeshlogProcess.command(arguments, environment: ["MESHLOG_HOME": Repository.root])
        #expect(answer.status == 64 && answer.errors.contains(says) && !answer.errors.contains("secret"), "\(answer)")
    }

    @Test(
        "A port that is none is refused, and not silently another",
        arguments: [("MESHLOG_REDIS_PORT", "6379x"), ("MESHLOG_POSTGRESQL_PORT", "-1"), ("MESHLOG_NATS_PORT", "")])
    func ports(name: String, value: String) async throws {
        try await withTemporaryFolder { folder in
            let answer = try await MeshlogProcess.command(["up", "--data", folder, "--home", Repository.root], environment: [name: value])
            #expect(answer.status == 64 && answer.errors.contains("'\(value)'"), "\(answer)")
        }
    }

    @Test("A file of settings that cannot be read ends the command with 64 and is named") func settingsFile() async throws {
        try await withTemporaryFolder { folder in
            let files = [("broken.yaml", Data("port: [".utf8)), ("latin.yaml", Data([0x70, 0x3A, 0x20, 0xE9])), ("list.yaml", Data("- port".utf8))]
            for (name, data) in files { try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
            for path in files.map({ "\(folder)/\($0.0)" }) + [folder, folder + "/none.yaml"] {
                let answer = try await MeshlogProcess.command(["serve", "--config", path])
                #expect(answer.status == 64 && answer.errors.contains(path) && !answer.errors.contains("NSCocoa"), "\(answer)")
            }
        }
    }

    @Test("A file of policy that cannot be used ends the command with 2; times in it need no quotes; --json stays JSON") func policyFiles() async throws {
        try await withTemporaryFolder { folder in
            func write(_ name: String, _ text: String) throws -> String {
                let path = "\(folder)/\(name)"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                return path
            }
            for path in ["\(folder)/none.yaml", folder] {
                let lint = try await MeshlogProcess.command(["constraints", "lint", path])
                #expect(lint.status == 2 && lint.errors.contains(path), "\(lint)")
                #expect(try await MeshlogProcess.command(["publish", path]).status == 2)
            }
            let suite = try write(
                "suite.yaml",
                """
                constraints:
                  - {constraint_id: late, when: "now > timestamp('2026-01-01T00:00:00Z')", action: {type: block}}
                cases:
                  - name: after
                    now: 2026-01-02T12:00:00Z
                    message: {topic: a.b, data: 1}
                    expect: {outcome: block}
                """)
            let test = try await MeshlogProcess.command(["constraints", "test", suite])
            #expect(test.status == 0 && test.output.contains("1 cases, 0 failed"), "\(test)")
            let odd = try await MeshlogProcess.command(["constraints", "lint", try write("odd.yaml", "- {when: .nan}")])
            #expect(odd.status == 2 && odd.errors.contains("JSON does not have"), "\(odd)")
            let bad = try write("bad.yaml", "- {constraint_id: x, action: {type: explode}}")
            let whatIf = try await MeshlogProcess.command(["what-if", "--constraints", bad, "--json", "--home", Repository.root])
            #expect(whatIf.status == 2 && (try? JSONSerialization.jsonObject(with: Data(whatIf.output.utf8))) != nil, "\(whatIf)")
        }
    }

    @Test("A projection that there is none of is refused with 2, also where the log is read directly") func rebuild() async throws {
        let answer = try await MeshlogProcess.command(["rebuild", "nope", "--verify", "--home", Repository.root])
        #expect(answer.status == 2 && answer.errors.contains("nope"), "\(answer)")
    }

    @Test("Addresses that nobody gave are those of the embedded stack; what was given holds, also where it is the usual one") func embedded() async throws {
        let stack = try await SharedStack.shared
        let url = try await SharedStack.database()
        try await withTemporaryFolder { folder in
            // As `meshlog up` does for as long as it runs.
            let lock = try FolderLock(folder: folder)
            defer { withExtendedLifetime(lock) {} }
            let report: [String: Any] = [
                "pid": Int(ProcessInfo.processInfo.processIdentifier), "redis": ["url": stack.redis.url], "postgresql": ["url": url],
                "nats": ["url": stack.nats.url],
            ]
            try JSONSerialization.data(withJSONObject: report).write(to: URL(fileURLWithPath: folder + "/stack.json"))
            let home = ["--home", Repository.root]
            let usual = "redis://127.0.0.1:6379"
            // A server may be there or not: its own address is named in both cases.
            let given = try await MeshlogProcess.command(["doctor", "--data", folder, "--redis-url", usual] + home)
            let redis = given.output.split(separator: "\n").first { $0.contains("Redis reachable") } ?? ""
            #expect(redis.contains("127.0.0.1:6379") && !redis.contains("\(stack.redis.port)"), "\(given)")
            #expect(given.output.contains("\(stack.nats.port)"), "\(given)")
            let environment = ["MESHLOG_DATA": folder]
            let planned = try await MeshlogProcess.command(["migrate", "--plan", "--json"] + home, environment: environment)
            #expect(planned.status == 0 && planned.output.contains("0009_log_identity.sql"), "\(planned)")
            let applied = try await MeshlogProcess.command(["migrate", "--json"] + home, environment: environment)
            #expect(applied.status == 0 && applied.output.contains("\"applied\":[\"0001_timescaledb.sql\""), "\(applied)")
            let again = try await MeshlogProcess.command(["migrate"] + home, environment: environment)
            #expect(again.output.hasPrefix("nothing to do"), "\(again)")
        }
    }

    @Test("A role that may make no tables, or only read, fails the examination") func rights() async throws {
        let stack = try await SharedStack.shared
        let url = try await SharedStack.database()
        let database = url.split(separator: "/").last.map(String.init) ?? ""
        let role = SharedStack.unique("reader")
        let port = stack.postgresql.port
        _ = try await onThread {
            try SetupSession(port: port, database: database).query(
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE \(role) LOGIN; ALTER ROLE \(role) SET default_transaction_read_only = on; REVOKE CREATE ON DATABASE \(database) FROM PUBLIC"
            )
        }
        let answer = try await MeshlogProcess.command([
            "doctor", "--home", Repository.root, "--redis-url", stack.redis.url, "--nats-url", stack.nats.url, "--postgresql-url",
            "postgresql://\(role)@127.0.0.1:\(port)/\(database)",
        ])
        #expect(answer.status == 1, "\(answer)")
        for check in ["role", "schema rights", "projections rights"] {
            #expect(answer.output.split(separator: "\n").contains { $0.hasPrefix("FAIL  PostgreSQL \(check)") }, "\(check): \(answer.output)")
        }
    }

    @Test("What commands say of a serving process", .timeLimit(.minutes(3))) func serving() async throws {
        let process = try await MeshlogProcess.start("commands")
        let url = "http://127.0.0.1:\(process.port)"
        let known = try await MeshlogProcess.command(["config", "known", "--url", url])
        #expect(known.status == 0 && known.output.split(separator: "\n").contains { $0.hasPrefix("max_message_bytes ") }, "\(known)")
        let bench = try await MeshlogProcess.command(["bench", "http", "--messages", "2", "--url", url + "/prefix"])
        #expect(bench.status == 2 && bench.errors.contains("not acknowledged"), "\(bench)")
        #expect(try await MeshlogProcess.command(["publish", "--topic", "a.b", "--url", url]).status == 0)
        let port = process.port
        #expect(
            await eventually(within: .seconds(30)) { try await Curl.run(port: port, "GET", "/v1/messages?topic=a.b&outcome=deliver").body.contains("deliver") })
        let places = ["--home", Repository.root, "--key-prefix", process.keyPrefix, "--redis-url", process.redisURL, "--postgresql-url", process.postgresqlURL]
        let removed = try await MeshlogProcess.command(["what-if", "--remove", "nope"] + places)
        #expect(removed.status == 2 && removed.errors.contains("nope"), "\(removed)")
        process.crash()
    }

    /// Who reads what a command writes.
    private enum Reader { case gone, fullDisk }

    /// Runs a command of the program that `process` runs for such a reader; its exit code, and what it said on standard error.
    private func run(_ process: MeshlogProcess, _ arguments: [String], for reader: Reader) async throws -> (status: Int32, errors: String) {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process.pid)/exe")
        let all = arguments + ["--url", "http://127.0.0.1:\(process.port)"]
        return try await onThread {
            let command = Process()
            command.executableURL = URL(fileURLWithPath: program)
            command.arguments = all
            let (output, errors) = (Pipe(), Pipe())
            switch reader {
            case .gone:
                // Handles, since Process wants both ends of a Pipe.
                command.standardOutput = output.fileHandleForWriting
                command.standardError = errors.fileHandleForWriting
                try output.fileHandleForReading.close()
                try errors.fileHandleForReading.close()
            case .fullDisk:
                command.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
                command.standardError = errors
            }
            try command.run()
            let said = reader == .gone ? Data() : errors.fileHandleForReading.readDataToEndOfFile()
            command.waitUntilExit()
            return (command.terminationStatus, String(decoding: said, as: UTF8.self))
        }
    }

    /// Messages on a topic, as queries have them.
    private func count(_ process: MeshlogProcess, topic: String) async throws -> Int {
        (try await Curl.run(port: process.port, "GET", "/v1/messages?topic=\(topic)").object["messages"] as? [Any])?.count ?? 0
    }

    @Test("A command whose reader has gone finishes its work with its own exit code; results that a disk does not take are told", .timeLimit(.minutes(3)))
    func readers() async throws {
        let process = try await MeshlogProcess.start("readers")
        let port = process.port
        try await withTemporaryFolder { folder in
            let rules = (1...20).map { #"{"constraint_id": "pipe-\#($0)", "scope": {"topics": ["nowhere.\#($0)"]}, "action": {"type": "block"}}"# }
            let policy = folder + "/many.json"
            try Data("[\(rules.joined(separator: ", "))]".utf8).write(to: URL(fileURLWithPath: policy))
            #expect(try await run(process, ["constraints", "apply", policy], for: .gone).status == 0)
            #expect(
                await eventually {
                    (try await Curl.run(port: port, "GET", "/v1/constraints?limit=100").object["documents"] as? [Any])?.count == 20
                })
            // One line is refused: that is what the exit code says.
            let lines = folder + "/lines.ndjson"
            let text = #"{"topic":"pipe.one","data":1}"# + "\n" + #"{"data":2}"# + "\n" + #"{"topic":"pipe.one","data":3}"#
            try Data(text.utf8).write(to: URL(fileURLWithPath: lines))
            #expect(try await run(process, ["publish", lines], for: .gone).status == 2)
            #expect(await eventually { try await count(process, topic: "pipe.one") == 2 })
            // What has no end of its own ends with its reader.
            #expect(try await run(process, ["tail", "--since", "0-0-0", "--topic", "pipe.one"], for: .gone).status == 0)
            let full = try await run(process, ["messages"], for: .fullDisk)
            #expect(full.status == 1 && full.errors.contains("cannot write to standard output: no space left on device"), "\(full)")
        }
        process.crash()
    }

    @Test("The lines of a slow producer are in the log while it goes on, and a line that has only begun waits for its end", .timeLimit(.minutes(3)))
    func slowProducer() async throws {
        let process = try await MeshlogProcess.start("producer")
        let url = "http://127.0.0.1:\(process.port)"
        try await withTemporaryFolder { folder in
            let pipe = folder + "/pipe"
            #expect(mkfifo(pipe, 0o600) == 0)
            // Open for both directions, which waits for no reader; not handed on to the command, which would keep its own input from ending.
            let producer = FileHandle(fileDescriptor: open(pipe, O_RDWR | O_CLOEXEC), closeOnDealloc: true)
            async let answer = MeshlogProcess.command(["publish", pipe, "--url", url])
            try producer.write(contentsOf: Data("{\"topic\":\"slow.one\",\"data\":1}\n".utf8))
            #expect(await eventually { try await count(process, topic: "slow.one") == 1 })
            try producer.write(contentsOf: Data("{\"topic\":\"slow.one\",\"data\":2}\n{\"topic\":\"slow.one\",".utf8))
            #expect(await eventually { try await count(process, topic: "slow.one") == 2 })
            try producer.write(contentsOf: Data("\"data\":3}\n".utf8))
            try producer.close()
            let (status, output, errors) = try await answer
            #expect(status == 0 && output.contains("3 lines") && output.contains("accepted 3"), "\(output) \(errors)")
        }
        process.crash()
    }

    @Test("A message with line ends of its own stays one line of JSON", .timeLimit(.minutes(3))) func oneLine() async throws {
        let process = try await MeshlogProcess.start("lines")
        let body = "{\"topic\":\"raw.lines\",\"data\":{\n\"n\":\r\n1}}"
        #expect(try await Curl.run(port: process.port, "POST", "/v1/messages", body).status == 201)
        let url = "http://127.0.0.1:\(process.port)"
        let tail = try await MeshlogProcess.command(["tail", "--json", "--since", "0-0-0", "--topic", "raw.lines", "--count", "1", "--url", url])
        // Bytes, since CR LF is one character.
        let lines = tail.output.utf8.split { $0 == 0x0A || $0 == 0x0D }
        #expect(lines.count == 1 && tail.output.contains("raw.lines"), "\(tail)")
        process.crash()
    }

    @Test("Only a rule that says the same is unchanged: other bytes of a character are a change, another way to write it is none", .timeLimit(.minutes(3)))
    func unchanged() async throws {
        let process = try await MeshlogProcess.start("unchanged")
        try await withTemporaryFolder { folder in
            let path = folder + "/rule.json"
            func apply(_ description: String) async throws -> String {
                let rule = #"[{"constraint_id": "accent", "description": "\#(description)", "action": {"type": "block"}, "scope": {"topics": ["nowhere"]}}]"#
                try Data(rule.utf8).write(to: URL(fileURLWithPath: path))
                let answer = try await MeshlogProcess.command(["constraints", "apply", path, "--url", "http://127.0.0.1:\(process.port)"])
                #expect(answer.status == 0, "\(answer)")
                return answer.output
            }
            let composed = try await apply("caf\u{E9}")
            #expect(composed.hasPrefix("created"))
            #expect(await eventually { try await apply(#"caf\u00e9"#).hasPrefix("unchanged") })
            let decomposed = try await apply("cafe\u{301}")
            #expect(decomposed.hasPrefix("replaced"))
        }
        process.crash()
    }

    @Test("A process that is told to stop says so, and its parts end side by side", .timeLimit(.minutes(2))) func stop() async throws {
        let process = try await MeshlogProcess.start("stop")
        #expect(await eventually(within: .seconds(30)) { process.log.split(separator: "\n").count { $0.contains("acting") } >= 18 }, "\(process.log)")
        let start = ContinuousClock.now
        #expect(try await process.stop() == 0)
        // One after the other they took from 6 s on.
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(process.log.contains("stopping"))
    }

    @Test("A process without views says whether it is alive and ready, and counts") func operating() async throws {
        let process = try await MeshlogProcess.start("router", arguments: ["--roles", "router"])
        let port = process.port
        #expect(try await Curl.run(port: port, "GET", "/healthz").status == 200)
        #expect(await eventually(within: .seconds(30)) { try await Curl.run(port: port, "GET", "/readyz").status == 200 })
        #expect(try await Curl.run(port: port, "GET", "/metrics").body.contains("meshlog_"))
        #expect(try await Curl.run(port: port, "GET", "/v1/messages").status == 404)
        process.crash()
    }
}
