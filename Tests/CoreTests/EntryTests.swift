import Core
import TestSupport
import Testing

@Suite("Entries")
struct EntryTests {
    private let uuid = MessageUUID(high: 1, low: 2)

    /// Reads fields as a reply of Redis gives them.
    private func lookup(_ names: [StaticString], _ values: [[UInt8]]) -> (StaticString) -> ArraySlice<UInt8>? {
        let fields = Dictionary(zip(names.map(\.description), values.map { $0[...] })) { $1 }
        return { fields[$0.description] }
    }

    private func values(_ verdict: VerdictEntry) -> [[UInt8]] {
        [
            Array(VerdictEntry.event.utf8), Array(VerdictEntry.version.utf8), Array(verdict.messageUUID.description.utf8), Array(verdict.outcome.rawValue.utf8),
            Array(verdict.rule.utf8), Array(verdict.reason.utf8), Array(verdict.policyRevision.utf8), verdict.targetsJSON, verdict.subject,
        ]
    }

    @Test("A verdict survives its fields", arguments: Outcome.allCases) func verdict(_ outcome: Outcome) {
        let verdict = VerdictEntry(
            messageUUID: uuid, outcome: outcome, rule: "r\"1", reason: "é\n", policyRevision: "0-1-2", targets: ["default", "eu \"west\""],
            subject: Array("a.b".utf8))
        #expect(VerdictEntry(fields: lookup(VerdictEntry.fieldNames, values(verdict))) == verdict)
    }

    @Test("A verdict without a field, or with a malformed one, is none") func verdictMalformed() {
        let verdict = VerdictEntry(messageUUID: uuid, outcome: .deliver, rule: "", reason: "", policyRevision: "0-0-0", targets: [], subject: [])
        for index in VerdictEntry.fieldNames.indices where VerdictEntry.fieldNames[index].description != "v" {
            var names = VerdictEntry.fieldNames
            var fields = values(verdict)
            names.remove(at: index)
            fields.remove(at: index)
            #expect(VerdictEntry(fields: lookup(names, fields)) == nil, "without \(VerdictEntry.fieldNames[index])")
        }
        for (index, bad) in [(0, "message.delivered"), (2, "x"), (3, "delivered"), (7, "{}"), (7, "[1]")] {
            var fields = values(verdict)
            fields[index] = Array(bad.utf8)
            #expect(VerdictEntry(fields: lookup(VerdictEntry.fieldNames, fields)) == nil)
        }
    }

    @Test("A delivery survives its fields", arguments: [DeliveryEntry.Outcome.stored, .core, .failed], [true, false])
    func delivery(_ outcome: DeliveryEntry.Outcome, _ duplicate: Bool) {
        let delivery = DeliveryEntry(
            position: Position(partition: 1, ms: 5, seq: 6), messageUUID: uuid, target: "default", subject: Array("a.é".utf8), outcome: outcome,
            stream: "MESHLOG",
            sequence: .max, duplicate: duplicate, ackTS: 1_769_860_800_000_001, attempts: 3, reason: "no \"stream\"")
        #expect(DeliveryEntry(fields: lookup(DeliveryEntry.fieldNames, delivery.fieldValues)) == delivery)
        #expect(delivery.fieldValues.count == DeliveryEntry.fieldNames.count)
    }

    @Test("A delivery without a field is none") func deliveryMalformed() {
        let delivery = DeliveryEntry(position: .zero, messageUUID: uuid, target: "", subject: [], outcome: .core, ackTS: 0)
        for index in DeliveryEntry.fieldNames.indices where DeliveryEntry.fieldNames[index].description != "v" {
            var names = DeliveryEntry.fieldNames
            var fields = delivery.fieldValues
            names.remove(at: index)
            fields.remove(at: index)
            #expect(DeliveryEntry(fields: lookup(names, fields)) == nil, "without \(DeliveryEntry.fieldNames[index])")
        }
    }

    @Test("A message entry's fields stand where they were set or pointed") func message() {
        var entry = MessageEntry(bytes: Array("hello world".utf8))
        entry.point(.topic, at: 0..<5)
        entry.set(.source, "alice")
        entry.point(.data, at: 6..<11)
        #expect(entry.string(.topic) == "hello")
        #expect(entry.string(.source) == "alice")
        #expect(entry.string(.data) == "world")
        #expect(entry.count(.metadata) == 0)
        #expect(entry.fieldBytes == 15)
        entry.set(.topic, "other")
        #expect(entry.string(.topic) == "other")
    }

