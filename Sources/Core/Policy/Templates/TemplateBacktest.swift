/// Runs a candidate template over messages that were accepted: who would have been refused?
package struct TemplateBacktest: Sendable {
    package struct Failure: Sendable, Equatable {
        package let position: Position
        package let topic: String
        package let source: String
        package let violations: [TemplateSet.Violation]
    }

    package let template: ValidationTemplate
    /// Those that are tried.
    private let topics: [SubjectPattern]
    /// On these topics.
    package private(set) var messages = 0
    package private(set) var failing = 0
    /// The first ones.
    package private(set) var failures: [Failure] = []
    /// Failing messages by sender; at most `Limits.flipGroupsMax` of them.
    package private(set) var bySource: [String: Int] = [:]
    /// Ways of failing by place and rule; as many.
    package private(set) var byMessage: [String: Int] = [:]

    /// - Parameter topics: other ones than the template is bound to.
    package init(_ template: ValidationTemplate, topics: [SubjectPattern]? = nil) {
        self.template = template
        self.topics = topics ?? template.topics
    }

    /// Tries one message; those on other topics are passed over.
    package mutating func step(_ message: MessageEntry, at position: Position) {
        let topic = Array(message.slice(.topic))
        guard topics.contains(where: { $0.matches(topic.span) }) else { return }
        messages += 1
        let violations: [TemplateSet.Violation]
        do throws(JSONFault) {
            violations = TemplateSet.check(template, try JSONDocument(Array(message.slice(.data))).root)
        } catch {
            violations = [
                TemplateSet.Violation(template: template.id, version: template.version, pointer: "", message: "the payload is not JSON: \(error.detail)")
            ]
        }
        guard !violations.isEmpty else { return }
        failing += 1
        Self.count(message.string(.source), &bySource)
        for violation in violations { Self.count("\(violation.pointer) \(violation.message)", &byMessage) }
        guard failures.count < Limits.backtestFailuresMax else { return }
        failures.append(Failure(position: position, topic: String(decoding: topic, as: UTF8.self), source: message.string(.source), violations: violations))
    }

    private static func count(_ name: String, _ counts: inout [String: Int]) {
        if counts[name] == nil, counts.count >= Limits.flipGroupsMax { return }
        counts[name, default: 0] += 1
    }

    package var json: [UInt8] {
        func counts(_ counts: [String: Int], _ key: StaticString) -> [UInt8] {
            PolicyDecision.array(
                counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map { name, count in
                    var object = JSONObject()
                    object.add(key, name)
                    object.add("count", count)
                    return object.finish()
                })
        }
        var object = JSONObject()
        object.add("template_id", template.id)
        object.add("version", Int(template.version))
        object.add("messages", messages)
        object.add("failing", failing)
        object.add("by_source", raw: counts(bySource, "source"))
        object.add("by_violation", raw: counts(byMessage, "violation"))
        object.add(
            "failures",
            raw: PolicyDecision.array(
                failures.map { failure in
                    var inner = JSONObject()
                    inner.add("position", failure.position.description)
                    inner.add("topic", failure.topic)
                    inner.add("source", failure.source)
                    inner.add(
                        "violations",
                        raw: PolicyDecision.array(
                            failure.violations.map { violation in
                                var one = JSONObject()
                                one.add("pointer", violation.pointer)
                                one.add("message", violation.message)
                                return one.finish()
                            }))
                    return inner.finish()
                }))
        return object.finish()
    }
}
