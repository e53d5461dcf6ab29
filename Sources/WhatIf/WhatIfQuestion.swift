package import Core

/// What is asked about the past: which policy, over which messages.
package struct WhatIfQuestion: Sendable {
    package enum Policy: Sendable {
        /// The constraints that were in force: the answer must be what was logged.
        case logged
        /// These, over the ones that were in force and without those that are removed.
        case merged([Constraint], removed: Set<String>)
        /// These and no others.
        case replaced([Constraint])
    }

    package let policy: Policy
    package let range: HistoryRange

    package init(_ policy: Policy, _ range: HistoryRange) {
        self.policy = policy
        self.range = range
    }

    /// Reads `{"constraints"?: [documents], "remove"?: [ids], "mode"?: "merge" | "replace", "policy"?: "logged", "since"?, "until"?, "topics"?: [patterns]}`.
    ///
    /// - Parameter now: milliseconds since the epoch.
    /// - Throws: everything that is wrong, with JSON Pointers.
    package init(_ root: JSONNode, compiler: PolicyCompiler, now: UInt64) throws(Refusal) {
        var reader = QuestionReader(root, ["constraints", "remove", "mode", "policy", "since", "until", "topics"])
        let range = reader.range(now: now)
        if let word = reader.text("policy") {
            if word != "logged" {
                reader.refusal.add(.malformed, "/policy", "'logged' is expected: the constraints that were in force; for others leave it out")
            }
            for name in ["constraints", "remove", "mode"] where root[name] != nil {
                reader.refusal.add(.conflict, "/\(name)", "with the policy that was logged there are no candidates")
            }
            guard reader.refusal.isEmpty else { throw reader.refusal }
            self.init(.logged, range)
            return
        }
        let mode = reader.text("mode") ?? "merge"
        if mode != "merge", mode != "replace" {
            reader.refusal.add(.malformed, "/mode", "'merge' (over the constraints in force) or 'replace' (instead of them) is expected")
        }
        let removed = Set(reader.names("remove"))
        if mode == "replace", !removed.isEmpty { reader.refusal.add(.conflict, "/remove", "the mode 'replace' takes all constraints out already") }
        var constraints: [Constraint] = []
        if root["constraints"] != nil {
            let (read, refusal) = PolicyTestSuite.constraints(root["constraints"], "/constraints", compiler)
            for violation in refusal.violations { reader.refusal.add(violation.code, violation.pointer, violation.detail) }
            constraints = read
        } else if removed.isEmpty, mode == "merge" {
            reader.refusal.add(
                .missing, "/constraints", "candidates are needed: a list of constraint documents; or ids under 'remove'; or \"policy\": \"logged\"")
        }
        if constraints.count > Limits.constraintsMax {
            reader.refusal.add(.tooLarge, "/constraints", "at most \(Limits.constraintsMax) constraints are possible")
        }
        for constraint in constraints where removed.contains(constraint.id) {
            reader.refusal.add(.conflict, "/remove", "'\(constraint.id)' is a candidate as well; one of both")
        }
        guard reader.refusal.isEmpty else { throw reader.refusal }
        self.init(mode == "replace" ? .replaced(constraints) : .merged(constraints, removed: removed), range)
    }

    /// The word for the answer.
    var word: String {
        switch policy {
        case .logged: "logged"
        case .merged: "merge"
        case .replaced: "replace"
        }
    }
}
