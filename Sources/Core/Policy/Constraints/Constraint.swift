/// One rule of the policy: to which messages it applies, under which condition, and what it does then.
///
/// Read from its document by `ConstraintReader`, with every expression compiled. An object, since each message passes many of them by
/// reference and none is ever changed.
package final class Constraint: Sendable {
    /// When it is looked at.
    package enum Stage: String, Sendable, CaseIterable {
        /// Once for a message, before it reaches a backbone.
        case initial
        /// Once for each recipient, after the initial stage let the message through.
        case reception
    }

    package enum Mode: String, Sendable, CaseIterable {
        case enforce
        /// Evaluated and recorded, never acted on.
        case shadow
    }

    package let id: String
    package let scope: ConstraintScope
    package let stage: Stage
    /// nil: always.
    package let when: PolicyExpression?
    package let action: ConstraintAction
    package let mode: Mode
    /// Higher ones first.
    package let priority: Int64
    /// For people; nil gives the action's own words.
    package let reason: PolicyTemplate?
    package let description: String

    /// What its expressions read, all together.
    package let needs: PolicyNeeds

    package init(
        id: String, scope: ConstraintScope = ConstraintScope(), stage: Stage = .initial, when: PolicyExpression? = nil, action: ConstraintAction,
        mode: Mode = .enforce, priority: Int64 = 0, reason: PolicyTemplate? = nil, description: String = ""
    ) {
        self.id = id
        self.scope = scope
        self.stage = stage
        self.when = when
        self.action = action
        self.mode = mode
        self.priority = priority
        self.reason = reason
        self.description = description
        var needs = PolicyNeeds()
        for program in [when].compactMap(\.self) + action.expressions + (reason?.expressions ?? []) { needs.add(program.program) }
        self.needs = needs
    }

    /// Every expression of the constraint.
    package var expressions: [PolicyExpression] { [when].compactMap(\.self) + action.expressions + (reason?.expressions ?? []) }

    /// The order in which constraints are looked at: priority, then what forbids before what allows, then the id by its bytes.
    package static func precedes(_ left: Constraint, _ right: Constraint) -> Bool {
        if left.priority != right.priority { return left.priority > right.priority }
        if left.action.strictness != right.action.strictness { return left.action.strictness < right.action.strictness }
        return left.id.utf8.lexicographicallyPrecedes(right.id.utf8)
    }
}

/// A compiled expression of a constraint.
package struct PolicyExpression: Sendable {
    package let program: CELProgram

    package var source: String { program.source }

    /// Reads no variable: the same value for every message.
    package var isConstant: Bool { program.reads.isEmpty }
}
