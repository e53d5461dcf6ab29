package import Core
package import Log
internal import Web

/// The reference system's form of publishing: `{"message": "<JSON text of the message>"}`, answered by `{"status": …}` or `{"error": …}`.
package enum ReferenceMessage {
    package static let missing = "No message found"
    package static let unreadable = "Invalid JSON format"

    /// Takes the message out of its wrapper: a JSON text, or an object as it is.
    ///
    /// - Throws: `Refusal`; `missing` at `/message` when there is none.
    package static func unwrap(_ body: [UInt8]) throws(Refusal) -> [UInt8] {
        guard let range = try members(body).message else { throw Refusal(.missing, "/message", missing) }
        return try inner(body, range)
    }

    /// Takes the message out of its wrapper when it has one: a frame may also be the message itself.
    package static func unwrapFrame(_ body: [UInt8]) throws(Refusal) -> [UInt8] {
        let members = try members(body)
        guard let range = members.message else {
            guard members.isMessage else { throw Refusal(.missing, "/message", missing) }
            return body
        }
        return try inner(body, range)
    }

    private static func inner(_ body: [UInt8], _ range: Range<Int>) throws(Refusal) -> [UInt8] {
        switch body[range.lowerBound] {
        case UInt8(ascii: "{"): return Array(body[range])
        case UInt8(ascii: "\""):
            guard let text = JSONText.decode(body.span, range), !text.isEmpty else { throw Refusal(.malformed, "/message", missing) }
            return text
        case UInt8(ascii: "n"): throw Refusal(.missing, "/message", missing)
        default: throw Refusal(.wrongType, "/message", "the message is given as JSON text in a string, or as an object")
        }
    }

    private struct Members {
        /// Where the value of the top-level key `message` stands.
        var message: Range<Int>?
        var isTwice = false
        /// The text may be a message itself: it has a topic, or is no object (which is refused as such).
        var isMessage = false
    }

    private static func members(_ body: [UInt8]) throws(Refusal) -> Members {
        let members: Members
        do throws(JSONFault) { members = try scan(body) } catch { throw Refusal(error) }
        if members.isTwice { throw Refusal(.duplicateKey, "/message", "the key stands twice, so it is not clear which message is meant") }
        return members
    }

    private static func scan(_ body: [UInt8]) throws(JSONFault) -> Members {
        let text = body.span
        var members = Members()
        try JSONScanner.validate(text)
        var at = 0
        JSONScanner.skipSpace(text, &at)
        members.isMessage = text[at] != UInt8(ascii: "{")
        if members.isMessage { return members }
        at += 1
        JSONScanner.skipSpace(text, &at)
        if text[at] == UInt8(ascii: "}") { return members }
        while true {
            let key = at
            _ = try JSONScanner.skipString(text, &at)
            let name = JSONText.decode(text, key..<at) ?? []
            try JSONScanner.skipColon(text, &at)
            let start = at
            try JSONScanner.skipValue(text, &at, Limits.nestingMax)
            if name.elementsEqual("topic".utf8) { members.isMessage = true }
            if name.elementsEqual("message".utf8) {
                if members.message != nil { members.isTwice = true }
                members.message = start..<at
            }
            if try JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "}")) { return members }
        }
    }

    // MARK: Answers

    /// Status, position when there is one, and body.
    package static func answer(_ uuid: MessageUUID, _ outcome: AppendOutcome) -> (status: Int, position: Position?, body: [UInt8]) {
        switch outcome {
        case .appended(let position): (200, position, received(uuid, position, duplicate: false))
        case .duplicate(let position): (200, position, received(uuid, position, duplicate: true))
        case .conflict(let position): (400, nil, error(Answers.conflict(uuid, position).detail ?? ""))
        case .failed(let failure): (503, nil, error(Answers.problem(failure).detail ?? ""))
        }
    }

    package static func refusal(_ failure: any Error) -> (status: Int, body: [UInt8]) {
        switch failure {
        case let refusal as Refusal: (400, refused(refusal))
        case let failure as LogError: (503, error(Answers.problem(failure).detail ?? ""))
        default: (500, error("Something went wrong here"))
        }
    }

    /// The reference's two sentences word for word, since clients compare them; what Meshlog knows beyond them stands beside.
    private static func refused(_ refusal: Refusal) -> [UInt8] {
        if refusal.violations.contains(where: { $0.detail == missing }) { return error(missing) }
        guard refusal.isSyntax else { return error(refusal.summary) }
        var object = JSONObject()
        object.add("error", unreadable)
        object.add("detail", refusal.summary)
        return object.finish()
    }

    private static func received(_ uuid: MessageUUID, _ position: Position, duplicate: Bool) -> [UInt8] {
        var object = JSONObject()
        object.add("status", "Message received")
        object.add("message_uuid", uuid.description)
        object.add("position", position.description)
        object.add("duplicate", duplicate)
        return object.finish()
    }

    package static func error(_ text: String) -> [UInt8] {
        var object = JSONObject()
        object.add("error", text)
        return object.finish()
    }
}
