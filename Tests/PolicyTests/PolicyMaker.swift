import Core
import TestSupport

/// Random constraints and messages that meet often.
struct PolicyMaker {
    var numbers: SeededNumbers

    init(_ seed: UInt64) { numbers = SeededNumbers(seed) }

    private static let tasks = (0..<12).map { "task-\($0)" }
    private static let kinds = ["question", "report", "thought", "tool_output", "termination"]
    private static let names = ["ann", "bob", "carl", "dave", "eve", "frank", "grace"]

    private mutating func pattern() -> String {
        switch numbers.below(7) {
        case 0: ">"
        case 1: "tasks.>"
        case 2: "tasks.*.\(numbers.pick(Self.kinds))"
        case 3: "tasks.\(numbers.pick(Self.tasks)).>"
        case 4: "tasks.\(numbers.pick(Self.tasks)).\(numbers.pick(Self.kinds))"
        case 5: "*.\(numbers.pick(Self.tasks)).*"
        default: "other.\(numbers.pick(Self.kinds))"
        }
    }

    private mutating func list(_ items: [String]) -> String {
        "[" + (0...numbers.below(2)).map { _ in "\"" + numbers.pick(items) + "\"" }.joined(separator: ",") + "]"
    }

    private mutating func scope() -> String {
        var parts: [String] = []
        if !numbers.once(in: 4) { parts.append(#""topics":["\#(pattern())","\#(pattern())"]"#) }
        if numbers.once(in: 3) { parts.append(#""sources":\#(list(Self.names))"#) }
        if numbers.once(in: 4) { parts.append(#""destinations":\#(list(Self.names))"#) }
        if numbers.once(in: 8) { parts.append(#""organisations":\#(list(["acme", "umbrella"]))"#) }
        return "{" + parts.joined(separator: ",") + "}"
    }

    /// Holds once in some hundreds of messages, so that many constraints leave something to each other.
    private mutating func condition() -> String {
        let rare = "message.data.amount % 97 == \(numbers.below(97)) && \(plain()) && \(plain())"
        return numbers.once(in: 30) ? "message.data.missing == 1 && " + rare : rare
    }

    private mutating func plain() -> String {
        switch numbers.below(13) {
        case 0: "message.data.amount > \(numbers.below(1_000))"
        case 1: "message.type == '\(numbers.pick(Self.kinds))'"
        case 2: "message.source in ['\(numbers.pick(Self.names))', '\(numbers.pick(Self.names))']"
        case 3: "size(message.destinations) > \(numbers.below(3))"
        case 4: "message.metadata.turn % \(2 + numbers.below(5)) == 0"
        case 5: "message.data.tags.exists(t, t == 'b') && message.data.amount < \(numbers.below(500))"
        case 6: "config.level > \(numbers.below(5))"
        case 7: "now.getSeconds() < \(numbers.below(60))"
        case 8: "principal.startsWith('\(numbers.pick(["a", "b", "c"]))')"
        case 9: "message.data.content.matches('(a|b)+c\(numbers.below(10))')"
        case 10: "registry.east.metadata.region == '\(numbers.pick(["eu", "us"]))'"
        case 11: "message.topic.contains('\(numbers.pick(Self.tasks))')"
        default: "message.size % \(2 + numbers.below(9)) == 0"
        }
    }

    private mutating func action(_ stage: String) -> String {
        let kinds = stage == "reception" ? ["block", "require", "limit"] : ["block", "require", "hold", "limit", "limit", "reroute", "annotate"]
        let kind = numbers.pick(kinds)
        switch kind {
        case "limit":
            let over = stage == "initial" && numbers.once(in: 3) ? "delay" : "block"
            let key = numbers.once(in: 2) ? #","key":"message.type""# : ""
            return
                #"{"type":"limit","rate":\#(1 + numbers.below(20)),"period_ms":\#(numbers.pick([100, 1_000, 7_000])),"burst":\#(1 + numbers.below(10)),"over":"\#(over)"\#(key)}"#
        case "reroute":
            return numbers.once(in: 2)
                ? #"{"type":"reroute","topic":"desk.{{ message.source }}"}"#
                : #"{"type":"reroute","destinations":["{{ message.data.tags }}","eve"],"backbone":"east"}"#
        case "annotate": return #"{"type":"annotate","metadata":{"k\#(numbers.below(5))":"{{ message.data.amount }}"}}"#
        default: return #"{"type":"\#(kind)"}"#
        }
    }

    mutating func constraint(_ id: String) -> String {
        // Limits and annotations may apply often, what ends the matter seldom.
        let stage = numbers.once(in: 5) ? "reception" : "initial"
        let mode = numbers.once(in: 4) ? "shadow" : "enforce"
        let action = action(stage)
        var when = action.contains("limit") || action.contains("annotate") ? plain() : condition()
        if action.contains("require") { when = "!(\(when))" }
        return
            #"{"constraint_id":"\#(id)","scope":\#(scope()),"stage":"\#(stage)","when":"\#(when)","action":\#(action),"mode":"\#(mode)","priority":\#(numbers.below(5)),"reason":"{{ message.source }} by \#(id)"}"#
    }

    mutating func documents(_ count: Int) -> [String: [UInt8]] {
        var out: [String: [UInt8]] = [:]
        for index in 0..<count { out["rule-\(index)"] = Array(constraint("rule-\(index)").utf8) }
        return out
    }

    mutating func message() -> MessageEntry {
        let topic = numbers.once(in: 10) ? "other.\(numbers.pick(Self.kinds))" : "tasks.\(numbers.pick(Self.tasks)).\(numbers.pick(Self.kinds))"
        let destinations = "[" + (0..<numbers.below(4)).map { _ in "\"" + numbers.pick(Self.names) + "\"" }.joined(separator: ",") + "]"
        let data =
            numbers.once(in: 20)
            ? "not json" : #"{"amount":\#(numbers.below(1_000)),"content":"abab c\#(numbers.below(10))","tags":["a","\#(numbers.pick(["b", "c"]))"]}"#
        return PolicyRig.message(
            topic: topic, source: numbers.pick(Self.names), destinations: destinations, type: numbers.pick(Self.kinds), data: data,
            metadata: #"{"turn":\#(numbers.below(50))}"#, principal: numbers.pick(Self.names))
    }

    static var context: PolicyContext {
        PolicyRig.context(
            [
                (ConfigAddress(.global, name: "level"), "2"), (ConfigAddress(.topic, scope: "tasks.task-1.>", name: "level"), "4"),
                (ConfigAddress(.topic, scope: "tasks.task-2.>", name: "policy_on_error"), #""deliver""#),
                (ConfigAddress(.global, name: "rate_limit_default"), #"{"rate":500,"period_ms":1000,"burst":200}"#),
            ],
            registry: [("b-1", #"{"name":"east","metadata":{"region":"eu"}}"#)],
            groups: [("g", #"{"subject_id":"g","org_id":"acme","topic_ids":["tasks.task-1.report","tasks.task-2.report","tasks.task-3.question"]}"#)])
    }
}
