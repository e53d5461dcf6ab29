internal import Core

/// Which value of the configuration holds for a topic and a subject, and why.
struct ConfigExplanation: Sendable {
    let key: String
    let topic: String?
    let subject: String?
    private let organisation: String?
    private let candidates: [Candidate]
    private let known: KnownSetting?
    private let fallback: [UInt8]?

    private struct Candidate: Sendable {
        let setting: ConfigTable.Setting
        /// Why it is passed over though it is near enough; nil when it is not.
        let fault: String?
    }

    init(key: String, topic: String?, subject: String?, table: ConfigTable, defaults: [KnownSetting: [UInt8]]) {
        self.key = key
        self.topic = topic
        self.subject = subject
        organisation = topic.flatMap { table.organisation(of: $0) }
        let known = KnownSetting(rawValue: key)
        self.known = known
        fallback = known.flatMap { defaults[$0] }
        candidates = table.candidates(key, topic: topic, subject: subject).map { setting in
            let fault = known.flatMap { known in (try? JSONDocument(setting.value).root).flatMap { known.fault($0) } }
            return Candidate(setting: setting, fault: fault)
        }
    }

    private var winner: Int? { candidates.firstIndex { $0.fault == nil } }

    var json: [UInt8] {
        let winner = winner
        var object = JSONObject()
        object.add("key", key)
        object.add("topic", optional: topic)
        object.add("subject", optional: subject)
        object.add("organisation", optional: organisation)
        if let winner {
            object.add("value", raw: candidates[winner].setting.value)
            object.add("source", "set")
            object.add("set_by", raw: json(winner, winner))
        } else {
            if let fallback { object.add("value", raw: fallback) } else { object.addNull("value") }
            object.add("source", fallback == nil ? "none" : "default")
            object.addNull("set_by")
        }
        object.add("candidates", raw: JSONArray.of(candidates.indices) { $0.append(contentsOf: json($1, winner)) })
        if let known { object.add("known", raw: ConfigExplanation.json(known, fallback)) } else { object.addNull("known") }
        return object.finish()
    }

    private func json(_ index: Int, _ winner: Int?) -> [UInt8] {
        let candidate = candidates[index]
        let setting = candidate.setting
        var object = JSONObject()
        object.add("level", setting.address.level.rawValue)
        object.add("scope", nonEmpty: setting.address.scope)
        object.add("path", ControlKind.config.path(setting.address.key))
        object.add("value", raw: setting.value)
        ControlJSON.addChange(setting.row, to: &object)
        if let previous = setting.row.previous {
            var before = JSONObject()
            before.add("value", raw: ConfigExplanation.value(previous.document))
            before.add("revision", previous.revision.description)
            before.add("revision_ts", time: previous.revision.microseconds)
            object.add("previous", raw: before.finish())
        } else {
            object.addNull("previous")
        }
        object.add("wins", index == winner)
        object.add(
            "why",
            candidate.fault.map { "passed over: \($0)" } ?? (index == winner ? "the nearest level with a value that holds" : "a nearer level has a value"))
        return object.finish()
    }

    /// The value in a document of the configuration, as JSON text.
    static func value(_ document: [UInt8]) -> [UInt8] {
        (try? JSONDocument(document).root["value"]).flatMap { $0.map { Array($0.text) } } ?? Array("null".utf8)
    }

    /// A setting that Meshlog acts on.
    static func json(_ setting: KnownSetting, _ fallback: [UInt8]?) -> [UInt8] {
        var object = JSONObject()
        object.add("key", setting.rawValue)
        object.add("purpose", setting.purpose)
        object.add("levels", strings: setting.levels.map(\.rawValue))
        object.add("type", setting.range == nil ? "object" : "integer")
        object.add("minimum", optional: setting.range.map { Int($0.lowerBound) })
        object.add("maximum", optional: setting.range.map { Int($0.upperBound) })
        if let fallback { object.add("default", raw: fallback) } else { object.addNull("default") }
        return object.finish()
    }
}
