/// What a constraint does with a message that it applies to.
package enum ConstraintAction: Sendable {
    case block
    case reroute(Reroute)
    case hold(Hold)
    case limit(Limit)
    /// Blocks unless the constraint's condition holds.
    case require
    /// Adds members to the verdict's annotations, in the order of the document.
    case annotate([Annotation])

    /// Another way for the message. What is absent stays as it was.
    package struct Reroute: Sendable {
        package let topic: PolicyTemplate?
        package let destinations: [PolicyTemplate]?
        /// Name or id of a backbone of the registry.
        package let backbone: PolicyTemplate?
    }

    /// A person decides.
    package struct Hold: Sendable, Equatable {
        package enum Expiry: String, Sendable, CaseIterable { case block, deliver }

        /// nil: no end.
        package let timeoutMs: Int64?
        package let onExpiry: Expiry
        package let approvers: [String]
        package let channel: String?

        package init(timeoutMs: Int64? = nil, onExpiry: Expiry = .block, approvers: [String] = [], channel: String? = nil) {
            self.timeoutMs = timeoutMs
            self.onExpiry = onExpiry
            self.approvers = approvers
            self.channel = channel
        }
    }

    /// At most so many messages for each key.
    package struct Limit: Sendable {
        package enum Over: String, Sendable, CaseIterable {
            case block
            /// Holds the message until the time at which it conforms.
            case delay
        }

        package let rate: RateLimit
        /// nil: the sender.
        package let key: PolicyExpression?
        package let over: Over
        /// A message that would wait longer is blocked.
        package let delayMsMax: Int64

        /// As of the rate; a message that waits is remembered from the time on for which it waits.
        package var windowMs: Int64 { rate.windowMs + (over == .delay ? delayMsMax : 0) }
    }

    package struct Annotation: Sendable {
        package enum Value: Sendable {
            /// JSON text.
            case literal([UInt8])
            case template(PolicyTemplate)
        }
        package let name: String
        package let value: Value
    }

    package enum Kind: String, Sendable, CaseIterable {
        case block, require, hold, limit, reroute, annotate
    }

    package var kind: Kind {
        switch self {
        case .block: .block
        case .reroute: .reroute
        case .hold: .hold
        case .limit: .limit
        case .require: .require
        case .annotate: .annotate
        }
    }

    /// At equal priority the smaller one is looked at first: what forbids comes before what allows.
    package var strictness: Int { Kind.allCases.firstIndex(of: kind) ?? 0 }

    /// Every expression of the action.
    package var expressions: [PolicyExpression] {
        switch self {
        case .block, .hold, .require: []
        case .reroute(let reroute): ([reroute.topic, reroute.backbone] + (reroute.destinations ?? [])).compactMap(\.self).flatMap(\.expressions)
        case .limit(let limit): limit.key.map { [$0] } ?? []
        case .annotate(let annotations):
            annotations.flatMap { annotation -> [PolicyExpression] in
                if case .template(let template) = annotation.value { template.expressions } else { [] }
            }
        }
    }
}
