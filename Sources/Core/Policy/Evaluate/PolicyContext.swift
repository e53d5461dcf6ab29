/// What a decision depends on besides the message, the constraints and the limits: one moment of the control stream.
///
/// An object, so that who decides many messages with it recognises it and keeps what was worked out from it.
package final class PolicyContext: Sendable {
    /// A backbone of the registry.
    package struct Backbone: Sendable {
        package let id: String
        /// As it stands in `targets`: the name, else the id.
        package let name: String
        package let document: JSONDocument

        /// nil when the document is no JSON object.
        package init?(id: String, document: [UInt8]) {
            guard let document = try? JSONDocument(document), document.root.kind == .object else { return nil }
            self.id = id
            self.document = document
            name = document.root["name"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? id
        }
    }

    package let config: ConfigTable
    /// By id.
    package let registry: [Backbone]
    /// Position in `control` up to which everything is in here.
    package let revision: Position
    /// Name of the backbone that takes what no rule sends elsewhere.
    package let defaultTarget: String

    package init(config: ConfigTable = ConfigTable(), registry: [Backbone] = [], revision: Position = .zero, defaultTarget: String = "default") {
        self.config = config
        self.registry = registry.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        self.revision = revision
        self.defaultTarget = defaultTarget
    }

    /// The backbone with this id, else the first one with this name.
    package func backbone(_ name: String) -> Backbone? {
        registry.first { $0.id == name } ?? registry.first { $0.name == name }
    }

    /// The variable `registry`: each document under its id, and under its name where that is no id.
    var registryValue: CELValue {
        var keys: [CELMapKey] = registry.map { .string($0.id) }
        var values = registry.map { CELValue(json: $0.document.root) }
        var known = Set(registry.map(\.id))
        for backbone in registry where known.insert(backbone.name).inserted {
            keys.append(.string(backbone.name))
            values.append(CELValue(json: backbone.document.root))
        }
        return .map(.table(CELTable(keys: keys, values: values) ?? CELTable()))
    }

    /// What becomes of a message when a rule cannot be evaluated: the nearest value that is one; else it is blocked.
    func onError(topic: String, source: String) -> PolicyOnError {
        guard config.isSet(KnownSetting.policyOnError.rawValue) else { return .block }
        for setting in config.candidates(KnownSetting.policyOnError.rawValue, topic: topic, subject: source) {
            if let word = try? JSONDocument(setting.row.document).root["value"]?.string, let choice = PolicyOnError(rawValue: word) { return choice }
        }
        return .block
    }
}
