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
        guard let name = HTTPField.Name("Idempotency-Key"), let value = headers[name] else { return nil }
        var key = value.trimmingBlanks
        if key.hasPrefix("\""), key.hasSuffix("\""), key.count >= 2 { key = String(key.dropFirst().dropLast()) }
        guard !key.isEmpty, key.utf8.count <= 255, key.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw ProblemDocument(
                "idempotency-key", status: 400, title: "The idempotency key is malformed",
                detail: "Idempotency-Key is a string of 1 to 255 printable ASCII characters, such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\".")
        }
        return IdempotencyKey(key: key)
    }

    /// Lets a repeat of the `index`th message of the request be recognised.
    func name(_ message: inout AdmittedMessage, index: Int) {
        message.recognise(by: Array("key:\(index):\(key)".utf8), digest: ContentDigest.sha256)
    }
}
