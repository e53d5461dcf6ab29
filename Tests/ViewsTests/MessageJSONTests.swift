internal import Core
internal import NIOCore
internal import Testing

@testable internal import Views

@Suite("Messages as JSON")
struct MessageJSONTests {
    private let position = Position(ms: 1_767_225_600_000, seq: 3)

    @Test("A whole message has the nine fields first, then what Meshlog knows; the payload's bytes are its own")
    func whole() {
        var one = message(topic: "orders.eu", data: "{\"b\": 1,  \"a\":[1.50]}", source: "alice", destinations: #"["bob", "all"]"#, type: "question")
        one.set(.metadata, #"{"turn": 1}"#)
        one.set(.correlationID, "c1")
        one.set(.traceparent, "t")
        let (bytes, referenceBytes) = MessageJSON.object(one, at: position, outcome: .deliver, ackTS: 1_767_225_600_500_000)
        let nine =
            #"{"message_uuid":"00000000-0000-0000-0000-000000000001","origin_ts":"2026-01-01T00:00:00Z","#
            + #""ack_ts":"2026-01-01T00:00:00.500Z","message_data":{"b": 1,  "a":[1.50]},"source_subject_id":"alice","#
            + #""destination_subject_ids":["bob", "all"],"topic":"orders.eu","message_type":"question","message_metadata":{"turn": 1}"#
        #expect(
            text(bytes) == nine + #","position":"0-1767225600000-3","content_type":"application/json","via":"http","correlation_id":"c1","#
                + #""causation":null,"traceparent":"t","outcome":"deliver"}"#)
        #expect(text(MessageJSON.reference(bytes, referenceBytes: referenceBytes)) == nine + "}")
        let entry = FeedEntry(one, at: position, outcome: .deliver, ackTS: 1_767_225_600_500_000)
        #expect(String(buffer: entry.frame(.native)) == text(bytes))
        #expect(String(buffer: entry.frame(.reference)) == nine + "}")
    }

    @Test(
        "A payload is its JSON, its text, or base64",
        arguments: [
            ("application/json", Array("[1]".utf8), #""message_data":[1],"#),
            ("application/vnd.x+json; charset=utf-8", Array(" null ".utf8), #""message_data": null ,"#),
            ("text/plain", Array("a\"b\n".utf8), #""message_data":"a\"b\n","#),
            ("text/plain", [], #""message_data":"","#),
            ("image/png", [0, 1, 0xFF], #""message_data":null,"message_data_base64":"AAH/","#),
            // Not of Meshlog's making: written into the log by somebody else.
            ("application/json", Array("{oops".utf8), #""message_data":"{oops","#),
            ("application/json", [0x22, 0xFF, 0x22], #""message_data":null,"message_data_base64":"Iv8i","#),
        ] as [(String, [UInt8], String)])
    func payloads(_ type: String, _ data: [UInt8], _ expected: String) {
        var one = message(topic: "a", data: "")
        one.set(.contentType, type)
        one.set(.data, data)
        let bytes = MessageJSON.object(one, at: position, outcome: nil, ackTS: nil).bytes
        #expect(text(bytes).contains(expected))
        #expect(throws: Never.self) { try JSONScanner.validate(bytes.span) }
    }

    @Test("Whatever stands in the log, the answer is JSON")
    func noise() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Noise(state: seed)
        let pieces: [[UInt8]] = [
            [0], [0xFF], [0x22], [0x5C], Array("{}".utf8), Array("[]".utf8), Array("ž".utf8), Array("1".utf8), [0x0A], Array("[\"a\"]".utf8), [],
        ]
        for _ in 0..<5_000 {
            var one = MessageEntry()
            for field in MessageField.allCases {
                one.set(field, (0..<Int.random(in: 0...3, using: &random)).flatMap { _ in pieces.randomElement(using: &random)! })
            }
            let (bytes, referenceBytes) = MessageJSON.object(one, at: position, outcome: nil, ackTS: nil)
            #expect(throws: Never.self, "seed \(seed)") { try JSONScanner.validate(bytes.span) }
            #expect(throws: Never.self, "seed \(seed)") { try JSONScanner.validate(MessageJSON.reference(bytes, referenceBytes: referenceBytes).span) }
        }
    }

    @Test(
        "Filters match as they say",
        arguments: [
            ("", true), ("topic=orders.>", true), ("topic=orders", false), ("topic=*.eu", true), ("source=alice", true), ("source=bob", false),
            ("destination=bob", true), ("destination=alice", false), ("subject=alice", true), ("subject=bob", true), ("subject=eve", false),
            ("type=question", true), ("type=answer", false), ("outcome=deliver", true), ("outcome=hold", false),
            ("topic=orders.*&subject=bob&type=question", true),
            ("topic=orders.*&subject=bob&type=answer", false),
        ])
    func filters(_ query: String, _ expected: Bool) throws {
        let entry = FeedEntry(
            message(topic: "orders.eu", data: "1", source: "alice", destinations: #"["bob","carol"]"#, type: "question"), at: position, outcome: .deliver)
        #expect(try FeedRequest(query: query).filter.matches(entry) == expected)
    }

    @Test("A field that is no text is kept apart, as base64")
    func entries() {
        let entry = StreamJSON.entry(
            position, [(Array("a".utf8), Array("1\"".utf8)), (Array("b".utf8), [0xFF]), (Array("a".utf8), Array("2".utf8))])
        #expect(text(entry) == #"{"id":"1767225600000-3","position":"0-1767225600000-3","fields":{"a":"1\""},"fields_base64":{"b":"/w=="}}"#)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// A message as it stands in the log.
func message(
    uuid: MessageUUID = MessageUUID(high: 0, low: 1), topic: String, data: String, source: String = "", destinations: String = "", type: String = ""
) -> MessageEntry {
    var one = MessageEntry()
    one.set(.event, MessageEntry.accepted)
    one.set(.version, "1")
    one.set(.messageUUID, uuid.description)
    one.set(.topic, topic)
    one.set(.source, source)
    one.set(.destinations, destinations)
    one.set(.type, type)
    one.set(.originTS, "1767225600000000")
    one.set(.data, data)
    one.set(.contentType, "application/json")
    one.set(.via, "http")
    return one
}