    @Test("Field names are found again, and no two are the same") func names() {
        for field in MessageField.allCases { #expect(MessageField.named(field.name.description.utf8) == field) }
        #expect(Set(MessageField.allCases.map(\.name.description)).count == MessageField.allCases.count)
        #expect(MessageField.named("topi".utf8) == nil)
        #expect(MessageField.named("".utf8) == nil)
    }

    @Test("An entry that stages cannot read says why") func entryFault() {
        func entry(_ change: (inout MessageEntry) -> Void) -> String? {
            var entry = MessageEntry()
            entry.set(.event, MessageEntry.accepted)
            entry.set(.messageUUID, uuid.description)
            entry.set(.topic, "a.b")
            entry.set(.data, "{}")
            change(&entry)
            return entry.fault
        }
        #expect(entry { _ in } == nil)
        #expect(entry { $0.set(.event, "message.seen") }?.contains("event") == true)
        #expect(entry { $0.set(.messageUUID, "1") }?.contains("message_uuid") == true)
        #expect(entry { $0.set(.topic, "a.>") }?.contains("topic") == true)
        #expect(entry { $0.set(.originTS, "soon") }?.contains("origin_ts") == true)
        #expect(entry { $0.set(.originTS, "-5") } == nil, "a time before 1970 is one")
        #expect(entry { $0.set(.destinations, "[1]") }?.contains("destination") == true)
        #expect(entry { $0.set(.data, [0xFF]) }?.contains("UTF-8") == true)
        #expect(
            entry {
                $0.set(.data, [0xFF])
                $0.set(.contentType, "application/octet-stream")
            } == nil)
    }

    @Test(
        "JSON is told by the media type",
        arguments: [
            ("", true), ("application/json", true), ("Application/JSON; charset=utf-8", true), ("text/json", true), ("application/cloudevents+json", true),
            ("application/vnd.a+JSON;v=1", true), ("text/plain", false), ("application/jsonl", false), ("json", false), ("application/octet-stream", false),
            ("text/plain; a=application/json", false), ("application/json-seq", false),
        ])
    func contentType(_ type: String, _ isJSON: Bool) { #expect(ContentType.isJSON(type.utf8) == isJSON) }

    @Test(
        "A trace parent is told by W3C's form",
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true), ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false), ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false), ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false), ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1", false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false), ("00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01", false),
            ("", false), ("00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", false),
        ])
    func traceParent(_ text: String, _ isValid: Bool) { #expect(TraceParent.isValid(text.utf8) == isValid) }

    @Test("A refusal keeps 64 violations, in order, and says them as JSON and as a line") func refusal() {
        var refusal = Refusal()
        for index in 0..<100 { refusal.add(.malformed, "/a/\(index)", "no \"\(index)\"") }
        #expect(refusal.violations.count == Limits.violationsMax)
        #expect(refusal.violations.first?.pointer == "/a/0")
        #expect(fault(refusal.json) == nil)
        #expect(refusal.summary.hasPrefix(#"/a/0: no "0"; /a/1: "#))
        #expect(Refusal(JSONFault(reason: .nesting, offset: 3)).violations == [Violation(.nesting, "", "nested deeper than 128 levels, at byte 3")])
    }

    @Test("An entry that no door would have let in is none that stages read; one at every bound is") func foreign() throws {
        let longest = String(repeating: "n", count: Limits.nameBytesMax)
        let recipients = "[" + Array(repeating: "\"\(longest)\"", count: Limits.destinationsMax).joined(separator: ",") + "]"
        let text =
            #"{"topic":"a.b","source_subject_id":"\#(longest)","message_type":"\#(longest)","correlation_id":"\#(longest)","destination_subject_ids":\#(recipients),"data":1}"#
        let entry = try Envelope.admit(Array(text.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 1, low: 1) }).entry
        #expect(entry.fault == nil)
        for (field, value, word) in [
            (MessageField.source, longest + "n", "257 bytes"), (.type, longest + "n", "257 bytes"), (.correlationID, "a\u{0}b", "control characters"),
            (.source, "a\nb", "control characters"),
            (.destinations, "[1]", "JSON array"), (.destinations, #"["a"] x"#, "JSON array"), (.destinations, #"["\ud800"]"#, "JSON array"),
            (.destinations, #"["a",""]"#, "recipient 1"),
            (.destinations, "[" + Array(repeating: #""a""#, count: 1_001).joined(separator: ",") + "]", "1001 recipients"),
            (.destinations, #"["\#(longest)n"]"#, "recipient 0"),
            (.data, String(repeating: "1", count: Limits.entryBytesMax), "bytes, at most"), (.event, String(repeating: "e", count: 5_000), "its event is"),
        ] {
            var other = entry
            other.set(field, value)
            let fault = try #require(other.fault, "\(field)")
            #expect(fault.contains(word) && fault.utf8.count < 256, "\(fault)")
        }
    }
}
