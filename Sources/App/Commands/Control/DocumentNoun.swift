/// A kind of documents that is read and changed from the command line; the commands are the same for every kind.
protocol DocumentNoun: SendableMetatype {
    /// As in the route: `/v1/<word>`.
    static var word: String { get }
    static var noun: String { get }
    /// An example key for the help.
    static var example: String { get }
    /// Columns of the table: title, and the member of the document.
    static var columns: [(title: String, member: String)] { get }
}

enum BackboneNoun: DocumentNoun {
    static let word = "backbones"
    static let noun = "backbone"
    static let example = "01975c1e-5d3a-7cc3-98c4-dc0c0c07398f"
    static let columns: [(title: String, member: String)] = [("NAME", "name"), ("ORGANISATIONS", "org_ids"), ("CLUSTER", "cluster_id"), ("URL", "public_url")]
}

enum TopicsNoun: DocumentNoun {
    static let word = "topics"
    static let noun = "topic group"
    static let example = "planner"
    static let columns: [(title: String, member: String)] = [("ORGANISATION", "org_id"), ("TOPICS", "topic_ids")]
}

enum ConstraintNoun: DocumentNoun {
    static let word = "constraints"
    static let noun = "constraint"
    static let example = "no-secrets"
    static let columns: [(title: String, member: String)] = [("STAGE", "stage"), ("MODE", "mode"), ("PRIORITY", "priority"), ("WHEN", "when")]
}

enum TemplateNoun: DocumentNoun {
    static let word = "templates"
    static let noun = "template"
    static let example = "orders-v1"
    static let columns: [(title: String, member: String)] = [("TOPICS", "topics"), ("DESCRIPTION", "description")]
}

enum WebhookNoun: DocumentNoun {
    static let word = "webhooks"
    static let noun = "webhook"
    static let example = "quality"
    static let columns: [(title: String, member: String)] = [("URL", "url"), ("EVENTS", "events"), ("TOPICS", "topics"), ("DISABLED", "disabled")]
}
