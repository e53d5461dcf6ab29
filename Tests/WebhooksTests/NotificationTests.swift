import Core
import Log
import RE2Driver
import RedisDriver
import TestSupport
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
        return ValidationFailure(door: "http", message: message.entry, uuid: message.uuid, violations: violations)
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

    @Test("Notifications of the doors are bounded on their way; what is beyond is dropped and counted, and the door does not wait") func flood() async throws {
        try await NotifierRig.with { rig in
            let metrics = Metrics()
            let setup = LogSetup(catalog: try StreamCatalog.load(Repository.root + "/streams"), keys: rig.keys)
            let appender = Appender(endpoint: rig.endpoint, setup: setup, codec: EntryCodec(keys: rig.keys, dedupeWindowMs: 1_000), metrics: metrics)
            let writer = NotificationWriter(appender: appender, metrics: metrics)
            func count(_ result: String) -> Int { metrics.counter("meshlog_notifications_total", help: "", ["result": result]).current }
            let notification = NotificationEntry.test(.init(webhook: "w", principal: ""))
            for _ in 0..<Limits.noticesWaitingMax + 10 { writer.append(notification) }
            #expect(count("dropped") == 10 && count("appended") == 0)
            let service = Task { await appender.run() }
            #expect(await eventually { count("appended") == Limits.noticesWaitingMax })
            writer.append(notification)
            #expect(await eventually { count("appended") == Limits.noticesWaitingMax + 1 })
            service.cancel()
            await service.value
            #expect(try rig.connect().run("XLEN", [rig.keys.stream(.notifications)]).int == Limits.noticesWaitingMax + 1)
        }
    }

    @Test("A batch too large for one step is spread over several, in order, with nothing left out") func spread() async throws {
        try await NotifierRig.with { rig in
            // Records that nothing is sent are as large as plans get without a body: 60 webhooks and 200 notifications are more than 4 MiB.
            for webhook in 0..<60 { try rig.put("w\(webhook)", "https://example.invalid/", more: #","disabled":true"#) }
            let session = try rig.connect()
            for _ in 0..<200 { _ = try NotificationEntry(try failure(1)).append(session, keys: rig.keys) }
            try await rig.withNotifier { #expect(await eventually(within: .seconds(60)) { try rig.count(.notifications) == 200 + 200 * 60 }) }
            #expect(try rig.left() == [0, 0, 0])
        }
    }
}
