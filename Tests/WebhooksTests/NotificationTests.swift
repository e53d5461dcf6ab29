import Core
import RE2Driver
import Testing

@Suite("Notifications")
struct NotificationTests {
    private let position = Position(ms: 1_700_000_000_000, seq: 3)

    /// A message that breaks a template in `count` ways.
    private func failure(_ count: Int, member: String = "member") throws -> ValidationFailure {
        let json = #"{"topic":"orders.eu","source_subject_id":"bob","data":{}}"#
        let message = try Envelope.admit(Array(json.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 1, low: 2) })
        var templates = TemplateSet(try SchemaCompiler(patterns: RE2Compiler()))
        let required = (0..<count).map { #""\#(member)\#($0)""# }.joined(separator: ",")
        templates.put(key: "t", Array(#"{"template_id":"t","topics":["orders.>"],"version":4,"schema":{"type":"object","required":[\#(required)]}}"#.utf8))
        let violations = templates.check(message.entry)
        #expect(violations.count == count)
        return ValidationFailure(door: "http", message: message, violations: violations)
    }

    @Test("A notification reads back from its fields, and its body has type, timestamp and data") func readsBack() throws {
        let notification = NotificationEntry(try failure(3))
        let fields = Dictionary(uniqueKeysWithValues: notification.fields.map { ($0.0.description, $0.1) })
        #expect(NotificationEntry(fields: { name in fields[name.description].map { $0[...] } }) == notification)
        #expect(NotificationEntry(fields: { name in name.description == "violations" ? [] : fields[name.description].map { $0[...] } }) == nil)
        let root = try JSONDocument(notification.body(at: position)).root
        #expect(root["type"]?.string == "validation.failed")
        #expect(root["timestamp"]?.string?.hasPrefix("2023-11-14T22:13:20") == true)
        let data = try #require(root["data"])
        #expect(data["topic"]?.string == "orders.eu" && data["source_subject_id"]?.string == "bob" && data["door"]?.string == "http")
        #expect(data["position"]?.string == position.description && data["violations"]?.count == 3 && data["further_violations"]?.integer == 0)
        #expect(data["violations"]?.item(0)?["template"]?.string == "t" && data["violations"]?.item(0)?["version"]?.integer == 4)
    }

    @Test("However much is wrong, a body stays below 20 kB and says how much is left out") func bounded() throws {
        let member = String(repeating: "\u{1F980}", count: 700)
        let body = NotificationEntry(try failure(60, member: member)).body(at: position)
        #expect(body.count < 20_000)
        let data = try #require(try JSONDocument(body).root["data"])
        let told = Int64(try #require(data["violations"]?.count))
        let further = try #require(data["further_violations"]?.integer)
        #expect(told >= 1 && further >= 1 && told + further == 60)
    }
}
