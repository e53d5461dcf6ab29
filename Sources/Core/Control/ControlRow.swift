/// The present state of one document: what it says, since when, by whom, and what it said before.
package struct ControlRow: Sendable, Equatable {
    /// JSON text of an object.
    package var document: [UInt8]
    /// Of the last change: the document's version, its `ETag`.
    package var revision: Position
    package var created: Position
    package var principal: String
    package var via: String
    package var comment: String
    /// What the last change replaced; nil while the document is as it was created.
    package var previous: Previous?

    package struct Previous: Sendable, Equatable {
        package var document: [UInt8]
        package var revision: Position
    }

    package init(_ event: ControlEvent, at position: Position, before: ControlRow?) {
        document = event.document
        revision = position
        created = before?.created ?? position
        principal = event.principal
        via = event.via
        comment = event.comment
        previous = before.map { Previous(document: $0.document, revision: $0.revision) }
    }

    package var json: [UInt8] {
        var object = JSONObject()
        object.add("document", raw: document)
        object.add("revision", revision.description)
        object.add("created", created.description)
        object.add("principal", principal)
        object.add("via", via)
        object.add("comment", comment)
        if let previous {
            var inner = JSONObject()
            inner.add("document", raw: previous.document)
            inner.add("revision", previous.revision.description)
            object.add("previous", raw: inner.finish())
        }
        return object.finish()
    }

    /// Reads `json` back; nil when it is something else.
    package init?(json: [UInt8]) {
        guard let root = try? JSONDocument(json).root, let document = root["document"], document.kind == .object,
            let revision = root["revision"]?.string.flatMap({ Position($0) }), let created = root["created"]?.string.flatMap({ Position($0) })
        else { return nil }
        self.document = Array(document.text)
        self.revision = revision
        self.created = created
        principal = root["principal"]?.string ?? ""
        via = root["via"]?.string ?? ""
        comment = root["comment"]?.string ?? ""
        if let inner = root["previous"] {
            guard let before = inner["document"], let at = inner["revision"]?.string.flatMap({ Position($0) }) else { return nil }
            previous = Previous(document: Array(before.text), revision: at)
        }
    }
}
