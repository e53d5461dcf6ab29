import Core
import TestSupport
import Testing

/// Ids that are known beforehand.
let freshID = MessageUUID(high: 0x0190_163D_8694_739B, low: 0xAEA5_966C_26F8_AD91)

func admit(_ bytes: [UInt8], via: StaticString = "http") -> Result<AdmittedMessage, Refusal> {
    do throws(Refusal) {
        let arrival = Arrival(via: via, doorSubjects: [SubjectPattern("MESSAGES".utf8), SubjectPattern("MESSAGES.durable".utf8)])
        return .success(try Envelope.admit(bytes, arrival: arrival, freshID: { freshID }))
    } catch {
        return .failure(error)
    }
}

func admit(_ text: String) -> Result<AdmittedMessage, Refusal> { admit(Array(text.utf8)) }

/// All fields, readable.
func fields(_ entry: MessageEntry) -> [String: String] {
    // No door sets the last one.
    Dictionary(uniqueKeysWithValues: MessageField.allCases.filter { $0 != .release }.map { ($0.name.description, entry.string($0)) })
}

@Suite("Envelope")
struct EnvelopeTests {
    @Test("Every field is lifted, and what the door knows is added") func everyField() throws {
        let message = try admit(
            #"""
            {"message_uuid": "19164B3D-b1cb-5c74-9a4d-5f5a32443ff5", "topic": "tasks.gen-1", "source_subject_id": "ann\u00e9", "destination_subject_ids": [ "all","b\"" ],
             "message_type": "statement", "origin_ts": "2026-01-31T12:00:00.5Z", "message_metadata": {"turn" : 0}, "message_data": {"a" :1.50},
             "content_type": "application/json", "correlation_id": "c-1", "causation": "c-0"}
            """#
        ).get()
        #expect(message.isNamedByClient)
        #expect(
            fields(message.entry) == [
                "event": "message.accepted", "v": "1", "message_uuid": "19164b3d-b1cb-5c74-9a4d-5f5a32443ff5", "topic": "tasks.gen-1",
                "source_subject_id": "anné",
                "destination_subject_ids": #"[ "all","b\"" ]"#, "message_type": "statement", "origin_ts": "1769860800500000",
                "message_metadata": #"{"turn" : 0}"#,
                "message_data": #"{"a" :1.50}"#, "content_type": "application/json", "via": "http", "principal": "", "correlation_id": "c-1",
                "causation": "c-0",
                "traceparent": "",
            ])
        #expect(message.entry.destinationNames == ["all", "b\""])
        #expect(message.entry.fault == nil)
    }

    @Test("A topic is enough") func least() throws {
        let message = try admit(#"{"topic":"a"}"#).get()
        #expect(!message.isNamedByClient)
        #expect(message.uuid == freshID)
        let fields = fields(message.entry).filter { !$0.value.isEmpty }
        #expect(
            fields == [
                "event": "message.accepted", "v": "1", "message_uuid": freshID.description, "topic": "a", "message_data": "null",
                "content_type": "application/json",
                "via": "http",
            ])
    }

    @Test("A malformed message is refused with code and place", arguments: BadInput.table(door: "MESSAGES")) func bad(_ input: BadInput) {
        guard case .failure(let refusal) = admit(input.bytes) else {
            Issue.record("it was admitted")
            return
        }
        let named = refusal.violations.map { "\($0.code.rawValue) \($0.pointer)" }
        #expect(Set(named) == Set(input.violations.map { "\($0.code) \($0.pointer)" }))
        #expect(refusal.violations.allSatisfy { !$0.detail.isEmpty && $0.detail.utf8.count < 400 })
        #expect(fault(refusal.json) == nil)
    }

    @Test("The table of malformed messages has at least 60, no two alike") func tableSize() {
        let table = BadInput.table(door: "MESSAGES")
        #expect(table.count >= 60)
        #expect(Set(table.map(\.name)).count == table.count)
        #expect(Set(table.map(\.bytes)).count == table.count)
    }

    @Test("An odd message is admitted, and its payload's bytes are untouched", arguments: OddInput.table(topic: "odd.topic")) func odd(_ input: OddInput) throws
    {
        let message = try admit(input.bytes).get()
        #expect(Array(message.entry.slice(.data)) == input.payload)
        #expect(message.entry.fault == nil)
        #expect(message.entry.string(.topic) == "odd.topic")
    }

    @Test("The door's own subjects and what lies under them are told apart") func doors() throws {
        #expect((try? admit(#"{"topic":"MESSAGES.durable"}"#).get()) == nil)
        _ = try admit(#"{"topic":"MESSAGES.other"}"#).get()
        _ = try admit(#"{"topic":"messages"}"#).get()
    }

    @Test("The same bytes give the same entry by every door, but for the door's name", arguments: ["http", "websocket", "redis-list", "nats", "jetstream"])
    func doorsAgree(_ via: String) throws {
        let names: [String: StaticString] = ["http": "http", "websocket": "websocket", "redis-list": "redis-list", "nats": "nats", "jetstream": "jetstream"]
        for bytes in Repository.messages(50) + OddInput.table(topic: "a").map(\.bytes) {
            var one = fields(try admit(bytes).get().entry)
            var other = fields(try admit(bytes, via: try #require(names[via])).get().entry)
            #expect(other.removeValue(forKey: "via") == via)
            one["via"] = nil
            #expect(one == other)
        }
    }

    @Test("The real messages are admitted, their payloads untouched") func real() throws {
        for bytes in Repository.messages(300) {
            let entry = try admit(bytes).get().entry
            #expect(entry.fault == nil)
            let payload = Array(entry.slice(.data))
            #expect(fault(payload) == nil)
            #expect(contains(bytes, payload))
            #expect(entry.uuid != nil)
        }
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool { bytes.indices.contains { bytes[$0...].starts(with: part) } }

    @Test(
        "A suggestion is given for a near miss only",
        arguments: [
            ("Topic", "topic"), ("mesage_uuid", "message_uuid"), ("destination_subject_id", "destination_subject_ids"),
            ("sourceSubjectId", "source_subject_id"),
            ("contentType", "content_type"), ("corelation_id", "correlation_id"), ("payload", nil), ("x", nil), ("priority", nil),
        ] as [(String, String?)])
    func suggestion(_ key: String, _ near: String?) throws {
        guard case .failure(let refusal) = admit(#"{"topic":"a","\#(key)":1}"#) else {
            Issue.record("it was admitted")
            return
        }
        let detail = try #require(refusal.violations.first { $0.code == .unknownField }).detail
        if let near { #expect(detail.contains("'\(near)'"), "\(detail)") } else { #expect(!detail.contains("did you mean"), "\(detail)") }
    }

    @Test("A body full of unknown keys is refused quickly and briefly") func manyUnknownKeys() {
        let keys = (0..<14_000).map { "\"some_long_unknown_key_number_\($0)_of_the_envelope_of_a_message\":1" }
        let text = "{\"topic\":\"a\"," + keys.joined(separator: ",") + "}"
        let bytes = Array(text.utf8.prefix(Limits.messageBytesMax))
        let start = ContinuousClock.now
        guard case .failure(let refusal) = admit(text.utf8.count <= Limits.messageBytesMax ? Array(text.utf8) : bytes) else {
            Issue.record("it was admitted")
            return
        }
        #expect(refusal.violations.count <= Limits.violationsMax)
        // A debug build on a busy machine; without a bound on suggestions it takes minutes.
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("The answer to a long key is short, whatever the key is made of") func longKeys() {
        for key in [String(repeating: "k", count: 100_000), "k" + String(repeating: "\u{301}", count: 100_000), String(repeating: "👩‍👩‍👧‍👦", count: 10_000)] {
            guard case .failure(let refusal) = admit("{\"topic\":\"a\",\"\(key)\":1}") else {
                Issue.record("it was admitted")
                return
            }
            #expect(refusal.json.count < 2_000, "\(refusal.json.count) bytes")
        }
    }

    @Test("A name beside the message gives a nameless one its id, and a named one a second name") func recognise() throws {
        var nameless = try admit(#"{"topic":"a"}"#).get()
        let digest: ([UInt8]) -> [UInt8] = { name in (0..<32).map { UInt8(truncatingIfNeeded: name.reduce(Int($0)) { $0 &* 31 &+ Int($1) }) } }
        nameless.recognise(by: Array("key:1".utf8), digest: digest)
        var again = try admit(#"{"topic":"a"}"#).get()
        again.recognise(by: Array("key:1".utf8), digest: digest)
        #expect(nameless.uuid == again.uuid)
        #expect(nameless.uuid != freshID)
        #expect(nameless.entry.string(.messageUUID) == nameless.uuid.description)
        #expect(nameless.isNamedByClient)
        #expect(nameless.idempotencyName.isEmpty)
        var named = try admit(#"{"topic":"a","message_uuid":"19164b3d-b1cb-5c74-9a4d-5f5a32443ff5"}"#).get()
        named.recognise(by: Array("key:1".utf8), digest: digest)
        #expect(named.uuid.description == "19164b3d-b1cb-5c74-9a4d-5f5a32443ff5")
        #expect(named.idempotencyName == Array(nameless.uuid.description.utf8))
    }
}
