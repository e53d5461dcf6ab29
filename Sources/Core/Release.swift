/// What let a held message go: it stands in the field `release` of the entry with which the message goes on its way again.
package struct Release: Sendable, Equatable {
    package enum Decision: String, Sendable, CaseIterable {
        /// A person let it go as it was.
        case approve
        /// A person let it go with other content.
        case edit
        /// Nobody decided in time, and the rule says that it goes then.
        case expire
        /// The time that a limit delayed it to has come.
        case delay
    }

    package let decision: Decision
    /// The session that ended.
    package let session: String
    /// Position of the entry that was held.
    package let origin: Position
    /// The person; empty when nobody decided.
    package let by: String
    /// Constraints that have had their say about the message: they are not asked again.
    package let passed: [String]

    package init(_ decision: Decision, session: String, origin: Position, by: String = "", passed: [String]) {
        self.decision = decision
        self.session = session
        self.origin = origin
        self.by = by
        self.passed = passed
    }

    /// `{"decision", "session", "origin", "by"?, "passed": ["rule"]}`
    package var json: [UInt8] {
        var object = JSONObject()
        object.add("decision", decision.rawValue)
        object.add("session", session)
        object.add("origin", origin.description)
        if !by.isEmpty { object.add("by", by) }
        object.add("passed", raw: PolicyDecision.strings(passed))
        return object.finish()
    }

    /// Reads `json` back; nil when it is something else.
    package init?(_ json: some Collection<UInt8>) {
        guard let root = try? JSONDocument(Array(json)).root, let decision = root["decision"]?.string.flatMap(Decision.init(rawValue:)),
            let session = root["session"]?.string, let origin = root["origin"]?.string.flatMap({ Position($0) }), let passed = root["passed"],
            passed.kind == .array
        else { return nil }
        self.init(decision, session: session, origin: origin, by: root["by"]?.string ?? "", passed: passed.items.compactMap(\.string))
    }
}
