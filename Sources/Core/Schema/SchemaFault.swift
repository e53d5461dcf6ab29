/// Why a schema was refused.
package enum SchemaFault: Error, Sendable {
    /// The text is no JSON.
    case notJSON(JSONFault)
    /// The schema breaks its meta-schema's rules.
    case invalid([SchemaViolation])
    /// A keyword's value cannot be used; where, and what would pass.
    case malformed(location: String, message: String)
    /// A reference leads to no schema that is known here. Nothing is ever fetched.
    case unresolved(reference: String, location: String)
    /// `$schema` names a dialect that is not known.
    case unknownDialect(String)
    /// The dialect needs a vocabulary that is not known.
    case unknownVocabulary(String)
    /// A regular expression that cannot be used.
    case pattern(location: String, pattern: String, reason: String)
    /// Two schemas claim the same URI or anchor.
    case duplicate(uri: String)
    /// References that lead back to themselves without a step into the instance: no evaluation could end.
    case endless(location: String)
    /// Larger than a bound of `Limits`.
    case tooLarge(what: String, max: Int)

    package var detail: String {
        switch self {
        case .notJSON(let fault): "the schema is no JSON: \(fault.detail)"
        case .invalid(let violations):
            "the schema is not valid: "
                + violations.prefix(3).map { "\($0.instance.isEmpty ? "the schema" : $0.instance) \($0.message)" }.joined(separator: "; ")
        case .malformed(let location, let message): "\(location) \(message)"
        case .unresolved(let reference, let location):
            "\(location) refers to \(reference), which is not known here; schemas are never fetched, it must be given"
        case .unknownDialect(let uri): "$schema is \(uri); supported are \(SchemaDialect.draft2020URI) and meta-schemas built from its vocabularies"
        case .unknownVocabulary(let uri): "the meta-schema requires the vocabulary \(uri), which is not known; supported are those of draft 2020-12"
        case .pattern(let location, let pattern, let reason): "\(location) has the regular expression \(pattern), which cannot be used: \(reason)"
        case .duplicate(let uri): "\(uri) is the name of two schemas"
        case .endless(let location): "\(location) refers to itself without a step into the instance; no evaluation could end"
        case .tooLarge(let what, let max): "the schema has more than \(max) \(what)"
        }
    }
}

/// Why an evaluation was given up; it says nothing about the instance.
package enum EvaluationFault: Error, Equatable, Sendable {
    /// More than `Limits.evaluationStepsMax` steps.
    case steps
    /// More than `Limits.evaluationDepthMax` schemas within each other.
    case depth
    /// The schema came back to itself at the same place of the instance.
    case endless(location: String)

    package var detail: String {
        switch self {
        case .steps: "the schema needs more than \(Limits.evaluationStepsMax) steps for this instance"
        case .depth: "the schema nests more than \(Limits.evaluationDepthMax) levels for this instance"
        case .endless(let location): "\(location) refers to itself without a step into the instance"
        }
    }
}
