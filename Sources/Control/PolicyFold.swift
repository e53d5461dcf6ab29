package import Core
package import Log
internal import RE2Driver
internal import ZoneDriver

/// The policy at one position of `control`: the constraints, compiled and indexed, and what they may look at.
///
/// - Cost: an event about a constraint compiles that one (about 100 µs); any event makes a new context when it is next asked for.
package struct PolicyFold: ControlFold, Sendable {
    package private(set) var state: ControlState
    package private(set) var set: PolicySet
    private let defaultTarget: String
    private var registry: [PolicyContext.Backbone] = []
    private var isRegistryCurrent = false
    private var made: PolicyContext?

    /// What constraints are compiled with, the same in every process.
    package static var compiler: PolicyCompiler { PolicyCompiler(patterns: RE2Compiler(), zones: ZoneFolder()) }

    /// - Parameter defaultTarget: name of the backbone that takes what no rule sends elsewhere.
    package init(_ state: ControlState = ControlState(), defaultTarget: String) {
        self.state = state
        self.defaultTarget = defaultTarget
        set = PolicySet(PolicyFold.compiler, documents: state.rows(.constraint).mapValues(\.document))
    }

    package var position: Position { state.position }

    package mutating func apply(_ position: Position, _ entry: Result<ControlEvent, UnreadableEntry>) {
        state.apply(position, entry)
        made = nil
        guard case .success(let change) = entry else { return }
        switch change.kind {
        case .constraint: set.put(key: change.key, state.row(.constraint, change.key)?.document)
        case .backbone: isRegistryCurrent = false
        default: break
        }
    }

    /// What the policy says about a message.
    ///
    /// - Parameters:
    ///   - machine: made with `PolicyFold.compiler`.
    ///   - limiter: asked and changed in log order.
    package mutating func decide(
        _ message: MessageEntry, at position: Position, with machine: inout PolicyMachine, _ limiter: inout LimiterState
    ) -> PolicyDecision {
        let context = context()
        return machine.decide(message, at: position, set, context, &limiter)
    }

    /// What a decision at this position is made with besides the constraints: the same object until something changes.
    package mutating func context() -> PolicyContext {
        if let made { return made }
        if !isRegistryCurrent {
            registry = state.rows(.backbone).compactMap { PolicyContext.Backbone(id: $0.key, document: $0.value.document) }
            isRegistryCurrent = true
        }
        let context = PolicyContext(config: state.table, registry: registry, revision: state.position, defaultTarget: defaultTarget)
        made = context
        return context
    }
}
