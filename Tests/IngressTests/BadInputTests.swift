import Core
import Foundation
import Log
import NATSDriver
import RedisDriver
import TestSupport
import Testing

/// The table of malformed messages, run through every door of a serving Meshlog.
@Suite("Bad input", .serialized)
struct BadInputTests {
    private static let name = "badinput"

    /// Runs `body`, then checks that nothing of what it sent is among the messages, that the process stands and that a good message passes.
    private func with(_ via: String, _ body: @escaping @Sendable (DoorRig, [BadInput]) throws -> Void) async throws {
        try await DoorRig.with(Self.name) { rig in
            #expect(rig.awaitNATS())
            let before = try rig.lastID(.messages)
            try body(rig, BadInput.table(door: rig.meshlog.natsSubject))
            let topics = try rig.entries(.messages, after: before).map { String(decoding: $0["topic"] ?? [], as: UTF8.self) }
            #expect(topics.allSatisfy { $0 == "good.\(via)" }, "only good messages are in the log: \(Set(topics))")
            #expect(!topics.isEmpty, "a good message passes")
            #expect(rig.meshlog.isRunning)
            #expect(try rig.meshlog.connect().get("/healthz").status < 300)
        }
    }

    private func good(_ via: String) -> [UInt8] { Array(#"{"topic":"good.\#(via)","data":1}"#.utf8) }

    private func expected(_ input: BadInput) -> Set<String> { Set(input.violations.map { "\($0.code) \($0.pointer)" }) }

    // MARK: Doors that answer

    @Test(
        "A malformed message is answered with status, code and place, and the connection goes on", arguments: AnsweringDoor.allCases.filter { !$0.isReference })
    func answered(_ door: AnsweringDoor) async throws {
        try await with(door.rawValue) { rig, table in
            let client = AnsweringClient(door, rig)
            let rejected = try rig.length(.rejected)
            for input in table where door.takes(input.bytes) {
                let answer = try client.send(input.bytes)
                #expect(answer.status == input.status, "\(input): \(answer)")
                #expect(Set(answer.violations) == expected(input), "\(input)")
                #expect(answer.position == nil, "\(input)")
                #expect(!answer.text.isEmpty)
            }
            #expect(try client.send(good(door.rawValue)).position != nil)
            #expect(try rig.length(.rejected) == rejected, "who got an answer is not kept")
        }
    }

    @Test("The reference's doors answer with an error, and the connection goes on", arguments: AnsweringDoor.allCases.filter(\.isReference))
    func reference(_ door: AnsweringDoor) async throws {
        try await with(door.rawValue) { rig, table in
            let client = AnsweringClient(door, rig)
            for input in table where door.takes(input.bytes) {
                let answer = try client.send(input.bytes)
                if door == .referenceHTTP { #expect(answer.status == 400, "\(input)") }
                #expect(!answer.text.isEmpty, "\(input)")
                #expect(answer.position == nil, "\(input)")
            }
            #expect(try client.send(good(door.rawValue)).position != nil)
        }
    }

    @Test("NDJSON names every malformed line by its number, and takes the good ones") func lines() async throws {
        try await with("ndjson") { rig, table in
            // A line cannot hold a line break, and a blank line is none.
            let inputs = table.filter { input in !input.bytes.contains(0x0A) && input.bytes.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D } }
            #expect(inputs.count > 60)
            var body = good("ndjson") + [0x0A]
            for input in inputs { body += input.bytes + [0x0D, 0x0A, 0x0A] }
            body += good("ndjson")
            for chunked in [false, true] {
                let answer = try rig.meshlog.connect().post("/v1/messages", body, headers: [("Content-Type", "application/x-ndjson")], chunked: chunked)
                #expect(answer.status == 207)
                let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
                #expect(object["accepted"] as? Int == 2)
                #expect(object["refused"] as? Int == inputs.count)
                #expect(object["failed"] as? Int == 0)
                let refusals = try #require(object["refusals"] as? [[String: Any]])
                #expect(refusals.count == inputs.count)
                for (index, (input, refusal)) in zip(inputs, refusals).enumerated() {
                    #expect(refusal["line"] as? Int == 2 + 2 * index, "\(input)")
                    let problem = DoorAnswer(try #require(refusal["problem"] as? [String: Any]))
                    #expect(Set(problem.violations) == expected(input), "\(input)")
                    #expect(problem.status == input.status, "\(input)")
                }
            }
        }
    }

    @Test("An array answers each malformed element in its place, and takes the good ones; what is no JSON takes nothing in", arguments: [true, false])
    func array(_ fastLane: Bool) async throws {
        try await with("array") { rig, table in
            let headers = fastLane ? [("Content-Type", "application/json")] : []
            let isElement: (BadInput) -> Bool = { input in (try? JSONScanner.validate(input.bytes.span)) != nil }
            let elements = table.filter { isElement($0) && (!fastLane || $0.bytes.count < 500_000) }
            #expect(elements.count > 50)
            var body = [UInt8(ascii: "[")] + good("array")
            for input in elements { body += [UInt8(ascii: ",")] + input.bytes }
            body += [UInt8(ascii: ",")] + good("array") + [UInt8(ascii: "]")]
            let answer = try rig.meshlog.connect().post("/v1/messages", body, headers: headers)
            #expect(answer.status == 207)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
            #expect(object["accepted"] as? Int == 2)
            #expect(object["refused"] as? Int == elements.count)
            let results = try #require(object["results"] as? [[String: Any]])
            #expect(results.count == elements.count + 2)
            #expect(results.first?["position"] != nil)
            #expect(results.last?["position"] != nil)
            for (input, result) in zip(elements, results.dropFirst()) {
                let problem = DoorAnswer(result)
                #expect(Set(problem.violations) == expected(input), "\(input)")
                #expect(problem.status == input.status, "\(input)")
            }

            let connection = try rig.meshlog.connect()
            let before = try rig.length(.messages)
            for input in table where !isElement(input) {
                let body = [UInt8(ascii: "[")] + good("array") + [UInt8(ascii: ",")] + input.bytes + [UInt8(ascii: "]")]
                let answer = try connection.post("/v1/messages", body, headers: headers)
                #expect(answer.status == 400, "\(input): \(answer.text.prefix(200))")
            }
            #expect(try rig.length(.messages) == before)
        }
    }

    // MARK: Doors that cannot answer

    private struct Kept {
        let door: String
        let bytes: [UInt8]
        let size: Int?
        let violations: Set<String>
        let isFingerprinted: Bool

        init(_ fields: [String: [UInt8]], input: [UInt8]?) throws {
            func text(_ name: String) -> String { String(decoding: fields[name] ?? [], as: UTF8.self) }
            door = text("door")
            bytes = fields["bytes"] ?? []
            size = Int(text("size"))
            let list = try JSONSerialization.jsonObject(with: Data(fields["violations"] ?? [])) as? [[String: Any]] ?? []
            violations = Set(list.map { "\($0["code"] as? String ?? "?") \($0["pointer"] as? String ?? "?")" })
            isFingerprinted =
                text("sha256") == String(decoding: Hexadecimal.encode(ContentDigest.sha256(input ?? bytes)), as: UTF8.self) && !text("reason").isEmpty
        }
    }

    /// Checks that exactly these inputs stand in `rejected` behind `id`, with bytes, reason and digest.
    private func expectKept(_ table: [BadInput], by door: String, after id: String, inOrder: Bool, _ rig: DoorRig) throws {
        #expect(waitUntil { try rig.entries(.rejected, after: id).count >= table.count })
        let entries = try rig.entries(.rejected, after: id)
        #expect(entries.count == table.count)
        if inOrder {
            #expect(entries.map { $0["bytes"] ?? [] } == table.map { Array($0.bytes.prefix(Limits.rejectedBytesMax)) })
        }
        let byBytes = Dictionary(entries.map { ($0["bytes"] ?? [], $0) }) { first, _ in first }
        for input in table {
            let entry = try #require(byBytes[Array(input.bytes.prefix(Limits.rejectedBytesMax))], "\(input) is kept")
            let kept = try Kept(entry, input: input.bytes)
            #expect(kept.door == door)
            #expect(kept.size == input.bytes.count, "\(input)")
            #expect(kept.violations == expected(input), "\(input)")
            #expect(kept.isFingerprinted, "\(input)")
        }
    }

    @Test("The Redis list: malformed elements go to `rejected` with bytes and reason, in order, and the list empties") func list() async throws {
        try await with("list") { rig, table in
            let id = try rig.lastID(.rejected)
            try rig.push(table.map(\.bytes))
            try rig.push([good("list")])
            try expectKept(table, by: "redis-list", after: id, inOrder: true, rig)
            #expect(waitUntil { try rig.listIsEmpty() })
        }
    }

    @Test("NATS without a reply subject: malformed messages go to `rejected`") func nats() async throws {
        try await with("nats") { rig, table in
            let id = try rig.lastID(.rejected)
            for input in table { try rig.nats.publish(subject: rig.meshlog.natsSubject, payload: input.bytes) }
            try rig.nats.publish(subject: rig.meshlog.natsSubject, payload: good("nats"))
            try rig.nats.flush(timeout: .seconds(10))
            try expectKept(table, by: "nats", after: id, inOrder: true, rig)
            #expect(waitUntil { try rig.entries(.messages).contains { $0["topic"] == Array("good.nats".utf8) } })
        }
    }

    @Test("JetStream: malformed messages go to `rejected` once and are not delivered again") func jetStream() async throws {
        try await with("jetstream") { rig, table in
            let id = try rig.lastID(.rejected)
            for input in table { try rig.nats.publish(subject: rig.meshlog.jetstreamSubject, payload: input.bytes) }
            try rig.nats.publish(subject: rig.meshlog.jetstreamSubject, payload: good("jetstream"))
            try rig.nats.flush(timeout: .seconds(10))
            try expectKept(table, by: "jetstream", after: id, inOrder: true, rig)
            #expect(waitUntil { try rig.jetStreamIsDone() })
            #expect(try JetStream(rig.nats).consumerInfo("meshlog", of: rig.meshlog.jetstreamStream).redelivered == 0)
            #expect(waitUntil { try rig.entries(.messages).contains { $0["topic"] == Array("good.jetstream".utf8) } })
            #expect(try rig.entries(.rejected, after: id).count == table.count)
        }
    }

    // MARK: An id with another content

    private func conflicting(_ door: String) -> (first: [UInt8], other: [UInt8]) {
        let uuid = UUID().uuidString.lowercased()
        func message(_ data: Int) -> [UInt8] { Array(#"{"topic":"good.\#(door)","message_uuid":"\#(uuid)","data":\#(data)}"#.utf8) }
        return (message(1), message(2))
    }

    @Test("The same id again is a duplicate at its first position, with another content a conflict", arguments: AnsweringDoor.allCases)
    func conflictAnswered(_ door: AnsweringDoor) async throws {
        try await with(door.rawValue) { rig, _ in
            // A key beside the id would be a second name; it is tested by itself.
            guard door != .slowLane else { return _ = try AnsweringClient(door, rig).send(good(door.rawValue)) }
            let client = AnsweringClient(door, rig)
            let (first, other) = conflicting(door.rawValue)
            let one = try client.send(first)
            let again = try client.send(first)
            let wrong = try client.send(other)
            #expect(one.position != nil)
            #expect(!one.isDuplicate)
            #expect(again.position == one.position)
            #expect(again.isDuplicate)
            #expect(wrong.position == nil)
            #expect(wrong.text.contains("another content"), "\(wrong)")
            if door == .referenceHTTP { #expect(wrong.status == 400) } else if !door.isReference { #expect(wrong.status == 422) }
        }
    }

    @Test("An id with another content goes to `rejected` where nobody can be told", arguments: ["redis-list", "nats", "jetstream"])
    func conflictKept(_ door: String) async throws {
        try await with(door) { rig, _ in
            let id = try rig.lastID(.rejected)
            let (first, other) = conflicting(door)
            let before = try rig.length(.messages)
            for bytes in [first, first, other, good(door)] {
                switch door {
                case "redis-list": try rig.push([bytes])
                case "nats": try rig.nats.publish(subject: rig.meshlog.natsSubject, payload: bytes)
                default: try rig.nats.publish(subject: rig.meshlog.jetstreamSubject, payload: bytes)
                }
            }
            try rig.nats.flush(timeout: .seconds(10))
            #expect(waitUntil { try rig.length(.messages) == before + 2 })
            #expect(waitUntil { try rig.entries(.rejected, after: id).count == 1 })
            let kept = try Kept(try rig.entries(.rejected, after: id)[0], input: nil)
            #expect(kept.door == door)
            #expect(kept.bytes == other)
            #expect(kept.violations == ["conflict /message_uuid"])
            #expect(kept.isFingerprinted)
        }
    }
}
