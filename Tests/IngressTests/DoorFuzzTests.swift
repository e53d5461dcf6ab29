import Core
import Foundation
import Log
import NATSDriver
import RedisDriver
import TestSupport
import Testing

/// Random bytes and broken messages at every door: the process stands, and keeps serving.
@Suite("Door fuzz", .serialized)
struct DoorFuzzTests {
    private static let name = "doorfuzz"
    private static let short = 2_000

    private struct Maker {
        var numbers: SeededNumbers
        private let bases: [[UInt8]]

        init(_ seed: UInt64, door: String) {
            numbers = SeededNumbers(seed)
            bases = (Repository.messages(300) + BadInput.table(door: door).map(\.bytes) + OddInput.table(topic: "fuzz").map(\.bytes)).filter {
                $0.count < 3_000
            }
        }

        mutating func message() -> [UInt8] {
            if numbers.once(in: 5) { return numbers.bytes(numbers.below(60)) }
            var bytes = numbers.pick(bases)
            for _ in 0...numbers.below(3) where !bytes.isEmpty {
                let at = numbers.below(bytes.count)
                switch numbers.below(5) {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: numbers.next())
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(numbers.pick(Array("{}[]:,\"\\u0-.e \u{0}".utf8)), at: at)
                case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + numbers.below(20)))
                default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + numbers.below(20))], at: numbers.below(bytes.count))
                }
            }
            return bytes
        }
    }

    /// Runs cases in batches, then checks that a good message passes and that everything in the log is readable.
    private func fuzz(_ door: String, batch: Int, _ body: @escaping @Sendable (DoorRig, [[UInt8]]) throws -> Void) async throws {
        let run = FuzzRun("door \(door)", short: Self.short)
        try await DoorRig.with(Self.name) { rig in
            #expect(rig.awaitNATS())
            var maker = Maker(run.seed, door: rig.meshlog.natsSubject)
            var left = run.cases
            while left > 0 {
                let count = min(batch, left)
                try body(rig, (0..<count).map { _ in maker.message() })
                left -= count
                guard rig.meshlog.isRunning else {
                    Issue.record("the process has ended at seed \(run.seed), \(run.cases - left) cases: \(rig.meshlog.log.suffix(3_000))")
                    return
                }
            }
            #expect(try AnsweringClient(.fastLane, rig).send(Array(#"{"topic":"good"}"#.utf8)).position != nil)
            #expect(try rig.meshlog.connect().get("/healthz").status < 300)
            #expect(waitUntil { try rig.length(.messages) == rig.length(.verdicts) }, "whatever got in is decided")
        }
    }

    /// The statuses of answers to a message.
    private static let statuses: Set<Int> = [200, 201, 400, 413, 422]

    @Test("HTTP, the fast lane, pipelined") func fastLane() async throws {
        try await fuzz("HTTP fast lane", batch: 50) { rig, cases in
            let connection = try rig.meshlog.connect()
            try connection.write(cases.flatMap { RawConnection.post("/v1/messages", $0, headers: [("Content-Type", "application/json")]) })
            for bytes in cases {
                let answer = try connection.answer()
                // A mutated array is several messages.
                #expect(Self.statuses.contains(answer.status) || answer.status == 207, "\(answer.status) for \(bytes)")
            }
        }
    }

    @Test("HTTP, the slow lane, chunked") func slowLane() async throws {
        try await fuzz("HTTP slow lane", batch: 50) { rig, cases in
            let connection = try rig.meshlog.connect()
            for bytes in cases {
                let answer = try connection.post("/v1/messages", bytes, chunked: true)
                #expect(Self.statuses.contains(answer.status) || answer.status == 207, "\(answer.status) for \(bytes)")
            }
        }
    }

    @Test("HTTP, CloudEvents in every mode") func cloudEvents() async throws {
        try await fuzz("CloudEvents", batch: 50) { rig, cases in
            let connection = try rig.meshlog.connect()
            for (index, bytes) in cases.enumerated() {
                let headers: [(String, String)] =
                    switch index % 3 {
                    case 0: [("Content-Type", "application/cloudevents+json")]
                    case 1: [("Content-Type", "application/cloudevents-batch+json")]
                    default:
                        [
                            ("Content-Type", "application/json"), ("ce-specversion", "1.0"), ("ce-id", "\(UUID())"), ("ce-source", "/fuzz"),
                            ("ce-type", "fuzz"),
                            ("ce-ext", String(decoding: bytes.filter { $0 > 0x20 && $0 < 0x7F }.prefix(100), as: UTF8.self)),
                        ]
                    }
                let answer = try connection.post("/v1/messages", bytes, headers: headers)
                #expect(answer.status < 500, "\(answer.status) for \(bytes)")
            }
        }
    }

    @Test("NDJSON, streams of broken lines") func lines() async throws {
        try await fuzz("NDJSON", batch: 500) { rig, cases in
            let body = Array(cases.joined(separator: [0x0A]))
            let answer = try rig.meshlog.connect().post("/v1/messages", body, headers: [("Content-Type", "application/x-ndjson")], chunked: true)
            #expect([200, 207, 422].contains(answer.status))
            let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
            let lines = body.split(separator: 0x0A).filter { line in
                let text = line.last == 0x0D ? line.dropLast() : line
                return text.contains { $0 != 0x20 && $0 != 0x09 }
            }
            let counted = ["accepted", "duplicates", "refused", "failed"].map { object[$0] as? Int ?? -1 }
            #expect(counted.reduce(0, +) == lines.count, "every line is accounted for: \(counted)")
            #expect(counted[3] == 0)
        }
    }

    @Test("The reference's POST") func referencePost() async throws {
        try await fuzz("POST /MESSAGES", batch: 50) { rig, cases in
            let connection = try rig.meshlog.connect()
            let bodies = cases.enumerated().map { $0.offset % 2 == 0 ? $0.element : AnsweringClient.wrapped($0.element) }
            for body in bodies {
                let answer = try connection.post("/MESSAGES", body, headers: [("Content-Type", "application/json")])
                #expect([200, 400].contains(answer.status), "\(answer.status) for \(body)")
            }
        }
    }

    @Test("WebSockets: every frame has its answer, in order", arguments: ["/v1/messages", "/MESSAGES"]) func frames(_ path: String) async throws {
        try await fuzz("WebSocket \(path)", batch: 100) { rig, cases in
            let connection = try rig.meshlog.connect()
            try connection.upgrade(path)
            var bytes: [UInt8] = []
            for payload in cases { bytes += RawConnection.frame(payload, opcode: UTF8Check.firstFault(payload.span) == nil ? 1 : 2) }
            bytes += RawConnection.frame(Array(#"{"topic":"good","source_subject_id":"last"}"#.utf8))
            try connection.write(bytes)
            for _ in cases { #expect(try connection.receive().opcode == 1) }
            #expect(try DoorAnswer(json: connection.receive().payload).position != nil, "the last answer is to the last frame")
        }
    }

    @Test("A WebSocket connection that sends garbage is closed, the others are not") func garbageFrames() async throws {
        let run = FuzzRun("WebSocket garbage", short: 60, share: 0.005)
        try await DoorRig.with(Self.name) { rig in
            var numbers = SeededNumbers(run.seed)
            let bystander = try rig.meshlog.connect()
            try bystander.upgrade("/v1/messages")
            for _ in 0..<run.cases {
                let connection = try RawConnection(port: rig.meshlog.port, within: .milliseconds(200))
                try connection.upgrade("/v1/messages")
                // The other side may hang up in the middle.
                try? connection.write(numbers.bytes(1 + numbers.below(300)))
                _ = connection.readToEnd()
            }
            try bystander.send(Array(#"{"topic":"good"}"#.utf8))
            #expect(try DoorAnswer(json: bystander.receive().payload).position != nil)
            #expect(rig.meshlog.isRunning)
        }
    }

    @Test("A connection that speaks no HTTP is refused, the others are not") func garbageRequests() async throws {
        let run = FuzzRun("HTTP garbage", short: 60, share: 0.005)
        try await DoorRig.with(Self.name) { rig in
            var numbers = SeededNumbers(run.seed)
            let base = RawConnection.post("/v1/messages", Array(#"{"topic":"fuzz"}"#.utf8), headers: [("Content-Type", "application/json"), ("X", "y")])
            for _ in 0..<run.cases {
                let connection = try RawConnection(port: rig.meshlog.port, within: .milliseconds(200))
                var bytes = numbers.once(in: 3) ? numbers.bytes(numbers.below(400)) : base
                for _ in 0...numbers.below(3) where !bytes.isEmpty { bytes[numbers.below(bytes.count)] = UInt8(truncatingIfNeeded: numbers.next()) }
                try? connection.write(bytes)
                let answer = String(decoding: connection.readToEnd().prefix(12), as: UTF8.self)
                #expect(!answer.hasPrefix("HTTP/1.1 5"), "\(answer) for \(bytes)")
            }
            #expect(try AnsweringClient(.fastLane, rig).send(Array(#"{"topic":"good"}"#.utf8)).position != nil)
            #expect(rig.meshlog.isRunning)
        }
    }

    @Test("The Redis list: every element leaves it, for the log or for `rejected`") func list() async throws {
        try await fuzz("Redis list", batch: 500) { rig, cases in
            let before = try rig.length(.rejected)
            let id = try rig.lastID(.messages)
            try rig.push(cases)
            #expect(waitUntil { try rig.listIsEmpty() })
            let added = try rig.entries(.messages, after: id).count
            let rejected = try rig.length(.rejected) - before
            // Repeats of an id add nothing, and retention may have trimmed.
            #expect(added + rejected <= cases.count)
        }
    }

    @Test("NATS requests: each is answered") func requests() async throws {
        try await fuzz("NATS request", batch: 100) { rig, cases in
            for bytes in cases { _ = try DoorAnswer(json: rig.nats.request(rig.meshlog.natsSubject, bytes, timeout: .seconds(20)).payload) }
        }
    }

    @Test("NATS without replies: what comes behind is still taken") func publishes() async throws {
        try await fuzz("NATS publish", batch: 500) { rig, cases in
            for bytes in cases { try rig.nats.publish(subject: rig.meshlog.natsSubject, payload: bytes) }
            let answer = try rig.nats.request(rig.meshlog.natsSubject, Array(#"{"topic":"good"}"#.utf8), timeout: .seconds(30))
            #expect(try DoorAnswer(json: answer.payload).position != nil)
        }
    }

    @Test("JetStream: everything is acknowledged or terminated") func jetStream() async throws {
        try await fuzz("JetStream", batch: 500) { rig, cases in
            for bytes in cases { try rig.nats.publish(subject: rig.meshlog.jetstreamSubject, payload: bytes) }
            try rig.nats.flush(timeout: .seconds(10))
            #expect(waitUntil { try rig.jetStreamIsDone() })
        }
    }
}
