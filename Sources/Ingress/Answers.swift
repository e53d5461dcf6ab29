package import Core
internal import HTTPTypes
package import Log
package import Web

/// The words in which every door answers.
package enum Answers {
    /// `{"message_uuid": …, "position": …, "duplicate": …}`
    package static func acknowledgement(_ uuid: MessageUUID, _ position: Position, duplicate: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(128)
        append(acknowledgement: uuid, position, duplicate: duplicate, to: &out)
        return out
    }

    /// The same, appended.
    static func append(acknowledgement uuid: MessageUUID, _ position: Position, duplicate: Bool, to out: inout [UInt8]) {
        append("{\"message_uuid\":\"", to: &out)
        uuid.append(to: &out)
        append("\",\"position\":\"", to: &out)
        position.append(to: &out)
        append(duplicate ? "\",\"duplicate\":true}" : "\",\"duplicate\":false}", to: &out)
    }

    /// Its length, for a position of this many bytes.
    static func acknowledgementBytes(position: Int, duplicate: Bool) -> Int { 17 + 36 + 14 + position + 15 + (duplicate ? 4 : 5) }

    static func append(_ text: StaticString, to out: inout [UInt8]) { text.withUTF8Buffer { out.append(contentsOf: $0) } }

    /// An input that was not admitted.
    package static func problem(_ refusal: Refusal) -> ProblemDocument {
        let members: [(name: String, value: ProblemDocument.Member)] = [("violations", .json(refusal.json))]
        if refusal.isTooLarge {
            return ProblemDocument("message-too-large", status: 413, title: "The message is too large", detail: refusal.summary, members: members)
        }
        if refusal.isSyntax {
            return ProblemDocument("message-unreadable", status: 400, title: "The message cannot be read", detail: refusal.summary, members: members)
        }
        if refusal.isTemplate { return TemplateProblem.document(refusal) }
        return ProblemDocument("message-invalid", status: 422, title: "The message breaks the rules", detail: refusal.summary, members: members)
    }

    /// An id that was used with another content.
    package static func conflict(_ uuid: MessageUUID, _ position: Position) -> ProblemDocument {
        ProblemDocument(
            "id-conflict", status: 422, title: "The id was used for another message",
            detail: "message_uuid \(uuid) (or its idempotency key) stands at \(position) with another content; a new message needs a new id.",
            instance: "/v1/messages/\(uuid)",
            members: [("message_uuid", .string(uuid.description)), ("position", .string(position.description))])
    }

    /// Seconds after which a log that was not reachable is worth another try: it says so that soon, and is mostly back by then.
    static let retryAfterSeconds = "2"

    /// The log cannot take it now.
    package static func problem(_ error: LogError) -> ProblemDocument {
        switch error {
        case .overloaded(let text):
            return ProblemDocument(
                "overloaded", status: 503, title: "Too much is waiting to be appended", detail: "\(text); nothing was taken in. Try again in a second.",
                headers: [.retryAfter: "1"])
        default:
            return ProblemDocument(
                "log-unavailable", status: 503, title: "The log cannot be reached",
                detail: "\(error.description). Whether the message was appended is unknown: repeat it with the same message_uuid or Idempotency-Key; "
                    + "without either it may then stand twice.",
                headers: [.retryAfter: retryAfterSeconds])
        }
    }

    /// What one append led to, as a result in a list or a frame; `ok` tells whether the message is in the log.
    package static func result(_ uuid: MessageUUID, _ outcome: AppendOutcome) -> (ok: Bool, json: [UInt8]) {
        switch outcome {
        case .appended(let position): (true, acknowledgement(uuid, position, duplicate: false))
        case .duplicate(let position): (true, acknowledgement(uuid, position, duplicate: true))
        case .conflict(let position): (false, conflict(uuid, position).json)
        case .failed(let error): (false, problem(error).json)
        }
    }
}
