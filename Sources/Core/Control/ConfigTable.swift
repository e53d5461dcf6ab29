/// The configuration as a whole: what is set where, and which value wins for a topic and a subject.
///
/// The nearest level wins: subject, topic (itself before patterns, longer patterns before shorter), organisation of the topic, global.
package struct ConfigTable: Sendable {
    /// A value that applies, and where it was set.
    package struct Setting: Sendable, Equatable {
        package let address: ConfigAddress
        package let row: ControlRow

        /// The value's JSON text.
        package var value: [UInt8] { (try? JSONDocument(row.document).root["value"]).flatMap { $0.map { Array($0.text) } } ?? Array("null".utf8) }
    }

    private var settings: [ConfigAddress: ControlRow] = [:]
    private var patterns: [String: [SubjectPattern]] = [:]
    private var organisations: [String: String] = [:]

    package init() {}

    /// - Parameters:
    ///   - config: rows of the kind `config` by key; a key that is no address is left out.
    ///   - topicGroups: rows of the kind `topics` by key, in any order.
    package init(config: some Sequence<(String, ControlRow)>, topicGroups: some Sequence<(String, ControlRow)>) {
        for (key, row) in config {
            guard let address = ConfigAddress(key: key) else { continue }
            settings[address] = row
            if address.level == .topic, Subject.hasWildcard(address.scope.utf8) {
                patterns[address.name, default: []].append(SubjectPattern(address.scope.utf8))
            }
        }
        for (name, list) in patterns { patterns[name] = list.sorted { ConfigTable.isNearer($0.text, $1.text) } }
        // A topic named by two groups belongs to the organisation of the group whose key is smaller, whatever the order here.
        var owners: [String: String] = [:]
        for (key, row) in topicGroups {
            guard let root = try? JSONDocument(row.document).root, let organisation = root["org_id"]?.string, let topics = root["topic_ids"] else { continue }
            for topic in topics.items {
                guard let topic = topic.string else { continue }
                if let owner = owners[topic], owner <= key { continue }
                owners[topic] = key
                organisations[topic] = organisation
            }
        }
    }

    package var isEmpty: Bool { settings.isEmpty }

    /// The organisation a topic belongs to, as a topic group says.
    package func organisation(of topic: String) -> String? { organisations[topic] }

    /// Everything that is set for this name and could apply, the nearest first: the first one wins.
    package func candidates(_ name: String, topic: String?, subject: String?) -> [Setting] {
        var out: [Setting] = []
        func look(_ address: ConfigAddress) {
            if let row = settings[address] { out.append(Setting(address: address, row: row)) }
        }
        if let subject, !subject.isEmpty { look(ConfigAddress(.subject, scope: subject, name: name)) }
        if let topic {
            look(ConfigAddress(.topic, scope: topic, name: name))
            for pattern in patterns[name] ?? [] where pattern.text != topic && pattern.matches(topic.utf8) {
                look(ConfigAddress(.topic, scope: pattern.text, name: name))
            }
            if let organisation = organisations[topic] { look(ConfigAddress(.organisation, scope: organisation, name: name)) }
        }
        look(ConfigAddress(.global, name: name))
        return out
    }

    /// The value that wins.
    package func setting(_ name: String, topic: String?, subject: String?) -> Setting? { candidates(name, topic: topic, subject: subject).first }

    /// Whether a known setting is set anywhere but globally, so that a look-up by topic is worth its cost.
    package func isVaried(_ setting: KnownSetting) -> Bool { settings.keys.contains { $0.name == setting.rawValue && $0.level != .global } }

    /// A known setting's whole number; a value that is none is passed over for the next level's.
    package func integer(_ setting: KnownSetting, topic: String? = nil, subject: String? = nil) -> Int64? {
        guard let range = setting.range else { return nil }
        for candidate in candidates(setting.rawValue, topic: topic, subject: subject) {
            guard let root = try? JSONDocument(candidate.row.document).root, let value = root["value"]?.integer, range.contains(value) else { continue }
            return value
        }
        return nil
    }

    package func rateLimit(topic: String, subject: String) -> RateLimit? {
        for candidate in candidates(KnownSetting.rateLimit.rawValue, topic: topic, subject: subject) {
            guard let root = try? JSONDocument(candidate.row.document).root, let limit = root["value"].flatMap({ RateLimit($0) }) else { continue }
            return limit
        }
        return nil
    }

    /// More tokens first, then more of them literal, then by text: a total order, so that the same table answers the same everywhere.
    private static func isNearer(_ a: String, _ b: String) -> Bool {
        func rank(_ text: String) -> (Int, Int) {
            let tokens = text.split(separator: ".", omittingEmptySubsequences: false)
            return (tokens.filter { $0 != ">" }.count, tokens.filter { $0 != ">" && $0 != "*" }.count)
        }
        return rank(a) != rank(b) ? rank(a) > rank(b) : a < b
    }
}
