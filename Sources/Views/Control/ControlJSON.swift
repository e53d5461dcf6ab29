internal import Core

/// Documents of the control plane as JSON.
enum ControlJSON {
    /// A document with its place and who changed it last.
    static func record(_ key: String, _ row: ControlRow) -> [UInt8] {
        var object = JSONObject()
        object.add("key", key)
        addChange(row, to: &object)
        object.add("document", raw: row.document)
        return object.finish()
    }

    /// When, by whom and why.
    static func addChange(_ row: ControlRow, to object: inout JSONObject) {
        object.add("revision", row.revision.description)
        object.add("revision_ts", time: row.revision.microseconds)
        object.add("created", row.created.description)
        object.add("created_ts", time: row.created.microseconds)
        object.add("principal", nonEmpty: row.principal)
        object.add("via", nonEmpty: row.via)
        object.add("comment", nonEmpty: row.comment)
    }
}
