package import Core

/// Made-up policies and messages of a typical kind: what benchmarks decide about.
package struct SamplePolicy: Sendable {
    package let messages: [MessageEntry]

    /// - Shape: topics `tasks.<n>.<kind>` of 500 tasks, 50 senders, payloads of about 1 kB.
    package init(messages count: Int) {
        let kinds = ["thought", "statement", "instruction", "report", "tool_output", "question"]
        let filler = String(repeating: "what was found on the way and what should be done about it, ", count: 14)
        messages = (0..<count).map { index in
            var entry = MessageEntry()
            let kind = kinds[index % kinds.count]
            entry.set(.messageUUID, MessageUUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | UInt64(index)))
            entry.set(.topic, "tasks.task-\(index * 7 % 500).\(kind)")
            entry.set(.source, "agent-\(index % 50)")
            entry.set(.destinations, #"["orchestrator","agent-\#(index % 7)"]"#)
            entry.set(.type, kind)
            entry.set(.metadata, #"{"task":"task-\#(index * 7 % 500)","turn":\#(index % 30)}"#)
            entry.set(.data, #"{"content":"\#(filler)","amount":\#(index % 1_000),"tags":["a","b"]}"#)
            entry.set(.contentType, ContentType.json)
            entry.set(.principal, "agent-\(index % 50)")
            return entry
        }
    }

    /// Constraints as a large installation has them: a few for everybody, the others for one task, sender or recipient each. Whatever
    /// their number, a message has as many candidates.
    package static func documents(_ count: Int) -> [String: [UInt8]] {
        var out: [String: [UInt8]] = [:]
        for index in 0..<count {
            let id = "rule-\(index)"
            let scope, rest: String
            switch index {
            case 0: (scope, rest) = (#"{"topics":["tasks.>"]}"#, #""when":"message.type == 'termination'","action":{"type":"hold"}"#)
            case 1: (scope, rest) = (#"{"topics":["tasks.*.tool_output"]}"#, #""when":"message.data.amount > 998","action":{"type":"block"}"#)
            case 2: (scope, rest) = (#"{"topics":["tasks.>"]}"#, #""action":{"type":"limit","rate":1000000,"period_ms":1000,"burst":1000000}"#)
            case 3:
                (scope, rest) = (
                    #"{"topics":["tasks.*.question"]}"#, #""when":"size(message.destinations) > 5","action":{"type":"reroute","topic":"desk.questions"}"#
                )
            default:
                rest = #""when":"message.data.amount > 5000 && message.type == 'statement'","action":{"type":"block"}"#
                switch index % 3 {
                case 0: scope = #"{"topics":["projects.project-\#(index).>"]}"#
                case 1: scope = #"{"sources":["service-\#(index)"]}"#
                default: scope = #"{"topics":["tasks.archived-\#(index).*"],"sources":["service-\#(index)"]}"#
                }
            }
            out[id] = Array(#"{"constraint_id":"\#(id)","scope":\#(scope),\#(rest)}"#.utf8)
        }
        return out
    }
}
