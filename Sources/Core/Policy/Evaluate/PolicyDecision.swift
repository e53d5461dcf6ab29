/// What the policy says about one message, and everything that led to it.
package struct PolicyDecision: Sendable, Equatable {
    /// A recipient that does not get the message.
    package struct Withheld: Sendable, Equatable {
        package let recipient: String
        package let rule: String
        package let reason: String
    }

    /// What a shadow constraint would have done.
    package struct Shadow: Sendable, Equatable {
        package let rule: String
        /// The outcome it would have led to; for `annotate` the word itself, for what could not be evaluated `error`.
        package let would: String
        /// In the reception stage.
        package let recipient: String?
        /// The reason it would have given, or the error.
        package let detail: String
    }

    /// A rule that could not be evaluated.
    package struct Fault: Sendable, Equatable {
        package let rule: String
        package let detail: String
    }

    package struct Annotation: Sendable, Equatable {
        package let name: String
        /// JSON text.
        package let value: [UInt8]
    }

    package var outcome = Outcome.deliver
    package var rule = PolicyDecision.noRule
    package var reason = ""
    package var revision: Position
    package var targets: [String]
    /// nil: the message's own topic.
    package var subject: [UInt8]?
    /// nil: the message's own recipients.
    package var destinations: [String]?
    /// What a person is asked under; with the outcome `hold`.
    package var hold: ConstraintAction.Hold?
    /// µs: a held message without a person is released then; a blocked one would pass from then on.
    package var retryAt: Int64?
    package var annotations: [Annotation] = []
    package var withheld: [Withheld] = []
    package var shadows: [Shadow] = []
    package var faults: [Fault] = []
    /// What the topic's configuration says about errors; nil while there was none.
    package var onError: PolicyOnError?
    package var limits: [LimitTouch] = []
    /// Units of cost that the rules in force spent.
    package var cost = 0

    /// Stands for the rule when none decided.
    package static let noRule = "default"
    /// The limit of the configuration, which acts as a constraint of priority 0.
    package static let defaultLimit = "config:rate_limit_default"

    package init(revision: Position, targets: [String]) {
        self.revision = revision
        self.targets = targets
    }
}
