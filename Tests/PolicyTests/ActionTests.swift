import Core
import Testing

@Suite("Policy: actions")
struct ActionTests {
    @Test("Without constraints a message is delivered to the default backbone on its own topic") func none() throws {
        let decision = try PolicyRig.decide([])
        #expect(decision == PolicyDecision(revision: Position(ms: 5, seq: 1), targets: ["default"]))
        let verdict = decision.verdict(uuid: MessageUUID(high: 1, low: 2), topic: "tasks.a".utf8)
        #expect(verdict.subject == Array("tasks.a".utf8))
        #expect(verdict.policyRevision == "0-5-1")
        #expect(verdict.detail == VerdictDetail())
    }

    @Test(
        "Conditions read the message, and what they read decides",
        arguments: [
            ("message.topic == 'tasks.a.question'", true), ("message.source == 'bob'", true), ("'ann' in message.destinations", true),
            ("message.type == 'answer'", false),
            ("message.metadata.turn == 3", true), ("message.data.amount > 5", true), ("has(message.data.missing)", false), ("message.size == 30", true),
            ("message.via == 'http'", true),
            ("message.correlation_id == 'c-1'", true), ("message.uuid.size() == 36", true), ("message.content_type == 'application/json'", true),
            ("principal == 'root'", true),
            ("message.time == now", true), ("now == timestamp('2026-01-01T00:00:00Z')", true), ("config.level == 3", true), ("config['level'] > 2", true),
            ("has(config.absent)", false), ("'level' in config", true),
            ("registry.east.metadata.region == 'eu'", true), ("registry['b-1'].name == 'east'", true), ("'west' in registry", false),
            ("message.data.content.matches('^h.*o$')", true),
            ("size(registry) == 2", true), ("config.size() == 2", true),
        ] as [(String, Bool)])
    func conditions(_ when: String, _ matches: Bool) throws {
        let context = PolicyRig.context(
            [
                (ConfigAddress(.global, name: "level"), "1"), (ConfigAddress(.topic, scope: "tasks.>", name: "level"), "3"),
                (ConfigAddress(.global, name: "other"), "true"),
            ],
            registry: [("b-1", #"{"name":"east","metadata":{"region":"eu"}}"#)])
        let decision = try PolicyRig.decide([PolicyRig.rule("r", #""when":"\#(when)","action":{"type":"block"}"#)], PolicyRig.message(), context)
        #expect(decision.faults == [])
        #expect(decision.outcome == (matches ? .block : .deliver))
        #expect(decision.rule == (matches ? "r" : "default"))
    }

    @Test(
        "A payload that is not JSON is bytes, an empty one null, absent metadata an empty object",
        arguments: [
            ("message.data == b'ab'", "ab", "{}"), ("message.data == null", "", "{}"), ("size(message.metadata) == 0", "1", ""),
            ("!has(message.metadata.x)", "1", ""),
        ])
    func payloads(_ when: String, _ data: String, _ metadata: String) throws {
        var message = PolicyRig.message(data: data, metadata: metadata)
        if data == "ab" { message.set(.contentType, "application/octet-stream") }
        #expect(try PolicyRig.decide([PolicyRig.rule("r", #""when":"\#(when)","action":{"type":"block"}"#)], message).outcome == .block)
    }

    @Test("Require blocks when its condition does not hold") func require() throws {
        #expect(try PolicyRig.decide([PolicyRig.rule("r", #""when":"principal == 'root'","action":{"type":"require"}"#)]).outcome == .deliver)
        let blocked = try PolicyRig.decide([
            PolicyRig.rule("r", #""when":"principal == 'admin'","action":{"type":"require"},"reason":"only admins, not {{ principal }}"# + "\"")
        ])
        #expect(blocked.outcome == .block)
        #expect(blocked.reason == "only admins, not root")
    }

    @Test("Hold says under which terms a person is asked") func hold() throws {
        let decision = try PolicyRig.decide([PolicyRig.rule("r", #""action":{"type":"hold","timeout_ms":60000,"approvers":["eve"],"channel":"ops"}"#)])
        #expect(decision.outcome == .hold)
        #expect(decision.hold == ConstraintAction.Hold(timeoutMs: 60_000, approvers: ["eve"], channel: "ops"))
        #expect(String(decoding: decision.detail.hold, as: UTF8.self) == #"{"timeout_ms":60000,"on_expiry":"block","approvers":["eve"],"channel":"ops"}"#)
    }

    @Test("Reroute changes topic, recipients and backbone, with values of the message") func reroute() throws {
        let context = PolicyRig.context(registry: [("b-1", #"{"name":"east"}"#)])
        let action =
            #""action":{"type":"reroute","topic":"desk.{{ message.source }}","destinations":["{{ message.destinations }}","eve","ann"],"backbone":"b-1"}"#
        let decision = try PolicyRig.decide([PolicyRig.rule("r", action)], PolicyRig.message(), context)
        #expect(decision.outcome == .reroute)
        #expect(decision.subject == Array("desk.bob".utf8))
        #expect(decision.destinations == ["ann", "carl", "eve"])
        #expect(decision.targets == ["east"])
        #expect(decision.verdict(uuid: MessageUUID(high: 1, low: 1), topic: "a".utf8).detail.destinations == Array(#"["ann","carl","eve"]"#.utf8))
    }

    @Test(
        "A reroute to nowhere is an error of the rule",
        arguments: [
            #"{"type":"reroute","topic":"desk.{{ message.data.content }} x"}"#, #"{"type":"reroute","topic":"{{ 'a.' + '>' }}"}"#,
            #"{"type":"reroute","backbone":"west"}"#,
            #"{"type":"reroute","destinations":["{{ [1] }}"]}"#, #"{"type":"reroute","destinations":["{{ [] }}"]}"#,
            #"{"type":"reroute","topic":"{{ message.data.none }}"}"#,
        ])
    func badWays(_ action: String) throws {
        let decision = try PolicyRig.decide([PolicyRig.rule("r", #""action":\#(action)"#)])
        #expect(decision.outcome == .block)
        #expect(decision.rule == "r")
        #expect(decision.faults.map(\.rule) == ["r"])
        #expect(decision.subject == nil && decision.destinations == nil && decision.targets == ["default"])
    }

    @Test("Annotations keep their types, the first of a name stays, and the next rule is looked at") func annotate() throws {
        let decision = try PolicyRig.decide([
            PolicyRig.rule(
                "a",
                #""priority":2,"action":{"type":"annotate","metadata":{"risk":"{{ message.data.amount + 1 }}","who":"by {{ message.source }}","list":[1,{"b":null}],"tags":"{{ message.destinations }}"}}"#
            ),
            PolicyRig.rule("b", #""priority":1,"action":{"type":"annotate","metadata":{"risk":0,"more":true}}"#),
            PolicyRig.rule("c", #""action":{"type":"block"}"#),
        ])
        #expect(
            String(decoding: decision.annotationsJSON, as: UTF8.self) == #"{"risk":8,"who":"by bob","list":[1,{"b":null}],"tags":["ann","carl"],"more":true}"#)
        #expect(decision.rule == "c")
    }

    @Test("A reason is cut where it is too long, and what cannot be evaluated becomes a question mark") func reasons() throws {
        let long = String(repeating: "ü", count: 400)
        let decision = try PolicyRig.decide([PolicyRig.rule("r", #""action":{"type":"block"},"reason":"{{ message.data.none }}: \#(long)"# + "\"")])
        #expect(decision.reason.hasPrefix("?: üü"))
        #expect(decision.reason.hasSuffix("ü…"))
        #expect(decision.reason.utf8.count <= Limits.reasonBytesMax)
        #expect(decision.faults.isEmpty)
    }
}
