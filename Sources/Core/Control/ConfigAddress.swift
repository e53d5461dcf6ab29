/// The levels at which a value can be set, from the widest to the nearest.
package enum ConfigLevel: String, Sendable, CaseIterable {
    case global
    case organisation = "org"
    case topic
    case subject
}

/// Which value of the configuration: its level, what it applies to there, and its name.
package struct ConfigAddress: Sendable, Hashable {
    package let level: ConfigLevel
    /// Organisation, topic (or pattern of topics) or subject; empty for `global`.
    package let scope: String
    package let name: String

    package init(_ level: ConfigLevel, scope: String = "", name: String) {
        self.level = level
        self.scope = scope
        self.name = name
    }

    /// `topic/max_message_bytes/internal.updates`, `global/max_message_bytes`: the scope last, since it may hold slashes.
    package var key: String { level == .global ? "global/\(name)" : "\(level.rawValue)/\(name)/\(scope)" }

    package init?(key: String) {
        let parts = key.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, let level = ConfigLevel(rawValue: parts[0]), !parts[1].isEmpty else { return nil }
        guard level == .global ? parts.count == 2 : parts.count == 3 && !parts[2].isEmpty else { return nil }
        self.init(level, scope: parts.count == 3 ? parts[2] : "", name: parts[1])
    }

    /// The document of a value.
    /// - Parameter value: JSON text.
    package func document(value: some Collection<UInt8>) -> [UInt8] {
        var object = JSONObject()
        object.add("level", level.rawValue)
        if level != .global { object.add("scope", scope) }
        object.add("name", name)
        object.add("value", raw: value)
        return object.finish()
    }
}
