import Core
import Foundation
import Log
import NATSDriver
import PostgreSQLDriver
import RedisDriver
import TestSupport
import Testing

/// Messages that look odd but are right, through every door, into the archive and out again.
@Suite("Odd input", .serialized)
struct OddInputTests {
    private static let name = "oddinput"
    private static let topic = "odd.topic"

    /// What every door must make of the nameless messages of the table: all fields but those that tell the door and the id.
    private static func fields(_ entry: [String: [UInt8]]) -> [String: [UInt8]] {
        entry.filter { !["via", "message_uuid", "traceparent"].contains($0.key) }
    }

    private static func isNameless(_ input: OddInput) -> Bool { !String(decoding: input.bytes, as: UTF8.self).contains(#""message_uuid":""#) }

    private static let table = OddInput.table(topic: topic)
    private static let nameless = table.filter(isNameless)

    private static func expected() throws -> [[String: [UInt8]]] {
        try nameless.map { input in
            let entry = try Envelope.admit(input.bytes, arrival: Arrival(via: "x"), freshID: { MessageUUID(high: 0, low: 0) }).entry
            let present = MessageField.allCases.filter { !$0.isOptional || entry.count($0) > 0 }
            return fields(Dictionary(uniqueKeysWithValues: present.map { ($0.name.description, Array(entry.slice($0))) }))
        }
    }

    private func expectEntries(after id: String, via: String, _ rig: DoorRig) throws {
        #expect(waitUntil { try rig.entries(.messages, after: id).count >= Self.nameless.count })
        let entries = try rig.entries(.messages, after: id)
        #expect(entries.allSatisfy { $0["via"] == Array(via.utf8) })
        // Named ones are duplicates at every door but the first.
        let uuids = Set(
            Self.table.filter { !Self.isNameless($0) }.compactMap { input in
                (try? Envelope.admit(input.bytes, arrival: Arrival(via: "x"), freshID: { MessageUUID(high: 0, low: 0) }))?.uuid.description
            })
        let own = entries.filter { !uuids.contains(String(decoding: $0["message_uuid"] ?? [], as: UTF8.self)) }.map(Self.fields)
        let expected = try Self.expected()
        #expect(own.count == expected.count)
        for (index, (one, other)) in zip(own, expected).enumerated() { #expect(one == other, "\(Self.nameless[index])") }
    }

    @Test("Every door that answers takes them, in order, as the same entries", arguments: AnsweringDoor.allCases) func answered(_ door: AnsweringDoor)
        async throws
    {
        try await DoorRig.with(Self.name) { rig in
            #expect(rig.awaitNATS())
            let id = try rig.lastID(.messages)
            let client = AnsweringClient(door, rig)
            for input in Self.table {
                // A second name for an id that the log has is no repeat of the same request.
                if door == .slowLane, !Self.isNameless(input) { continue }
                let answer = try client.send(input.bytes)
                #expect(answer.position != nil, "\(input): \(answer)")
                if Self.isNameless(input) { #expect(!answer.isDuplicate, "\(input)") }
            }
            try expectEntries(after: id, via: door.via, rig)
        }
    }

    @Test("NDJSON and an array take them as the same entries", arguments: ["application/x-ndjson", "application/json"]) func many(_ type: String) async throws {
        try await DoorRig.with(Self.name) { rig in
            let id = try rig.lastID(.messages)
            let body =
                type == "application/json"
                ? [UInt8(ascii: "[")] + Array(Self.table.map(\.bytes).joined(separator: [UInt8(ascii: ",")])) + [UInt8(ascii: "]")]
                : Array(Self.table.map(\.bytes).joined(separator: [0x0A]))
            let answer = try rig.meshlog.connect().post("/v1/messages", body, headers: [("Content-Type", type)])
            #expect(answer.status == 200, "\(answer.text.prefix(2_000))")
            try expectEntries(after: id, via: "http", rig)
        }
    }

    @Test("The doors that do not answer take them as the same entries", arguments: ["redis-list", "nats", "jetstream"]) func silent(_ door: String) async throws
    {
        try await DoorRig.with(Self.name) { rig in
            #expect(rig.awaitNATS())
            let id = try rig.lastID(.messages)
            let rejected = try rig.length(.rejected)
            switch door {
            case "redis-list": try rig.push(Self.table.map(\.bytes))
            case "nats": for input in Self.table { try rig.nats.publish(subject: rig.meshlog.natsSubject, payload: input.bytes) }
            default: for input in Self.table { try rig.nats.publish(subject: rig.meshlog.jetstreamSubject, payload: input.bytes) }
            }
            try rig.nats.flush(timeout: .seconds(10))
            try expectEntries(after: id, via: door, rig)
            #expect(try rig.length(.rejected) == rejected)
        }
    }

    @Test("All of them are decided, archived with the same bytes and sent out", .timeLimit(.minutes(5))) func wholeWay() async throws {
        try await DoorRig.with(Self.name) { rig in
            _ = try AnsweringClient(.fastLane, rig).send(Array(#"{"topic":"odd.topic"}"#.utf8))
            let messages = try rig.length(.messages)
            #expect(waitUntil { try rig.length(.verdicts) == messages })
            let archive = try PostgreSQLSession(conninfo: rig.meshlog.postgresqlURL, applicationName: "test")
            func rows() throws -> Int { Int(try archive.query("SELECT count(*) FROM message_exchange").string(0, 0) ?? "") ?? -1 }
            #expect(waitUntil { try rows() == messages }, "\(rig.meshlog.log.suffix(2_000))")
            // Payloads, byte for byte, in the order of the log.
            let answer = try archive.query(
                "SELECT encode(coalesce(message_bytes, convert_to(message_data::text, 'UTF8')), 'hex') FROM message_exchange ORDER BY partition, entry_ms, entry_seq"
            )
            let archived = (0..<answer.rowCount).map { answer.string($0, 0) ?? "" }
            let logged = try rig.entries(.messages).map { String(decoding: Hexadecimal.encode($0["message_data"] ?? []), as: UTF8.self) }
            #expect(archived == logged)
            #expect(waitUntil { try rig.length(.deliveries) == messages }, "\(rig.meshlog.log.suffix(2_000))")
            let failed = try rig.entries(.deliveries).filter { $0["outcome"] == Array("failed".utf8) }
            #expect(failed.map { String(decoding: $0["reason"] ?? [], as: UTF8.self) } == [])
        }
    }
}
