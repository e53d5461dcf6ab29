import Core
import Foundation
import Log
import Logging
import NATSDriver
import Stack
import TestSupport
import Testing

/// The doors while the log is away.
@Suite("Doors without a log")
struct OutageTests {
    private static let json = [("Content-Type", "application/json")]
    private static let message = Array(#"{"topic":"a"}"#.utf8)

    /// `meshlog_door_messages_total{result="unavailable"}` of a door.
    private func unavailable(_ process: MeshlogProcess, _ door: String) throws -> Int {
        let text = try process.connect().get("/metrics").text
        let line = text.split(separator: "\n").first {
            $0.hasPrefix("meshlog_door_messages_total{") && $0.contains("\"\(door)\"") && $0.contains("\"unavailable\"")
        }
        return try #require(line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }, "\(text)")
    }

    @Test("Every door that answers says 503 and when to come again, and counts what it could not take", .timeLimit(.minutes(3)))
    func doors() async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            var logger = Logger(label: "redis")
            logger.logLevel = .warning
            let stack = try await EmbeddedStack.start(configuration, logger: logger)
            let process = try await MeshlogProcess.start("outage", redis: stack.redis)
            let nats = try NATSConnection(NATSOptions(url: process.natsURL))
            #expect(await eventually { try nats.request(process.natsSubject, Self.message, timeout: .seconds(2)).payload.isEmpty == false })
            await stack.redis.kill9()
            let before = try ["http", "websocket", "nats"].map { try unavailable(process, $0) }
            try await onThread { try ask(process) }
            let reply = try DoorAnswer(json: nats.request(process.natsSubject, Self.message, timeout: .seconds(20)).payload)
            #expect(reply.status == 503)
            let counted = try zip(["http", "websocket", "nats"], before).map { try unavailable(process, $0) - $1 }
            #expect(counted == [10, 1, 1])
            process.crash()
            await stack.stop()
        }
    }

    private func ask(_ process: MeshlogProcess) throws {
        let connection = try process.connect()
        let array = Array(#"[{"topic":"a"},{"topic":"b"}]"#.utf8)
        func expectLater(_ answer: RawConnection.Answer, _ place: SourceLocation = #_sourceLocation) {
            #expect(
                answer.status == 503 && answer.headers["retry-after"] != nil, "\(answer.status) \(answer.headers) \(answer.text)",
                sourceLocation: place)
        }
        // The first is taken in, and fails; from then on nothing is.
        for _ in 0..<2 { expectLater(try connection.post("/v1/messages", array, headers: Self.json)) }
        expectLater(try connection.post("/v1/messages", Self.message, headers: Self.json + [("Idempotency-Key", "k")]))
        expectLater(try connection.post("/v1/messages", Self.message + [0x0A], headers: [("Content-Type", "application/x-ndjson")]))
        expectLater(try connection.post("/MESSAGES", AnsweringClient.wrapped(Self.message), headers: Self.json, chunked: true))
        let fast = try process.connect()
        expectLater(try fast.post("/v1/messages", Self.message, headers: Self.json))
        let advice = try fast.post("/v1/messages", Self.message, headers: Self.json)
        #expect(advice.status == 503 && advice.text.contains("without either it may then stand twice"), "\(advice.text)")
        expectLater(try fast.post("/MESSAGES", AnsweringClient.wrapped(Self.message), headers: Self.json))
        let socket = try process.connect()
        try socket.upgrade("/v1/messages")
        try socket.send(Self.message)
        #expect(try DoorAnswer(json: socket.receive().payload).status == 503)
    }
}
