import Core
import Foundation
import Log
import Logging
import NATSDriver
import RedisDriver
import Stack
import TestSupport
import Testing

/// Several processes on one log, as they are run.
@Suite("Processes", .serialized)
struct ProcessesTests {
    /// Publishes one message; its id.
    private func publish(_ process: MeshlogProcess, _ body: String) async throws -> String {
        let answer = try await Curl.run(port: process.port, "POST", "/v1/messages", body)
        #expect(answer.status == 201, "\(answer.body)")
        return try #require(answer.object["message_uuid"] as? String)
    }

    /// The verdict on a message, once there is one.
    private func verdict(_ process: MeshlogProcess, _ uuid: String, within: Duration = .seconds(30)) async throws -> [String: Any] {
        #expect(
            await eventually(within: within) {
                try await Curl.run(port: process.port, "GET", "/v1/messages/\(uuid)/trace").object["verdict"] is [String: Any]
            })
        return try #require(try await Curl.run(port: process.port, "GET", "/v1/messages/\(uuid)/trace").object["verdict"] as? [String: Any])
    }

    @Test("A constraint posted at one process is in force for the next message at another, and the verdict carries its revision") func hotChange() async throws
    {
        let one = try await MeshlogProcess.start("hot")
        let two = try await MeshlogProcess.start("hot", beside: one)
        for round in 0..<12 {
            let isBlocking = round % 2 == 0
            let rule = #"{"constraint_id":"stop","when":"\#(isBlocking)","action":{"type":"block"},"reason":"round \#(round)"}"#
            let answer = try await Curl.run(port: one.port, "PUT", "/v1/constraints/stop", rule)
            #expect((200...201).contains(answer.status), "\(answer.body)")
            let position = try #require(answer.headers.firstMatch(of: /(?i)meshlog-position: ([0-9-]+)/)?.1)
            let verdict = try await verdict(two, try await publish(two, #"{"topic":"hot.a","data":\#(round)}"#))
            #expect(verdict["outcome"] as? String == (isBlocking ? "block" : "deliver"))
            #expect(verdict["policy_revision"] as? String == String(position))
        }
        one.crash()
        two.crash()
    }

    @Test("An archive that is not there at the start is brought up to date once it is, and gets what has waited") func lateArchive()
        async throws
    {
        let stack = try await SharedStack.shared
        let name = SharedStack.unique("late")
        let process = try await MeshlogProcess.start("late", database: "postgresql://meshlog@127.0.0.1:\(stack.postgresql.port)/\(name)")
        let port = process.port
        let uuid = try await publish(process, #"{"topic":"late.a","source_subject_id":"ann","data":1}"#)
        #expect(await eventually { try await Curl.run(port: port, "GET", "/readyz").body.contains(#""missing":["postgresql"]"#) })
        try await onThread { _ = try SetupSession(port: stack.postgresql.port, database: "postgres").query("CREATE DATABASE \(name)") }
        #expect(await eventually { try await Curl.run(port: port, "GET", "/readyz").status == 200 })
        #expect(
            await eventually {
                let trace = try await Curl.run(port: port, "GET", "/v1/messages/\(uuid)/trace").object
                return (trace["archive"] as? [String: Any])?["archived"] as? Bool == true
            })
        #expect(
            await eventually { try await Curl.run(port: port, "GET", "/v1/projections/subjects/rows/ann").body.contains("\"sent\":1,") })
        process.crash()
    }

    @Test("The moment a process says that it serves, everything answers: readiness, projections, sessions, feed, and both doors on NATS") func atOnce()
        async throws
    {
        let stack = try await SharedStack.shared
        for round in 1...5 {
            let client = try await onThread { try NATSConnection(NATSOptions(url: stack.nats.url)) }
            let process = try await MeshlogProcess.start("heard")
            for path in ["/readyz", "/v1/projections/subjects/rows", "/v1/sessions"] {
                let answer = try await Curl.run(port: process.port, "GET", path)
                #expect(answer.status == 200, "\(path): \(answer.body)")
            }
            try await onThread { try process.connect().upgrade("/v1/feed") }
            let body = Array(#"{"topic":"heard.a","data":\#(round)}"#.utf8)
            for subject in [process.natsSubject, process.jetstreamSubject] {
                let answer = try await onThread { try client.request(subject, body, timeout: .seconds(10)) }
                let expected = subject == process.natsSubject ? #""position":"# : #""stream":"\#(process.jetstreamStream)""#
                #expect(String(decoding: answer.payload, as: UTF8.self).contains(expected))
            }
            process.crash()
        }
    }

    @Test("A killed process's stages go on in another within its lease, with no message and no row lost") func takeover() async throws {
        let one = try await MeshlogProcess.start("takeover")
        var sent: [String] = []
        for index in 0..<50 { sent.append(try await publish(one, #"{"topic":"take.over","source_subject_id":"ann","data":\#(index)}"#)) }
        _ = try await verdict(one, sent[0])
        let two = try await MeshlogProcess.start("takeover", beside: one)
        let put = try await Curl.run(port: one.port, "PUT", "/v1/config/global/max_message_bytes", #"{"value":2000}"#)
        #expect((200...201).contains(put.status), "\(put.body)")
        one.crash()
        // What the dead process accepted, and what comes in meanwhile.
        for index in 0..<50 { sent.append(try await publish(two, #"{"topic":"take.over","source_subject_id":"ann","data":\#(index)}"#)) }
        for uuid in sent { #expect(try await verdict(two, uuid)["outcome"] as? String == "deliver") }
        let port = two.port
        #expect(
            await eventually(within: .seconds(40)) {
                try await Curl.run(port: port, "GET", "/v1/projections/subjects/rows/ann").body.contains("\"sent\":100,")
            })
        #expect(
            await eventually(within: .seconds(40)) {
                let row = try await Curl.run(port: port, "GET", "/v1/projections/config/rows/global%2Fmax_message_bytes")
                return row.status == 200 && row.body.contains("2000")
            })
        let verified = try await Curl.run(port: port, "POST", "/v1/messages", #"{"topic":"take.over","data":"\#(String(repeating: "x", count: 3_000))"}"#)
        #expect(verified.status == 413, "the setting of the dead process is in force: \(verified.body)")
        two.crash()
    }

    @Test("A message that a rule reroutes goes to the registered backbone and nowhere else; a backbone that is gone holds nothing back") func reroute()
        async throws
    {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.nats]
            configuration.ports = [:]
            var logger = Logger(label: "nats")
            logger.logLevel = .warning
            let elsewhere = try await EmbeddedStack.start(configuration, logger: logger)
            let process = try await MeshlogProcess.start("reroute")
            let port = process.port
            let backbone = #"{"system_id":"eu-1","name":"eu","public_url":"\#(elsewhere.nats.url)"}"#
            #expect(try await Curl.run(port: port, "POST", "/v1/backbones", backbone).status == 201)
            let rule = #"{"constraint_id":"away","when":"message.data.away","action":{"type":"reroute","backbone":"eu","topic":"eu.{{ message.topic }}"}}"#
            #expect(try await Curl.run(port: port, "POST", "/v1/constraints", rule).status == 201)
            let away = try await publish(process, #"{"topic":"re.route","data":{"away":true}}"#)
            let here = try await publish(process, #"{"topic":"re.route","data":{"away":false}}"#)
            #expect(try await verdict(process, away)["targets"] as? [String] == ["eu"])
            #expect(try await verdict(process, here)["targets"] as? [String] == ["default"])
            let (stream, own, there) = (process.backboneStream, process.natsURL, elsewhere.nats.url)
            func subjects(_ url: String) async throws -> [String] {
                try await onThread {
                    let jetStream = try JetStream(NATSConnection(NATSOptions(url: url)))
                    let count = try jetStream.streamState(stream).messages
                    return try (1...max(1, count)).map { try jetStream.message(stream, sequence: UInt64($0)).subject }
                }
            }
            #expect(await eventually(within: .seconds(30)) { try await subjects(there) == ["eu.re.route"] })
            #expect(await eventually(within: .seconds(30)) { try await subjects(own) == ["re.route"] })
            let redis = try RedisEndpoint(url: process.redisURL)
            let keys = LogKeys(prefix: process.keyPrefix)
            let verdicts = keys.stream(.verdicts)
            func groups() throws -> [String] {
                try (RedisSession(redis, name: "test").run("XINFO", ["GROUPS", verdicts]).array ?? []).compactMap { $0.pairs["name"]?.text }
            }
            #expect(try groups().contains("republish.eu-1"))
            // A restart, and a process beside it, go on where the backbone is: they neither remove its group nor send anything again.
            func sent() throws -> [MessageUUID] {
                try LogReader(keys: keys).deliveries(after: .zero, count: 100, RedisSession(redis, name: "test")).filter { $0.delivery.target == "eu" }.map {
                    $0.delivery.messageUUID
                }
            }
            #expect(await eventually(within: .seconds(30)) { try sent().map(\.description) == [away] })
            process.crash()
            let again = try await MeshlogProcess.start("reroute", beside: process)
            let beside = try await MeshlogProcess.start("reroute", beside: process)
            let second = try await publish(again, #"{"topic":"re.second","data":{"away":true}}"#)
            #expect(try await verdict(again, second)["targets"] as? [String] == ["eu"])
            #expect(await eventually(within: .seconds(30)) { try await subjects(there) == ["eu.re.route", "eu.re.second"] })
            #expect(await eventually(within: .seconds(30)) { try sent().last?.description == second })
            #expect(try sent().map(\.description) == [away, second], "each was sent there once")
            // A door of Meshlog's own is no place to send to: it would come in again.
            let toDoor = #"{"constraint_id":"door","when":"message.data.door","action":{"type":"reroute","topic":"\#(again.natsSubject)"}}"#
            #expect(try await Curl.run(port: again.port, "POST", "/v1/constraints", toDoor).status == 201)
            let looped = try await publish(again, #"{"topic":"re.door","data":{"away":false,"door":true}}"#)
            func refusal() throws -> DeliveryEntry? {
                try LogReader(keys: keys).deliveries(after: .zero, count: 100, RedisSession(redis, name: "test")).first {
                    $0.delivery.messageUUID.description == looped
                }?.delivery
            }
            #expect(await eventually(within: .seconds(30)) { try refusal() != nil })
            #expect(try refusal()?.outcome == .failed && refusal()?.reason.contains("is a door of Meshlog") == true)
            // A group that somebody removes comes back, and what is at the backbone is recognised there.
            try RedisSession(redis, name: "test").run("XGROUP", ["DESTROY", verdicts, "republish.eu-1"])
            let third = try await publish(again, #"{"topic":"re.third","data":{"away":true}}"#)
            #expect(try await verdict(again, third)["targets"] as? [String] == ["eu"])
            #expect(await eventually(within: .seconds(30)) { try await subjects(there) == ["eu.re.route", "eu.re.second", "eu.re.third"] })
            // What waits for a backbone while it is renamed is still meant for it.
            await elsewhere.nats.stop()
            let fourth = try await publish(again, #"{"topic":"re.fourth","data":{"away":true}}"#)
            #expect(try await verdict(again, fourth)["targets"] as? [String] == ["eu"])
            let renamed = #"{"system_id":"eu-1","name":"europe","public_url":"\#(elsewhere.nats.url)"}"#
            #expect(try await Curl.run(port: again.port, "PUT", "/v1/backbones/eu-1", renamed).status == 200)
            try await elsewhere.nats.start()
            #expect(await eventually(within: .seconds(30)) { try await subjects(there).last == "eu.re.fourth" })
            #expect(await eventually(within: .seconds(30)) { try sent().last?.description == fourth }, "and recorded under the name that its verdict has")
            #expect(try await Curl.run(port: again.port, "DELETE", "/v1/backbones/eu-1").status < 300)
            #expect(await eventually(within: .seconds(30)) { try !groups().contains("republish.eu-1") })
            again.crash()
            beside.crash()
            await elsewhere.stop()
        }
    }
}
