package import Core
package import Log

/// Where doors ask for verdicts on behalf of their clients, and put them into words.
package struct VerdictDesk: Sendable {
    private let waiter: VerdictWaiter
    private let disclosesConditions: Bool
    private let terms: @Sendable (String) -> ConstraintTerms?

    /// - Parameters:
    ///   - disclosesConditions: whether a refusal may show the condition of a rule that has no description.
    ///   - terms: what a constraint asks, by its id; nil for one that is not there.
    package init(waiter: VerdictWaiter, disclosesConditions: Bool, terms: @escaping @Sendable (_ rule: String) -> ConstraintTerms?) {
        self.waiter = waiter
        self.disclosesConditions = disclosesConditions
        self.terms = terms
    }

    func answer(_ uuid: MessageUUID, _ position: Position, duplicate: Bool, within wait: WaitPreference) async -> VerdictAnswer {
        answer(uuid, position, duplicate: duplicate, await waiter.verdict(at: position, within: wait.duration))
    }

    /// Calls back once, from any thread.
    func answer(
        _ uuid: MessageUUID, _ position: Position, duplicate: Bool, within wait: WaitPreference, _ body: @escaping @Sendable (VerdictAnswer) -> Void
    ) {
        waiter.wait(for: position, within: wait.duration) { body(answer(uuid, position, duplicate: duplicate, $0)) }
    }

    private func answer(_ uuid: MessageUUID, _ position: Position, duplicate: Bool, _ verdict: VerdictEntry?) -> VerdictAnswer {
        let refusal = verdict.flatMap { PolicyRefusal($0, at: position, disclosesConditions: disclosesConditions, terms: terms) }
        return VerdictAnswer(uuid, position, duplicate: duplicate, verdict, refusal)
    }
}
