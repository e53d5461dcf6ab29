import Core
import RE2Driver
import Testing

/// Policies and messages for tests, in few words.
enum PolicyRig {
    static let compiler = PolicyCompiler(patterns: RE2Compiler())

    static func read(_ document: String) throws(Refusal) -> Constraint {
        let root: JSONNode
        do throws(JSONFault) { root = try JSONDocument(document).root } catch { throw Refusal(error) }
        return try ConstraintReader(compiler).read(root)
    }

    static func set(_ documents: [String]) throws(Refusal) -> PolicySet {
        var constraints: [Constraint] = []
        for document in documents { constraints.append(try read(document)) }
        return PolicySet(compiler, constraints: constraints)
    }

    /// `{"constraint_id": "<id>", <rest>}`
    static func rule(_ id: String, _ rest: String) -> String { #"{"constraint_id":"\#(id)",\#(rest)}"# }

    static func message(
        topic: String = "tasks.a.question", source: String = "bob", destinations: String = #"["ann","carl"]"#, type: String = "question",
        data: String = #"{"amount":7,"content":"hello"}"#, metadata: String = #"{"turn":3}"#, principal: String = "root"
    ) -> MessageEntry {
        var entry = MessageEntry()
        entry.set(.event, MessageEntry.accepted)
        entry.set(.messageUUID, MessageUUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001))
        entry.set(.topic, topic)
        entry.set(.source, source)
        entry.set(.destinations, destinations)
        entry.set(.type, type)
        entry.set(.metadata, metadata)
        entry.set(.data, data)
        entry.set(.contentType, ContentType.json)
        entry.set(.via, "http")
        entry.set(.principal, principal)
        entry.set(.correlationID, "c-1")
        return entry
    }

    static func context(_ config: [(ConfigAddress, String)] = [], registry: [(String, String)] = [], groups: [(String, String)] = []) -> PolicyContext {
        var table = ConfigTable()
        for (address, value) in config {
            let event = ControlEvent(.config, .created, key: address.key, document: address.document(value: Array(value.utf8)))
            table.put(key: address.key, ControlRow(event, at: .zero, before: nil))
        }
        for (key, document) in groups {
            table.put(topicGroup: key, ControlRow(ControlEvent(.topics, .created, key: key, document: Array(document.utf8)), at: .zero, before: nil))
        }
        return PolicyContext(
            config: table, registry: registry.compactMap { PolicyContext.Backbone(id: $0.0, document: Array($0.1.utf8)) }, revision: Position(ms: 5, seq: 1))
    }

    static let start: UInt64 = 1_767_225_600_000

    static func decide(
        _ documents: [String], _ message: MessageEntry = message(), _ context: PolicyContext = context(), at ms: UInt64 = start
    ) throws(Refusal) -> PolicyDecision {
        var limiter = LimiterState()
        var machine = PolicyMachine(compiler)
        return machine.decide(message, at: Position(ms: ms, seq: 0), try set(documents), context, &limiter)
    }
}
