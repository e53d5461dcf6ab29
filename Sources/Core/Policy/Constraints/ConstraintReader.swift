/// Reads a constraint from its document; everything that is wrong with it is told at once.
package struct ConstraintReader: Sendable {
    private let compiler: PolicyCompiler

    package init(_ compiler: PolicyCompiler) { self.compiler = compiler }

    static let members = ["constraint_id", "scope", "stage", "when", "action", "mode", "priority", "reason", "description"]
    package static let priorities: ClosedRange<Int64> = -1_000_000...1_000_000

    /// - Parameter pointer: where the document stands in the input, for the pointers of what is wrong.
    /// - Cost: that of compiling its expressions, 20 to 200 µs each.
    /// - Throws: each violation with its JSON Pointer; of expressions also line, column, the source with a caret and suggestions.
    package func read(_ document: JSONNode, at pointer: String = "") throws(Refusal) -> Constraint {
        guard document.kind == .object else { throw Refusal(.wrongType, pointer, "a constraint is a JSON object") }
        var reader = DocumentReader(document, pointer, Refusal())
        reader.allow(Self.members, of: "a constraint")
        let id = reader.name("constraint_id", isRequired: true)
        let stage = reader.choice("stage", Constraint.Stage.self) ?? .initial
        let scope = scope(&reader)
        let mode = reader.choice("mode", Constraint.Mode.self) ?? .enforce
        let priority = reader.integer("priority", in: Self.priorities) ?? 0
        let description = reader.text("description") ?? ""
        let when = reader.text("when").flatMap { compiler.expression($0, stage, [.bool], reader.at("when"), &reader.refusal) }
        let reason = reader.text("reason").flatMap { compiler.template($0, stage, reader.at("reason"), &reader.refusal) }
        let action = action(&reader, stage)
        if case .require? = action, reader.member("when") == nil {
            reader.refusal.add(.missing, reader.at("when"), "'require' needs a condition: a message for which it does not hold is blocked")
        }
        guard reader.refusal.isEmpty, let id, let action else { throw reader.refusal }
        return Constraint(
            id: id, scope: scope, stage: stage, when: when, action: action, mode: mode, priority: priority, reason: reason, description: description)
    }

    private func scope(_ outer: inout DocumentReader) -> ConstraintScope {
        guard let node = outer.object("scope") else { return ConstraintScope() }
        var reader = DocumentReader(node, outer.at("scope"), outer.refusal)
        defer { outer.refusal = reader.refusal }
        reader.allow(["topics", "sources", "destinations", "organisations"], of: "a scope")
        func present(_ name: String, _ names: [String]?) -> [String] {
            // An empty list would read as "none" to one person and as "all" to another.
            if let names, names.isEmpty, reader.member(name)?.count == 0 {
                reader.refusal.add(.malformed, reader.at(name), "an empty list says nothing; leave it out to mean all")
            }
            return names ?? []
        }
        let topics = present("topics", reader.names("topics"))
        for (index, topic) in topics.enumerated() where !Subject.isPattern(topic.utf8) {
            reader.refusal.add(.malformed, "\(reader.at("topics"))/\(index)", "no pattern of topics such as 'tasks.>' or 'tasks.*.question'")
        }
        let sources = present("sources", reader.names("sources"))
        let destinations = present("destinations", reader.names("destinations"))
        let organisations = present("organisations", reader.names("organisations"))
        return ConstraintScope(topics: topics, sources: Set(sources), destinations: Set(destinations), organisations: Set(organisations))
    }

    private func action(_ outer: inout DocumentReader, _ stage: Constraint.Stage) -> ConstraintAction? {
        guard let node = outer.object("action", isRequired: true) else { return nil }
        var reader = DocumentReader(node, outer.at("action"), outer.refusal)
        defer { outer.refusal = reader.refusal }
        guard let kind = reader.choice("type", ConstraintAction.Kind.self, isRequired: true) else { return nil }
        reader.allow(["type"] + (Self.actionMembers[kind] ?? []), of: "the action '\(kind.rawValue)'")
        if stage == .reception, ![.block, .require, .limit].contains(kind) {
            reader.refusal.add(
                .conflict, reader.at("type"),
                "in the reception stage a constraint withholds a recipient: block, require or limit; '\(kind.rawValue)' concerns the message as a whole")
        }
        switch kind {
        case .block: return .block
        case .require: return .require
        case .reroute: return reroute(&reader, stage)
        case .hold: return hold(&reader)
        case .limit: return limit(&reader, stage)
        case .annotate: return annotate(&reader, stage)
        }
    }

    private static let actionMembers: [ConstraintAction.Kind: [String]] = [
        .reroute: ["topic", "destinations", "backbone"], .hold: ["timeout_ms", "on_expiry", "approvers", "channel"],
        .limit: ["rate", "period_ms", "burst", "key", "over", "delay_max_ms"], .annotate: ["metadata"],
    ]

    private func reroute(_ reader: inout DocumentReader, _ stage: Constraint.Stage) -> ConstraintAction? {
        let topic = reader.text("topic").flatMap { compiler.template($0, stage, reader.at("topic"), &reader.refusal) }
        if let literal = topic?.literal, let fault = Subject.topicFault(Array(literal.utf8).span) {
            reader.refusal.add(.malformed, reader.at("topic"), "no topic: \(fault)")
        }
        let backbone = reader.text("backbone").flatMap { compiler.template($0, stage, reader.at("backbone"), &reader.refusal) }
        var destinations: [PolicyTemplate]?
        if let names = reader.names("destinations") {
            if names.isEmpty {
                reader.refusal.add(.malformed, reader.at("destinations"), "an empty list says nothing; to let nobody have the message, block it")
            }
            destinations = names.enumerated().compactMap { compiler.template($1, stage, "\(reader.at("destinations"))/\($0)", &reader.refusal) }
        }
        guard topic != nil || backbone != nil || destinations != nil || !reader.refusal.isEmpty else {
            reader.refusal.add(.missing, reader.pointer, "a reroute names at least one of topic, destinations, backbone")
            return nil
        }
        return .reroute(ConstraintAction.Reroute(topic: topic, destinations: destinations, backbone: backbone))
    }

    private func hold(_ reader: inout DocumentReader) -> ConstraintAction {
        .hold(
            ConstraintAction.Hold(
                timeoutMs: reader.integer("timeout_ms", in: 1...315_360_000_000),
                onExpiry: reader.choice("on_expiry", ConstraintAction.Hold.Expiry.self) ?? .block,
                approvers: reader.names("approvers") ?? [], channel: reader.name("channel")))
    }

    private func limit(_ reader: inout DocumentReader, _ stage: Constraint.Stage) -> ConstraintAction? {
        let rate = reader.integer("rate", in: 1...1_000_000_000, isRequired: true)
        let period = reader.integer("period_ms", in: 1...86_400_000, isRequired: true)
        let burst = reader.integer("burst", in: 1...1_000_000_000)
        let over = reader.choice("over", ConstraintAction.Limit.Over.self) ?? .block
        let delay = reader.integer("delay_max_ms", in: 1...86_400_000) ?? 60_000
        if stage == .reception, over == .delay {
            reader.refusal.add(.conflict, reader.at("over"), "in the reception stage a limit can only block: a recipient has no message of its own to delay")
        }
        let key = reader.text("key").flatMap { compiler.expression($0, stage, [.string], reader.at("key"), &reader.refusal) }
        guard let rate, let period, let limit = RateLimit(rate: rate, periodMs: period, burst: burst ?? rate) else { return nil }
        return .limit(ConstraintAction.Limit(rate: limit, key: key, over: over, delayMsMax: delay))
    }

    private func annotate(_ reader: inout DocumentReader, _ stage: Constraint.Stage) -> ConstraintAction? {
        guard let metadata = reader.object("metadata", isRequired: true) else { return nil }
        let pointer = reader.at("metadata")
        if metadata.count == 0 || metadata.count > Limits.annotationsMax {
            reader.refusal.add(.malformed, pointer, "1 to \(Limits.annotationsMax) members are expected")
        }
        var annotations: [ConstraintAction.Annotation] = []
        for (key, value) in metadata.members {
            let name = key.string ?? ""
            let place = pointer + Violation.pointer(to: name)
            if annotations.contains(where: { $0.name == name }) { reader.refusal.add(.duplicateKey, place, "the name is written twice") }
            guard let text = value.string else {
                annotations.append(ConstraintAction.Annotation(name: name, value: .literal(value.canonical)))
                continue
            }
            guard let template = compiler.template(text, stage, place, &reader.refusal) else { continue }
            annotations.append(ConstraintAction.Annotation(name: name, value: template.literal == nil ? .template(template) : .literal(value.canonical)))
        }
        return .annotate(annotations)
    }
}
