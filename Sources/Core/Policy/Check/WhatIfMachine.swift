/// Asks what another policy would have said about messages that were decided already.
///
/// Messages come in log order, with the constraints and the context that were in force then (both may have changed on the way). Limits start
/// from where they are told to, and go on under the candidate policy.
package struct WhatIfMachine: ~Copyable {
    private var set: PolicySet
    private var machine: PolicyMachine
    private var limiter: LimiterState
    package private(set) var report = WhatIfReport()

    package init(_ set: PolicySet, limiter: LimiterState = LimiterState()) {
        self.set = set
        self.limiter = limiter
        machine = PolicyMachine(set.compiler)
    }

    /// From the next message on these constraints apply. Limits go on: they are known by the ids of their constraints.
    package mutating func use(_ set: PolicySet) { self.set = set }

    /// Puts back what a verdict before the first message left behind; see `LimiterState.restore`.
    package mutating func restore(_ touches: [LimitTouch], at now: Int64) { limiter.restore(touches, at: now) }

    /// Decides one message anew and compares with what was logged. Returns the new verdict.
    ///
    /// Whether there was room for one more held message is a fact of that time, not of the policy: where the log says that there was none, a
    /// message that would be held is blocked here too.
    ///
    /// - Parameters:
    ///   - isCounted: false for a message that nobody asks about, but that limits see.
    ///   - digest: of the inputs, to be compared with the log's; empty for none.
    @discardableResult
    package mutating func step(
        _ message: MessageEntry, at position: Position, logged: VerdictEntry, _ context: PolicyContext, isCounted: Bool = true,
        digest: (MessageEntry, Position, VerdictEntry) -> [UInt8] = { _, _, _ in [] }
    ) -> VerdictEntry {
        let decision = machine.decide(message, at: position, set, context, &limiter)
        var verdict = decision.verdict(uuid: logged.messageUUID, topic: message.slice(.topic))
        verdict.detail.digest = digest(message, position, verdict)
        if verdict.outcome == .hold, let openMax = logged.openSessionsMet { verdict = verdict.withoutSession(openMax: openMax) }
        if isCounted { report.count(verdict, logged: logged, message, at: position) }
        return verdict
    }
}
