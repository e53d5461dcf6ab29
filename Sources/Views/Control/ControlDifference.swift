internal import Core

/// How a document differs between two moments.
struct ControlDifference: Sendable {
    let key: String
    let before: ControlRow?
    let after: ControlRow?

    /// All documents that differ, by key.
    static func all(_ before: [String: ControlRow], _ after: [String: ControlRow]) -> [String: ControlDifference] {
        var out: [String: ControlDifference] = [:]
        for (key, row) in after where before[key]?.document != row.document { out[key] = ControlDifference(key: key, before: before[key], after: row) }
        for (key, row) in before where after[key] == nil { out[key] = ControlDifference(key: key, before: row, after: nil) }
        return out
    }

    /// What happened to it from the first moment to the second; nil when it is as it was.
    var change: ControlEvent.Change? {
        switch (before, after) {
        case (nil, nil): nil
        case (nil, _): .created
        case (_, nil): .deleted
        case (let before?, let after?): before.document == after.document ? nil : .updated
        }
    }

    var json: [UInt8] {
        var object = JSONObject()
        object.add("key", key)
        add(to: &object)
        return object.finish()
    }

    func add(to object: inout JSONObject) {
        object.add("change", optional: change?.rawValue)
        object.add("from_revision", optional: before?.revision.description)
        object.add("to_revision", optional: after?.revision.description)
        object.add("members", raw: JSONDifference.members(before?.document, after?.document))
    }
}
