/// A compiled expression; evaluating it changes nothing, so any number of threads may at once.
package final class CELProgram: Sendable {
    package let source: String
    /// The type of its values; `dyn` when only the evaluation can tell.
    package let resultType: CELType
    /// The most that an evaluation costs, by estimate, with the largest inputs.
    package let estimate: UInt64
    /// What it reads: a variable's name and the fields behind it, such as `["message", "data", "amount"]`; sorted.
    ///
    /// A host needs to give no other variables and fields.
    package let reads: [[String]]
    private let code: CELCode
    private let root: Int32

    init(source: String, resultType: CELType, estimate: UInt64, _ lowered: CELLowering.Result) {
        self.source = source
        self.resultType = resultType
        self.estimate = estimate
        reads = lowered.reads.sorted { $0.lexicographicallyPrecedes($1) }
        code = lowered.code
        root = lowered.root
    }

    /// The value with these variables, or why there is none.
    ///
    /// - Shape: `activation` is of the program's environment.
    /// - Cost: at most `costMax` units of about 10 to 200 ns and 64 bytes each.
    package func evaluate(_ activation: CELActivation, costMax: Int) -> CELResult {
        var evaluation = CELEvaluation(code, activation, costMax: costMax)
        do throws(CELReason) {
            let value = try evaluation.value(root)
            return CELResult(outcome: .success(value), cost: evaluation.meter.spent)
        } catch {
            return CELResult(outcome: .failure(self.error(error, evaluation)), cost: min(evaluation.meter.spent, costMax))
        }
    }

    /// As `evaluate`, for conditions: no value is made.
    /// - Throws: also when the value is no bool.
    package func isTrue(_ activation: CELActivation, costMax: Int) throws(CELError) -> Bool {
        var evaluation = CELEvaluation(code, activation, costMax: costMax)
        do throws(CELReason) { return try evaluation.bool(root) } catch { throw self.error(error, evaluation) }
    }

    /// As `isTrue`, out of a budget that several evaluations share: what was spent is taken from it, on both ways.
    package func isTrue(_ activation: CELActivation, budget: inout Int) throws(CELError) -> Bool {
        var evaluation = CELEvaluation(code, activation, costMax: budget)
        defer { budget = max(0, budget - evaluation.meter.spent) }
        do throws(CELReason) { return try evaluation.bool(root) } catch { throw self.error(error, evaluation) }
    }

    private func error(_ reason: CELReason, _ evaluation: CELEvaluation) -> CELError {
        CELError(reason: reason, offset: Int(code.nodes[Int(evaluation.at)].offset))
    }
}

/// What an evaluation came to.
package struct CELResult: Sendable {
    package let outcome: Result<CELValue, CELError>
    /// Units spent; the same for the same input.
    package let cost: Int

    /// nil for an error.
    package var value: CELValue? { try? outcome.get() }

    package var error: CELError? { if case .failure(let error) = outcome { error } else { nil } }
}
