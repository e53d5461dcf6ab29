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
    /// Patterns of topics by the name of what is set, the nearest first.
    private var patterns: [String: [SubjectPattern]] = [:]
    /// How many values of a name are set other than globally.
    private var varied: [String: Int] = [:]
    /// Who claims a topic for an organisation, by the key of the topic group.
    private var claims: [String: [Claim]] = [:]
    private var groups: [String: [String]] = [:]

    private struct Claim: Sendable {
        let group: String
        let organisation: String
    }

    package init() {}

    /// Puts in a value of the kind `config`, or takes it out; a key that is no address is nobody's.
    package mutating func put(key: String, _ row: ControlRow?) {
        guard let address = ConfigAddress(key: key) else { return }
        let was = settings.updateValue(row, at: address)
        guard address.level != .global, (was == nil) != (row == nil) else { return }
        varied[address.name, default: 0] += row == nil ? -1 : 1
        guard address.level == .topic, Subject.hasWildcard(address.scope.utf8) else { return }
        var list = patterns[address.name] ?? []
        list.removeAll { $0.text == address.scope }
        if row != nil { list.insert(SubjectPattern(address.scope.utf8), at: list.firstIndex { ConfigTable.isNearer(address.scope, $0.text) } ?? list.count) }
        patterns[address.name] = list
    }

    /// Puts in a topic group, or takes it out.
    package mutating func put(topicGroup key: String, _ row: ControlRow?) {
        for topic in groups.removeValue(forKey: key) ?? [] { claims[topic]?.removeAll { $0.group == key } }
        guard let row, let root = try? JSONDocument(row.document).root, let organisation = root["org_id"]?.string, let topics = root["topic_ids"] else {
            return
        }
        let names = Set(topics.items.compactMap(\.string))
        groups[key] = Array(names)
        for topic in names {
            // A topic that two groups name belongs to the one with the smaller key, in whatever order they came.
            var list = claims[topic] ?? []
            list.insert(Claim(group: key, organisation: organisation), at: list.firstIndex { $0.group > key } ?? list.count)
            claims[topic] = list
        }
    }

    package var isEmpty: Bool { settings.isEmpty }

    /// The organisation a topic belongs to, as a topic group says.
    package func organisation(of topic: String) -> String? { claims[topic]?.first?.organisation }

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
            if let organisation = organisation(of: topic) { look(ConfigAddress(.organisation, scope: organisation, name: name)) }
        }
        look(ConfigAddress(.global, name: name))
        return out
    }

    /// The value that wins.
    package func setting(_ name: String, topic: String?, subject: String?) -> Setting? { candidates(name, topic: topic, subject: subject).first }

    /// Whether a known setting is set anywhere but globally, so that a look-up by topic is worth its cost.
    package func isVaried(_ setting: KnownSetting) -> Bool { (varied[setting.rawValue] ?? 0) > 0 }

    /// Every name that is set anywhere, sorted.
    package var names: [String] { Set(settings.keys.map(\.name)).sorted() }

    /// Whether a name is set anywhere.
    package func isSet(_ name: String) -> Bool { (varied[name] ?? 0) > 0 || settings[ConfigAddress(.global, name: name)] != nil }

    /// As `isVaried`, for any name.
    package func isVaried(_ name: String) -> Bool { (varied[name] ?? 0) > 0 }

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

extension Dictionary {
    /// Puts in a value or takes it out.
    /// - Returns: what was there.
    fileprivate mutating func updateValue(_ value: Value?, at key: Key) -> Value? {
        guard let value else { return removeValue(forKey: key) }
        return updateValue(value, forKey: key)
    }
}
