import Foundation
import Log
import RedisDriver
import Stack
import TestSupport
import Testing

/// An archive is of one log.
@Suite("Log and archive", .serialized)
struct LogIdentityTests {
    private func publish(_ port: Int, _ text: String) async throws {
        let answer = try await Curl.run(port: port, "POST", "/v1/messages", #"{"topic":"own.log","source_subject_id":"ann","data":"\#(text)"}"#)
        #expect(answer.status == 201, "\(answer.body)")
    }

    /// Waits until the projection of subjects has so many messages of the sender, and the archive as many.
    private func hasSent(_ port: Int, _ count: Int) async -> Bool {
        await eventually(within: .seconds(60)) {
            let row = try await Curl.run(port: port, "GET", "/v1/projections/subjects/rows/ann").body
            let page = try await Curl.run(port: port, "GET", "/v1/messages?topic=own.log&limit=100").object["messages"] as? [[String: Any]]
            return row.contains("\"sent\":\(count),") && page?.count == count
        }
    }

    private func places(_ process: MeshlogProcess, prefix: String) -> [String] {
        [
            "--home", Repository.root, "--key-prefix", prefix, "--redis-url", process.redisURL, "--postgresql-url", process.postgresqlURL, "--nats-url",
            process.natsURL,
        ]
    }

    @Test("A second log on the same database is refused, and the first loses nothing", .timeLimit(.minutes(3))) func second() async throws {
        let one = try await MeshlogProcess.start("first")
        try await publish(one.port, "a")
        #expect(await hasSent(one.port, 1))
        let prefix = SharedStack.unique("second")
        let other = places(one, prefix: prefix)
        let refused = try await MeshlogProcess.command(["serve", "--port", "0", "--list", "", "--nats-subject", "", "--jetstream-subject", ""] + other)
        #expect(refused.status == 64 && refused.errors.contains("'\(one.keyPrefix)'") && refused.errors.contains("--adopt"), "\(refused)")
        let doors = try await MeshlogProcess.command(["serve", "--port", "0", "--roles", "doors,router,views"] + other)
        #expect(doors.status == 64 && doors.errors.contains("'\(one.keyPrefix)'"), "also without the roles that write there: \(doors)")
        let doctor = try await MeshlogProcess.command(["doctor"] + other)
        #expect(doctor.status == 1 && doctor.output.split(separator: "\n").contains { $0.hasPrefix("FAIL  PostgreSQL log") }, "\(doctor)")
        // Its streams are there and have entries from before those of the first log: it does not go on where that one ended.
        let redis = try RedisSession(RedisEndpoint(url: one.redisURL), name: "test")
        try redis.run("XADD", [LogKeys(prefix: prefix).stream(.operations), "1-1", "event", "test"])
        let adopted = try await MeshlogProcess.command(["migrate", "--adopt"] + other)
        #expect(adopted.status == 2 && adopted.errors.contains("never be archived"), "\(adopted)")
        try await publish(one.port, "b")
        #expect(await hasSent(one.port, 2))
        one.crash()
        OwnLog.remove(LogKeys(prefix: prefix), try RedisEndpoint(url: one.redisURL))
    }

    @Test("A log that lost its data is refused until the archive is handed over; then rows and projections go on", .timeLimit(.minutes(3))) func lost()
        async throws
    {
        let one = try await MeshlogProcess.start("lost")
        for text in ["a", "b", "c"] { try await publish(one.port, text) }
        #expect(try await Curl.run(port: one.port, "PUT", "/v1/config/global/max_message_bytes", #"{"value":2000}"#).status == 201)
        #expect(await hasSent(one.port, 3))
        one.crash()
        // A later epoch than that of the log which begins anew, as after many restarts.
        let database = one.postgresqlURL.split(separator: "/").last.map(String.init) ?? ""
        let port = try await SharedStack.shared.postgresql.port
        _ = try await onThread {
            try SetupSession(port: port, database: database).query("UPDATE checkpoint SET epoch = epoch + 40; UPDATE projection SET epoch = epoch + 40")
        }
        OwnLog.remove(LogKeys(prefix: one.keyPrefix), try RedisEndpoint(url: one.redisURL))
        await #expect(throws: MeshlogProcess.Failed.self) { try await MeshlogProcess.start("lost", beside: one) }
        let adopted = try await MeshlogProcess.command(["migrate", "--adopt", "--json"] + places(one, prefix: one.keyPrefix))
        #expect(adopted.status == 0 && adopted.output.contains("\"adopted\":true"), "\(adopted)")
        let again = try await MeshlogProcess.command(["migrate", "--adopt"] + places(one, prefix: one.keyPrefix))
        #expect(again.status == 0 && again.output.hasPrefix("nothing to do"), "\(again)")
        let two = try await MeshlogProcess.start("lost", beside: one)
        try await publish(two.port, "d")
        #expect(await hasSent(two.port, 4))
        // What steers is in force as the projections kept it, and can be changed.
        let large = try await Curl.run(port: two.port, "POST", "/v1/messages", #"{"topic":"own.log","data":"\#(String(repeating: "x", count: 3_000))"}"#)
        #expect(large.status == 413, "\(large.body)")
        #expect(try await Curl.run(port: two.port, "PUT", "/v1/config/global/max_message_bytes", #"{"value":4000}"#).status == 200)
        two.crash()
    }

    /// Names of the projections that stand still.
    private func stopped(_ port: Int) async throws -> [String] {
        let all = try #require(try await Curl.run(port: port, "GET", "/v1/projections").object["projections"] as? [[String: Any]])
        #expect(!all.isEmpty)
        return all.filter { $0["status"] as? String == "stopped" }.compactMap { $0["name"] as? String }
    }

    /// Sets two values, and waits until the projection has them.
    private func configure(_ port: Int) async throws {
        for name in ["max_message_bytes", "counter"] {
            #expect(try await Curl.run(port: port, "PUT", "/v1/config/global/\(name)", #"{"value":2000}"#).status == 201)
        }
        #expect(
            await eventually(within: .seconds(30)) {
                let rows = try await Curl.run(port: port, "GET", "/v1/projections/config/rows").body
                return rows.contains("max_message_bytes") && rows.contains("counter")
            })
    }

    @Test("A log that loses its data under a running process goes on: documents can be changed and deleted, and nothing stops", .timeLimit(.minutes(3)))
    func lostWhileServing() async throws {
        let one = try await MeshlogProcess.start("flushed")
        try await publish(one.port, "a")
        try await configure(one.port)
        #expect(await hasSent(one.port, 1))
        OwnLog.remove(LogKeys(prefix: one.keyPrefix), try RedisEndpoint(url: one.redisURL))
        #expect(try await Curl.run(port: one.port, "PUT", "/v1/config/global/max_message_bytes", #"{"value":3000}"#).status == 200)
        #expect(try await Curl.run(port: one.port, "DELETE", "/v1/config/global/counter").status < 300)
        try await publish(one.port, "b")
        #expect(await hasSent(one.port, 2))
        #expect(try await stopped(one.port) == [])
        one.crash()
        let two = try await MeshlogProcess.start("flushed", beside: one)
        #expect(await eventually { try await Curl.run(port: two.port, "GET", "/v1/config/global/counter").status == 404 })
        #expect(try await Curl.run(port: two.port, "DELETE", "/v1/config/global/max_message_bytes").status < 300)
        #expect(try await stopped(two.port) == [])
        two.crash()
    }

    @Test("A start on a log that has its id and nothing else goes on, and --adopt mends it beforehand", .timeLimit(.minutes(3))) func emptyAtStart()
        async throws
    {
        let one = try await MeshlogProcess.start("emptied")
        try await publish(one.port, "a")
        try await configure(one.port)
        #expect(await hasSent(one.port, 1))
        one.crash()
        let keys = LogKeys(prefix: one.keyPrefix)
        let endpoint = try RedisEndpoint(url: one.redisURL)
        let id = try #require(try RedisSession(endpoint, name: "test").run("GET", [keys.identity]).text)
        func empty() throws {
            OwnLog.remove(keys, endpoint)
            try RedisSession(endpoint, name: "test").run("SET", [keys.identity, id])
        }
        try empty()
        let two = try await MeshlogProcess.start("emptied", beside: one)
        #expect(try await Curl.run(port: two.port, "PUT", "/v1/config/global/max_message_bytes", #"{"value":3000}"#).status == 200)
        try await publish(two.port, "b")
        #expect(await hasSent(two.port, 2))
        #expect(try await stopped(two.port) == [])
        two.crash()
        try empty()
        let mended = try await MeshlogProcess.command(["migrate", "--adopt", "--json"] + places(one, prefix: one.keyPrefix))
        #expect(mended.status == 0 && mended.output.contains("\"adopted\":false") && mended.output.contains("\"behind\":\"0-"), "\(mended)")
        let versions = try RedisSession(endpoint, name: "test").run("HGETALL", [keys.controlVersions]).pairs
        #expect(Set(versions.keys) == ["-", "config/global/max_message_bytes", "config/global/counter"])
        let again = try await MeshlogProcess.command(["migrate", "--adopt"] + places(one, prefix: one.keyPrefix))
        #expect(again.status == 0 && again.output.hasPrefix("nothing to do"), "\(again)")
        let three = try await MeshlogProcess.start("emptied", beside: one)
        #expect(try await Curl.run(port: three.port, "DELETE", "/v1/config/global/counter").status < 300)
        try await publish(three.port, "c")
        #expect(await hasSent(three.port, 3))
        three.crash()
    }
}
