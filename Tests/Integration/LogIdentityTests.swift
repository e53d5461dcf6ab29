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
}
