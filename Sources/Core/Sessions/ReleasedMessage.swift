/// Makes the entry with which a held message goes on its way again.
package enum ReleasedMessage {
    /// The held message as it was, with what let it go.
    package static func entry(_ held: MessageEntry, _ release: Release) -> MessageEntry {
        var entry = held
        entry.set(.event, MessageEntry.released)
        entry.set(.release, release.json)
        return entry
    }

    /// What a person may give a held message anew. Topic, sender and id stay: they say what was held.
    package static let editable = ["data", "message_data", "data_base64", "content_type", "message_metadata", "message_type", "destination_subject_ids"]

    /// The held message with other content: members of `changes` replace its own, null removes an optional one.
    ///
    /// It passes the checks of every message. What is not edited keeps its bytes.
    /// - Throws: `Refusal` with everything wrong with the members.
    package static func edited(_ held: MessageEntry, _ changes: JSONNode) throws(Refusal) -> MessageEntry {
        guard changes.kind == .object else { throw Refusal(.wrongType, "/message", "an edit is a JSON object such as {\"data\": {…}}") }
        var refusal = Refusal()
        for (key, _) in changes.members {
            let name = key.string ?? ""
            if editable.contains(name) { continue }
            refusal.add(.unknownField, "/message" + Violation.pointer(to: name), "an edit may give: \(editable.joined(separator: ", "))")
        }
        if changes.count == 0 { refusal.add(.missing, "/message", "an edit gives at least one of: \(editable.joined(separator: ", "))") }
        let givesData = ["data", "message_data", "data_base64"].contains { changes[$0] != nil }
        if changes["content_type"] != nil, !givesData {
            refusal.add(.conflict, "/message/content_type", "it says what the payload is: give the payload beside it")
        }
        guard refusal.isEmpty else { throw refusal }
        let admitted: MessageEntry
        do throws(Refusal) {
            admitted = try Envelope.admit(text(held, changes), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 0, low: 0) }).entry
        } catch {
            throw Refusal(error.violations.map { Violation($0.code, "/message" + $0.pointer, $0.detail) })
        }
        var entry = held
        if givesData {
            entry.set(.data, admitted.slice(.data))
            entry.set(.contentType, admitted.slice(.contentType))
        }
        for (name, field) in [("message_metadata", MessageField.metadata), ("message_type", .type), ("destination_subject_ids", .destinations)]
        where changes[name] != nil {
            entry.set(field, admitted.slice(field))
        }
        guard entry.fieldBytes <= Limits.messageBytesMax else {
            throw Refusal(.tooLarge, "", "the edited message has \(entry.fieldBytes) bytes, at most \(Limits.messageBytesMax) are allowed")
        }
        return entry
    }

    /// The members that are edited, as a message of their own: only they have to be checked.
    private static func text(_ held: MessageEntry, _ changes: JSONNode) -> [UInt8] {
        var object = JSONObject()
        object.add("topic", text: held.slice(.topic))
        var out = object.bytes
        if changes["content_type"] == nil, !held.isJSON {
            out += Array(#","content_type":"#.utf8)
            JSONText.append(held.slice(.contentType), to: &out)
        }
        for (key, value) in changes.members {
            out.append(UInt8(ascii: ","))
            out.append(contentsOf: key.text)
            out.append(UInt8(ascii: ":"))
            out.append(contentsOf: value.text)
        }
        out.append(UInt8(ascii: "}"))
        return out
    }
}
