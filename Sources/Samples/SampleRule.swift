package import Core

/// A typical rule, with messages to judge and the same condition written in Swift: what benchmarks compare.
package struct SampleRule: Sendable {
    package static let source =
        #"message.topic.startsWith("agent.") && message.source in ["a", "b", "c"] && size(message.destinations) < 5 && message.data.amount > 100"#

    /// A message as a host would offer it to rules.
    package final class Message: CELRecord {
        package static let type = CELRecordType(
            "message",
            [
                CELRecordType.Field("topic", .string, sizeMax: Limits.topicBytesMax), CELRecordType.Field("source", .string, sizeMax: Limits.nameBytesMax),
                CELRecordType.Field("destinations", .list(.string), sizeMax: Limits.destinationsMax), CELRecordType.Field("data", .dyn),
            ])

        let topic: String
        let source: String
        let names: [String]
        let destinations: [CELValue]
        let data: JSONDocument

        init(topic: String, source: String, destinations: [String], data: JSONDocument) {
            self.topic = topic
            self.source = source
            names = destinations
            self.destinations = destinations.map(CELValue.string)
            self.data = data
        }

        /// As another evaluator takes it.
        package var json: [UInt8] {
            var out = JSONObject()
            out.add("topic", topic)
            out.add("source", source)
            out.add("destinations", raw: "[\(names.map { "\"\($0)\"" }.joined(separator: ","))]".utf8)
            out.add("data", raw: data.text)
            return out.finish()
        }

        package var type: CELRecordType { Self.type }

        package func field(_ index: Int) -> CELValue? {
            switch index {
            case 0: .string(topic)
            case 1: .string(source)
            case 2: .list(destinations)
            case 3: CELValue(json: data.root)
            default: nil
            }
        }
    }

    package let messages: [Message]

    /// - Shape: of the messages one in three satisfies the rule; the others fail at each of its conditions.
    package init(count: Int) throws(JSONFault) {
        var messages: [Message] = []
        for index in 0..<count {
            let amount = index % 6 == 5 ? 7 : 100 + index
            let data = try JSONDocument(#"{"kind": "order", "currency": "EUR", "amount": \#(amount + 1), "note": "number \#(index)"}"#)
            messages.append(
                Message(
                    topic: index % 6 == 1 ? "metrics.cpu.load.average" : "agent.orders.created.\(index % 10)", source: index % 6 == 2 ? "z" : "b",
                    destinations: Array(repeating: "subject", count: index % 6 == 3 ? 7 : 2), data: data))
        }
        self.messages = messages
    }

    /// The rule in Swift, over the same message.
    package static func judge(_ message: Message) -> Bool {
        guard message.topic.hasPrefix("agent."), ["a", "b", "c"].contains(message.source), message.destinations.count < 5 else { return false }
        return message.data.root["amount"]?.integer ?? 0 > 100
    }

    /// The variable `message`.
    package static func environment(patterns: (any PatternCompiler)? = nil) -> CELEnvironment {
        CELEnvironment(variables: [CELEnvironment.Variable("message", .record("message"))], records: [Message.type], patterns: patterns)
    }

    /// How many messages satisfy the program.
    package func count(_ program: CELProgram, costMax: Int = 10_000) throws(CELError) -> Int {
        var activation = Self.environment().activation()
        var satisfied = 0
        for message in messages {
            activation.set(0, .record(message))
            if try program.isTrue(activation, costMax: costMax) { satisfied += 1 }
        }
        return satisfied
    }

    /// The same by `judge`.
    package func countDirectly() -> Int { messages.reduce(0) { $0 + (Self.judge($1) ? 1 : 0) } }
}
