/// The kinds of documents that steer Meshlog. Each document is the fold of its events in the `control` stream.
package enum ControlKind: String, Sendable, CaseIterable {
    /// A NATS backbone of the registry, by `system_id`.
    case backbone
    /// The topics a subject works with, and the organisation these belong to, by `subject_id`.
    case topics
    /// One value of the configuration, by level, name and scope.
    case config
    /// A constraint of the policy, by its id.
    case constraint
    /// A template that payloads are checked against, by its id.
    case template
    /// A receiver of notifications over HTTP, by its id.
    case webhook

    /// The projection that folds this kind.
    package var projection: String {
        switch self {
        case .backbone: "registry"
        case .topics: "topic-groups"
        case .config: "config"
        case .constraint: "constraints"
        case .template: "templates"
        case .webhook: "webhooks"
        }
    }

    /// What people call one document of this kind.
    package var noun: String {
        switch self {
        case .backbone: "backbone"
        case .topics: "topic group"
        case .config: "configuration value"
        case .constraint: "constraint"
        case .template: "template"
        case .webhook: "webhook"
        }
    }

    /// The member of a document that names it; nil when the name is made of several.
    package var keyMember: String? {
        switch self {
        case .backbone: "system_id"
        case .topics: "subject_id"
        case .config: nil
        case .constraint: "constraint_id"
        case .template: "template_id"
        case .webhook: "webhook_id"
        }
    }

    /// Keys that no new document gets: routes have the paths that the document would have (`/v1/templates/backtest`), so nobody could read it.
    package var reservedKeys: Set<String> {
        switch self {
        case .config: []
        case .template: ["diff", "backtest"]
        case .backbone, .topics, .constraint, .webhook: ["diff"]
        }
    }
}
