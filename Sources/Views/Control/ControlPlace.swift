internal import Core

/// Where the documents of a kind are found, and by which members they are filtered.
extension ControlKind {
    /// As routes and restores call the kind.
    var word: String {
        switch self {
        case .backbone: "backbones"
        case .topics: "topics"
        case .config: "config"
        case .constraint: "constraints"
        case .template: "templates"
        case .webhook: "webhooks"
        }
    }

    init?(word: String) {
        guard let kind = ControlKind.allCases.first(where: { $0.word == word }) else { return nil }
        self = kind
    }

    /// The path of one document.
    func path(_ key: String) -> String {
        guard self == .config, let address = ConfigAddress(key: key) else { return "/v1/\(word)/\(PercentText.encode(key))" }
        let name = PercentText.encode(address.name)
        return address.level == .global ? "/v1/config/global/\(name)" : "/v1/config/\(address.level.rawValue)/\(PercentText.encode(address.scope))/\(name)"
    }

    /// The members of a document, as `streams/documents` has them.
    var fields: [FilterField] {
        switch self {
        case .backbone:
            [
                FilterField("system_id", .text), FilterField("name", .text), FilterField("org_ids", .list), FilterField("cluster_id", .text),
                FilterField("public_url", .text), FilterField("metadata", .object),
            ]
        case .topics:
            [FilterField("subject_id", .text), FilterField("org_id", .text), FilterField("topic_ids", .list), FilterField("description", .text)]
        case .config: [FilterField("level", .text), FilterField("scope", .text), FilterField("name", .text), FilterField("value", .any)]
        case .constraint:
            [
                FilterField("constraint_id", .text), FilterField("description", .text), FilterField("scope", .object), FilterField("stage", .text),
                FilterField("when", .text), FilterField("action", .object), FilterField("mode", .text), FilterField("priority", .integer),
                FilterField("reason", .text),
            ]
        case .template:
            [
                FilterField("template_id", .text), FilterField("topics", .list), FilterField("version", .integer), FilterField("description", .text),
                FilterField("schema", .any), FilterField("policy_input_schema", .object),
            ]
        case .webhook:
            [
                FilterField("webhook_id", .text), FilterField("url", .text), FilterField("events", .list), FilterField("topics", .list),
                FilterField("description", .text), FilterField("disabled", .any), FilterField("secret_version", .integer),
            ]
        }
    }
}
