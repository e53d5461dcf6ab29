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
        guard let range = try member(body) else { throw Refusal(.missing, "/message", missing) }
        return try inner(body, range)
    }

    /// Takes the message out of its wrapper when it has one: a frame may also be the message itself.
    package static func unwrapFrame(_ body: [UInt8]) throws(Refusal) -> [UInt8] {
        guard let range = try member(body) else { return body }
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

    /// Where the value of the top-level key `message` stands.
    private static func member(_ body: [UInt8]) throws(Refusal) -> Range<Int>? {
        let text = body.span
        var found: Range<Int>?
        do throws(JSONFault) {
            try JSONScanner.validate(text)
            var at = 0
            JSONScanner.skipSpace(text, &at)
            guard text[at] == UInt8(ascii: "{") else { return nil }
            at += 1
            JSONScanner.skipSpace(text, &at)
            if text[at] == UInt8(ascii: "}") { return nil }
            while true {
                let key = at
                _ = try JSONScanner.skipString(text, &at)
                let isMessage = JSONText.decode(text, key..<at)?.elementsEqual("message".utf8) ?? false
                try JSONScanner.skipColon(text, &at)
                let start = at
                try JSONScanner.skipValue(text, &at, Limits.nestingMax)
                if isMessage { found = start..<at }
                if try JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "}")) { return found }
            }
        } catch {
            throw Refusal(error)
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
        case let refusal as Refusal: (400, error(text(refusal)))
        case let failure as LogError: (503, error(Answers.problem(failure).detail ?? ""))
        default: (500, error("Something went wrong here"))
        }
    }

    /// The reference's two sentences first, then what Meshlog knows beyond them.
    private static func text(_ refusal: Refusal) -> String {
        if refusal.violations.contains(where: { $0.detail == missing }) { return missing }
        return refusal.isSyntax ? "\(unreadable): \(refusal.summary)" : refusal.summary
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
