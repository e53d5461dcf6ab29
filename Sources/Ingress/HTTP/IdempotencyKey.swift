internal import Core
internal import HTTPTypes
internal import Log
internal import Web

/// A client's promise that two requests with this key are one.
///
/// - Source: draft-ietf-httpapi-idempotency-key-header-07: a structured-field string, here also taken without quotes.
struct IdempotencyKey {
    private let key: String

    /// The header's key; nil when there is none.
    static func read(_ headers: HTTPFields) throws -> IdempotencyKey? {
        guard let name = HTTPField.Name("Idempotency-Key"), let value = headers[values: name].first?.trimmingBlanks else { return nil }
        // Two lines are joined to a list, and a key is none.
        let key = headers[values: name].count > 1 ? nil : value.hasPrefix("\"") ? unquoted(value) : value
        guard let key, !key.isEmpty, key.utf8.count <= 255, key.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw ProblemDocument(
                "idempotency-key", status: 400, title: "The idempotency key is malformed",
                detail: "Idempotency-Key is one string of 1 to 255 printable ASCII characters, such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\".")
        }
        return IdempotencyKey(key: key)
    }

    /// What a structured-field string says; nil when it is malformed. Parameters say nothing here, and are passed over.
    ///
    /// - Source: RFC 9651, 4.2.5 and 4.2.3.2.
    private static func unquoted(_ text: String) -> String? {
        var key = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            switch character {
            case "\"": return areParameters(rest) ? key : nil
            case "\\":
                guard let escaped = rest.popFirst(), escaped == "\"" || escaped == "\\" else { return nil }
                key.append(escaped)
            default: key.append(character)
            }
        }
        return nil
    }

    private static func areParameters(_ text: Substring) -> Bool {
        text.isEmpty || text.wholeMatch(of: /(?:; *[a-z*][a-z0-9_\-.*]*(?:=(?:"(?:[^"\\]|\\["\\])*"|[^" ;,]+))?)*/) != nil
    }

    /// Lets a repeat of the `index`th message of the request be recognised.
    func name(_ message: inout AdmittedMessage, index: Int) {
        message.recognise(by: Array("key:\(index):\(key)".utf8), digest: ContentDigest.sha256)
    }
}
