/// Reads one case of a file of policy tests.
struct PolicyTestReader {
    private var reader: DocumentReader
    private let pointer: String
    /// Earlier messages of a case, in all.
    private static let earlierMax: Int64 = 100_000

    init(_ node: JSONNode, _ pointer: String) {
        reader = DocumentReader(node, pointer, Refusal())
        self.pointer = pointer
    }

    var refusal: Refusal { reader.refusal }

    /// nil when something is wrong with it.
    mutating func read(_ index: Int) -> PolicyTestCase? {
        guard reader.node.kind == .object else {
            reader.refusal.add(.wrongType, pointer, "a case is an object")
            return nil
        }
        reader.allow(["name", "message", "principal", "now", "state", "expect"], of: "a case")
        let name = reader.text("name") ?? "case \(index + 1)"
        let principal = reader.text("principal") ?? ""
        let now = time(reader.member("now"), reader.at("now")) ?? 1_767_225_600_000
        let message = reader.object("message", isRequired: true).flatMap { self.message($0, reader.at("message"), principal) }
        let state = reader.object("state")
        if let state {
            var inner = DocumentReader(state, reader.at("state"), reader.refusal)
            inner.allow(["config", "registry", "topic_groups", "earlier"], of: "a state")
            reader.refusal = inner.refusal
        }
        let context = context(state, now)
        let expected = reader.object("expect", isRequired: true)
        if let expected {
            var inner = DocumentReader(expected, reader.at("expect"), reader.refusal)
            inner.allow(PolicyTestCase.members, of: "an expectation")
            _ = inner.choice("outcome", ChoiceOfOutcome.self)
            reader.refusal = inner.refusal
        }
        guard let message, let expected, let earlier = earlier(state?["earlier"], message, now, principal), reader.refusal.isEmpty else { return nil }
        let input = PolicyTestCase.Input(message: message, at: Position(ms: UInt64(now), seq: UInt64(earlier.count)))
        return PolicyTestCase(name: name, input: input, earlier: earlier, context: context, expected: expected)
    }

    private enum ChoiceOfOutcome: String, CaseIterable { case deliver, block, reroute, hold }

    /// Milliseconds: a number, or RFC 3339.
    private mutating func time(_ node: JSONNode?, _ pointer: String) -> Int64? {
        guard let node else { return nil }
        if let number = node.integer, number >= 0, number <= 253_402_300_799_000 { return number }
        if let time = node.string.flatMap({ CELTimestamp(text: $0) }), time.seconds >= 0 { return time.seconds * 1_000 + Int64(time.nanoseconds) / 1_000_000 }
        reader.refusal.add(.malformed, pointer, "a time is expected: 2026-01-01T00:00:00Z, or milliseconds since 1970")
        return nil
    }

    /// As a door would admit it.
    private mutating func message(_ node: JSONNode, _ pointer: String, _ principal: String) -> MessageEntry? {
        do throws(Refusal) {
            let arrival = Arrival(via: "http", principal: principal)
            return try Envelope.admit(Array(node.text), arrival: arrival) { MessageUUID(high: 0, low: 1) }.entry
        } catch {
            for violation in error.violations { reader.refusal.add(violation.code, pointer + violation.pointer, violation.detail) }
            return nil
        }
    }

    // MARK: State

    private mutating func context(_ state: JSONNode?, _ now: Int64) -> PolicyContext {
        guard let state else { return PolicyContext() }
        let place = pointer + "/state"
        var config = ConfigTable()
        func row(_ document: [UInt8], _ kind: ControlKind, _ key: String) -> ControlRow {
            ControlRow(ControlEvent(kind, .created, key: key, document: document), at: Position.zero, before: nil)
        }
        switch state["config"]?.kind {
        case .object?:
            guard let members = state["config"]?.members else { break }
            for (key, value) in members {
                let address = ConfigAddress(.global, name: key.string ?? "")
                config.put(key: address.key, row(address.document(value: value.text), .config, address.key))
            }
        case .array?:
            for (index, item) in items(state["config"]).enumerated() {
                guard let level = (item["level"]?.string ?? "global").nonEmpty.flatMap(ConfigLevel.init(rawValue:)), let name = item["name"]?.string,
                    item["value"] != nil,
                    level == .global || item["scope"]?.string?.isEmpty == false
                else {
                    reader.refusal.add(
                        .malformed, "\(place)/config/\(index)", "an object with level (global, org, topic, subject), scope, name and value is expected")
                    continue
                }
                let address = ConfigAddress(level, scope: item["scope"]?.string ?? "", name: name)
                config.put(key: address.key, row(Array(item.text), .config, address.key))
            }
        case nil, .null?: break
        default: reader.refusal.add(.wrongType, "\(place)/config", "an object of global values, or a list of documents, is expected")
        }
        for (index, item) in items(state["topic_groups"]).enumerated() {
            let key = item["subject_id"]?.string ?? "group-\(index)"
            config.put(topicGroup: key, row(Array(item.text), .topics, key))
        }
        var registry: [PolicyContext.Backbone] = []
        for (index, item) in items(state["registry"]).enumerated() {
            guard
                let backbone = PolicyContext.Backbone(id: item["system_id"]?.string ?? item["name"]?.string ?? "backbone-\(index)", document: Array(item.text))
            else {
                reader.refusal.add(.wrongType, "\(place)/registry/\(index)", "a backbone is an object")
                continue
            }
            registry.append(backbone)
        }
        return PolicyContext(config: config, registry: registry)
    }

    private func items(_ node: JSONNode?) -> [JSONNode] { node.map { Array($0.items) } ?? [] }

    private mutating func earlier(_ list: JSONNode?, _ own: MessageEntry, _ now: Int64, _ principal: String) -> [PolicyTestCase.Input]? {
        guard let list else { return [] }
        var out: [(ms: Int64, message: MessageEntry)] = []
        for (index, item) in list.items.enumerated() {
            var inner = DocumentReader(item, "\(pointer)/state/earlier/\(index)", reader.refusal)
            inner.allow(["message", "at", "times", "every_ms"], of: "an earlier message")
            let times = inner.integer("times", in: 1...Self.earlierMax) ?? 1
            let every = inner.integer("every_ms", in: 0...86_400_000) ?? 0
            let given = inner.object("message")
            let start = inner.member("at")
            let (messagePlace, atPlace) = (inner.at("message"), inner.at("at"))
            reader.refusal = inner.refusal
            // Without a time of their own, the last of them comes at the time of the case.
            let at = time(start, atPlace) ?? now - every * (times - 1)
            guard let message = given == nil ? own : given.flatMap({ message($0, messagePlace, principal) }) else { continue }
            guard Int64(out.count) + times <= Self.earlierMax, at >= 0, at + every * (times - 1) <= now else {
                reader.refusal.add(.malformed, inner.pointer, "earlier messages come before the case's own, at most \(Self.earlierMax) in all")
                continue
            }
            for number in 0..<times { out.append((at + every * number, message)) }
        }
        // In order of time; of equal times in the order of the file.
        let sorted = out.enumerated().sorted { $0.element.ms != $1.element.ms ? $0.element.ms < $1.element.ms : $0.offset < $1.offset }
        return sorted.enumerated().map { PolicyTestCase.Input(message: $1.element.message, at: Position(ms: UInt64($1.element.ms), seq: UInt64($0))) }
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
