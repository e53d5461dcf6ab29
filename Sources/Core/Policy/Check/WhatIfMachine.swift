/// Asks what another policy would have said about messages that were decided already.
///
/// Messages come in log order, with the context that was in force then (the configuration may have changed on the way). Limits start
/// from where they are told to, and go on under the candidate policy.
package struct WhatIfMachine: ~Copyable {
    private let set: PolicySet
    private var machine: PolicyMachine
    private var limiter: LimiterState
    package private(set) var report = WhatIfReport()

    package init(_ set: PolicySet, limiter: LimiterState = LimiterState()) {
        self.set = set
        self.limiter = limiter
        machine = PolicyMachine(set.compiler)
    }

    /// Decides one message anew and compares with what was logged. Returns the new verdict.
    @discardableResult
    package mutating func step(_ message: MessageEntry, at position: Position, logged: VerdictEntry, _ context: PolicyContext) -> VerdictEntry {
        let decision = machine.decide(message, at: position, set, context, &limiter)
        let verdict = decision.verdict(uuid: logged.messageUUID, topic: message.slice(.topic))
        report.count(verdict, logged: logged, message, at: position)
        return verdict
    }
}
