/// What would change: counts, and the changed verdicts in groups with examples.
package struct WhatIfReport: Sendable, Equatable {
    /// What a verdict says in short.
    package struct Side: Sendable, Hashable {
        package let outcome: Outcome
        package let rule: String
    }

    package struct Change: Sendable, Hashable {
        package let from: Side
        package let to: Side
    }

    package struct Example: Sendable, Equatable {
        package let position: Position
        package let topic: String
        package let source: String
        package let reason: String
    }

    package struct Group: Sendable, Equatable {
        package internal(set) var count = 0
        /// The first ones.
        package internal(set) var examples: [Example] = []
    }

    /// Two verdicts about one message.
    package struct Difference: Sendable, Equatable {
        package let position: Position
        package let logged: VerdictEntry
        /// What the policy says now.
        package let computed: VerdictEntry
    }

    package private(set) var messages = 0
    /// Outcome or rule differ.
    package private(set) var flips = 0
    /// Anything differs but the revision, and the digest where there are not two of them: the same policy over its own log gives 0.
    package private(set) var differences = 0
    /// The first of them.
    package private(set) var difference: Difference?
    package private(set) var groups: [Change: Group] = [:]
    package private(set) var bySubject: [String: Int] = [:]
    package private(set) var byTopic: [String: Int] = [:]
    /// Flips that found no room in `groups`, `bySubject` or `byTopic`.
    package private(set) var beyond = 0

    package init() {}

    /// The first position that differs.
    package var firstDifference: Position? { difference?.position }

    /// The candidate says exactly what was logged.
    package var isSame: Bool { differences == 0 }

    mutating func count(_ verdict: VerdictEntry, logged: VerdictEntry, _ message: MessageEntry, at position: Position) {
        messages += 1
        var same = verdict
        same.policyRevision = logged.policyRevision
        if verdict.detail.digest.isEmpty || logged.detail.digest.isEmpty { same.detail.digest = logged.detail.digest }
        guard same != logged else { return }
        differences += 1
        if difference == nil { difference = Difference(position: position, logged: logged, computed: same) }
        guard verdict.outcome != logged.outcome || verdict.rule != logged.rule else { return }
        flips += 1
        let change = Change(from: Side(outcome: logged.outcome, rule: logged.rule), to: Side(outcome: verdict.outcome, rule: verdict.rule))
        let (topic, source) = (message.string(.topic), message.string(.source))
        var isTold = Self.add(source, &bySubject)
        isTold = Self.add(topic, &byTopic) && isTold
        if groups[change] == nil, groups.count >= Limits.flipGroupsMax {
            isTold = false
        } else {
            groups[change, default: Group()].count += 1
            if groups[change, default: Group()].examples.count < Limits.flipExamplesMax {
                groups[change]?.examples.append(Example(position: position, topic: topic, source: source, reason: verdict.reason))
            }
        }
        if !isTold { beyond += 1 }
    }

    private static func add(_ name: String, _ counts: inout [String: Int]) -> Bool {
        if counts[name] == nil, counts.count >= Limits.flipGroupsMax { return false }
        counts[name, default: 0] += 1
        return true
    }

    /// The groups, the largest first.
    package var sorted: [(change: Change, group: Group)] {
        groups.map { ($0.key, $0.value) }.sorted { left, right in
            if left.1.count != right.1.count { return left.1.count > right.1.count }
            let a = [left.0.from.outcome.rawValue, left.0.from.rule, left.0.to.outcome.rawValue, left.0.to.rule]
            let b = [right.0.from.outcome.rawValue, right.0.from.rule, right.0.to.outcome.rawValue, right.0.to.rule]
            return a.lexicographicallyPrecedes(b)
        }
    }

    package var json: [UInt8] {
        var object = JSONObject()
        object.add("messages", messages)
        object.add("flips", flips)
        object.add("differences", differences)
        if let difference { object.add("first_difference", raw: difference.json) }
        object.add("groups", raw: PolicyDecision.array(sorted.map { Self.json($0.change, $0.group) }))
        object.add("by_subject", raw: Self.json(bySubject, "subject"))
        object.add("by_topic", raw: Self.json(byTopic, "topic"))
        if beyond > 0 { object.add("beyond", beyond) }
        return object.finish()
    }

    private static func json(_ change: Change, _ group: Group) -> [UInt8] {
        func side(_ side: Side) -> [UInt8] {
            var object = JSONObject()
            object.add("outcome", side.outcome.rawValue)
            object.add("rule", side.rule)
            return object.finish()
        }
        var object = JSONObject()
        object.add("from", raw: side(change.from))
        object.add("to", raw: side(change.to))
        object.add("count", group.count)
        object.add(
            "examples",
            raw: PolicyDecision.array(
                group.examples.map { example in
                    var object = JSONObject()
                    object.add("position", example.position.description)
                    object.add("topic", example.topic)
                    object.add("source", example.source)
                    object.add("reason", example.reason)
                    return object.finish()
                }))
        return object.finish()
    }

    /// `[{"topic": name, "count": n}]`, the largest first.
    private static func json(_ counts: [String: Int], _ key: StaticString) -> [UInt8] {
        let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        return PolicyDecision.array(
            sorted.map { name, count in
                var object = JSONObject()
                object.add(key, name)
                object.add("count", count)
                return object.finish()
            })
    }
}

extension WhatIfReport.Difference {
    /// `{"position", "logged": verdict, "computed": verdict}`
    fileprivate var json: [UInt8] {
        var object = JSONObject()
        object.add("position", position.description)
        object.add("logged", raw: logged.json)
        object.add("computed", raw: computed.json)
        return object.finish()
    }
}
