internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Interventions
internal import Web

/// What a person says about a session, as a request says it.
enum SessionBody {
    private static let members = ["digest", "by", "comment", "message"]

    /// - Throws: 400, 413, 415 or 422 that names everything wrong with the body.
    static func read(_ request: Request, id: String, _ decision: SessionClosing.Decision) async throws -> (command: SessionCommand, isConditional: Bool) {
        // An edit may bring a whole message, beside who and why.
        let body = try await DocumentBody.read(request, .document, bytesMax: 2 * Limits.messageBytesMax, noun: "decision")
        let root = try DocumentBody.object(body, "decision")
        var refusal = Refusal()
        for (key, _) in root.members {
            guard let name = key.string, !members.contains(name) || (name == "message" && decision != .edit) else { continue }
            let known = members.filter { $0 != "message" || decision == .edit }.joined(separator: ", ")
            refusal.add(.unknownField, Violation.pointer(to: name), "no such member; known are \(known)")
        }
        func text(_ name: String) -> String? {
            guard let node = root[name], !node.isNull else { return nil }
            if node.kind != .string { refusal.add(.wrongType, "/\(name)", "a text") }
            return node.string
        }
        let (named, said, comment) = (text("digest"), text("by"), text("comment") ?? "")
        let tag = request.headers[.ifMatch].map { $0.trimming { $0 == "\"" } }
        if let named, let tag, named != tag { refusal.add(.conflict, "/digest", "If-Match names another one") }
        if named == nil, tag == nil {
            refusal.add(.missing, "/digest", "say what you decide about: the digest (or ETag) of GET /v1/sessions/\(id), here or as If-Match")
        }
        let by = said ?? request.headers[.meshlogPrincipal] ?? ""
        if !by.isEmpty, let fault = QueryReader.nameFault(by) { refusal.add(.malformed, "/by", fault) }
        if comment.utf8.count > Limits.sessionCommentBytesMax { refusal.add(.tooLarge, "/comment", "it has more than \(Limits.sessionCommentBytesMax) bytes") }
        let changes = decision == .edit ? root["message"] : nil
        if decision == .edit, changes == nil {
            refusal.add(.missing, "/message", "what takes the place of the held message's members, such as {\"data\": {…}}")
        }
        guard refusal.isEmpty, let digest = named ?? tag else { throw ControlProblem.refused(refusal, "decision") }
        var document: JSONDocument?
        if let changes {
            do throws(JSONFault) { document = try JSONDocument(Array(changes.text)) } catch { throw ControlProblem.refused(Refusal(error), "edit") }
        }
        let command = SessionCommand(id: id, decision: decision, digest: digest, by: by, via: "http", comment: comment, changes: document)
        return (command, tag != nil)
    }
}

extension String {
    /// Without the characters at both ends that satisfy `condition`.
    fileprivate func trimming(_ condition: (Character) -> Bool) -> String {
        var rest = self[...]
        while let first = rest.first, condition(first) { rest.removeFirst() }
        while let last = rest.last, condition(last) { rest.removeLast() }
        return String(rest)
    }
}
