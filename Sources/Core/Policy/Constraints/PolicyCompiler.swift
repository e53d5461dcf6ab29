/// Compiles the expressions of constraints: which variables there are, and what is said when one does not compile.
package struct PolicyCompiler: Sendable {
    /// With `recipient`; the initial stage's variables have the same places in it, so one activation serves both.
    package let reception: CELEnvironment
    package let initial: CELEnvironment

    package init(patterns: (any PatternCompiler)? = nil, zones: (any ZoneSource)? = nil) {
        var variables = [
            CELEnvironment.Variable("message", .record(PolicyMessage.type.name)),
            CELEnvironment.Variable("config", .map(.string, .dyn)),
            CELEnvironment.Variable("registry", .map(.string, .dyn)),
            CELEnvironment.Variable("principal", .string, sizeMax: Limits.nameBytesMax),
            CELEnvironment.Variable("now", .timestamp),
        ]
        initial = CELEnvironment(variables: variables, records: [PolicyMessage.type], patterns: patterns, zones: zones)
        variables.append(CELEnvironment.Variable("recipient", .string, sizeMax: Limits.nameBytesMax))
        reception = CELEnvironment(variables: variables, records: [PolicyMessage.type], patterns: patterns, zones: zones)
    }

    /// Places of the variables in an activation.
    enum Place {
        static let message = 0
        static let config = 1
        static let registry = 2
        static let principal = 3
        static let now = 4
        static let recipient = 5
    }

    /// Compiles one expression; what is wrong with it goes to `refusal`, with line and column, the source with a caret, and suggestions.
    ///
    /// - Parameter types: what its value may be; `dyn` is left to the evaluation.
    func expression(
        _ source: String, _ stage: Constraint.Stage, _ types: [CELType], _ pointer: String, _ refusal: inout Refusal
    ) -> PolicyExpression? {
        let program: CELProgram
        do throws(CELFault) {
            program = try (stage == .initial ? initial : reception).compile(source)
        } catch {
            for finding in error.findings { refusal.add(.malformed, pointer, CELFault(source, [finding]).text) }
            return nil
        }
        guard types.isEmpty || program.resultType == .dyn || types.contains(program.resultType) else {
            let wanted = types.map(\.name).joined(separator: " or ")
            refusal.add(.wrongType, pointer, "the expression gives \(program.resultType.name), \(wanted) is needed here: \(source)")
            return nil
        }
        return PolicyExpression(program: program)
    }

    /// Compiles a text with `{{ expressions }}` in it.
    func template(_ source: String, _ stage: Constraint.Stage, _ pointer: String, _ refusal: inout Refusal) -> PolicyTemplate? {
        guard let pieces = PolicyTemplate.split(source) else {
            refusal.add(.malformed, pointer, "a '{{' has no '}}' behind it")
            return nil
        }
        var parts: [PolicyTemplate.Part] = []
        for piece in pieces {
            if !piece.isExpression {
                parts.append(.text(piece.text))
            } else if let expression = expression(piece.text, stage, [], pointer, &refusal) {
                parts.append(.expression(expression))
            }
        }
        return PolicyTemplate(source: source, parts: parts)
    }
}
