package import Control
package import Core
internal import Log

/// Decides what becomes of messages, one after the other. Pure: the same messages, control entries and limits give the same verdicts on
/// every machine.
///
/// One thread's own, since it keeps what it has worked out.
package final class RouterMachine {
    /// The policy in force.
    package var policy: PolicyFold
    /// What limits remember of the messages decided so far.
    package var limiter: LimiterState
    private var machine: PolicyMachine

    package init(_ policy: PolicyFold, limiter: LimiterState = LimiterState()) {
        self.policy = policy
        self.limiter = limiter
        machine = PolicyMachine(policy.set.compiler)
    }

    package func decide(_ position: Position, _ message: MessageEntry, uuid: MessageUUID) -> VerdictEntry {
        let decision = policy.decide(message, at: position, with: &machine, &limiter)
        var verdict = decision.verdict(uuid: uuid, topic: message.slice(.topic))
        verdict.detail.digest = ContentDigest.inputs(message, at: position, verdict)
        return verdict
    }
}
