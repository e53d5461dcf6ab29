internal import Core
internal import HTTPTypes
internal import Interventions
internal import Web

/// What is said outward when a decision is not carried out.
enum SessionProblem {
    /// - Parameters:
    ///   - row: the session as its projection knows it.
    ///   - isConditional: the digest came as `If-Match`.
    static func problem(_ refusal: SessionRefusal, _ command: SessionCommand, row: SessionRow?, isConditional: Bool) -> ProblemDocument {
        let path = "/v1/sessions/\(command.id)"
        switch refusal {
        case .notOpen(let ending):
            if let ending { return closed(ending.closing, ending.position, path) }
            if let closing = row?.closing, let position = row?.closed { return closed(closing, position, path) }
            guard row != nil else { return notFound(command.id) }
            return ProblemDocument(
                "session-closed", status: 409, title: "The session has ended",
                detail: "Nothing was decided: it is no longer open. GET \(path) tells how it ended.",
                instance: path, headers: [.retryAfter: "1"])
        case .otherDigest:
            return ProblemDocument(
                "digest-mismatch", status: isConditional ? 412 : 409, title: "The decision is about something else than what is held",
                detail: "Nothing was decided. GET \(path), look at the message there, and send the digest of that answer.", instance: path,
                members: [("would_pass", .string("the digest that GET \(path) gives"))])
        case .tooLate(let end):
            return ProblemDocument(
                "session-expired", status: 409, title: "The session's time is over",
                detail: "Nothing was decided: it expired at \(Timestamp.rfc3339(microseconds: end)). GET \(path) tells what became of the message.",
                instance: path,
                members: [("expired_at", .string(Timestamp.rfc3339(microseconds: end)))])
        case .notAnApprover(let names):
            let who = command.by.isEmpty ? "Nobody is named in `by`" : "'\(command.by)' is not among them"
            return ProblemDocument(
                "not-an-approver", status: 403, title: "Others decide about this message",
                detail: "The rule names who may decide: \(names.joined(separator: ", ")). \(who).", instance: path, members: [("approvers", .strings(names))])
        case .refused(let inner):
            guard inner.isTemplate else { return ControlProblem.refused(inner, "edit") }
            return TemplateProblem.document(inner)
        case .unreleasable(let detail):
            return ProblemDocument(
                "session-unreleasable", status: 409, title: "What was held cannot be released",
                detail: "Nothing was decided: \(detail). Denying it is still possible.",
                instance: path)
        case .unavailable:
            return ProblemDocument(
                "session-unavailable", status: 503, title: "A store behind the session does not answer",
                detail: "Whether the decision was carried out is unknown: GET \(path) tells, and repeating it decides nothing twice.", instance: path,
                headers: [.retryAfter: "1"])
        }
    }

    static func notFound(_ id: String) -> ProblemDocument {
        ProblemDocument(
            "session-not-found", status: 404, title: "There is no such session",
            detail: "No session '\(id)' is known. A session's id is the position of the message that is held, such as 0-1767225600000-0.",
            members: [("session_id", .string(id))])
    }

    private static func closed(_ closing: SessionClosing, _ position: Position, _ path: String) -> ProblemDocument {
        let at = Timestamp.rfc3339(microseconds: position.microseconds)
        var members: [(name: String, value: ProblemDocument.Member)] = [("closed_at", .string(at)), ("position", .string(position.description))]
        let how: String
        switch closing.cause {
        case .decided(let decision, let by, let via, _, _):
            members.append(("decision", .string(decision.rawValue)))
            members.append(("decided_by", .string(by)))
            how = "\(by.isEmpty ? "somebody (by \(via))" : "'\(by)'") decided '\(decision.rawValue)' at \(at)"
        case .expired(let outcome, _):
            members.append(("expiry", .string(outcome.rawValue)))
            how = "its time was over at \(at), with the outcome '\(outcome.rawValue)'"
        case .released: how = "its delay was over at \(at)"
        }
        if let released = closing.released { members.append(("released", .string(released.description))) }
        return ProblemDocument(
            "session-closed", status: 409, title: "The session has ended", detail: "Nothing was decided: \(how).", instance: path, members: members,
            headers: [.meshlogPosition: position.description])
    }
}
