package import Core
internal import Crypto

/// The key from which the secret of every webhook is derived: no secret is in the log, and none has to be kept.
package struct WebhookKey: Sendable {
    private let bytes: [UInt8]

    /// Fewer bytes would be the weakest part of HMAC-SHA256.
    package static let bytesMin = 32

    /// - Returns: nil for fewer than `bytesMin` bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= WebhookKey.bytesMin else { return nil }
        self.bytes = bytes
    }

    /// The secret of a webhook in one of its versions: HMAC-SHA256 of `<webhook_id>\n<version>`, 32 bytes.
    package func secret(of webhook: String, version: Int64) -> WebhookSecret {
        WebhookSecret(key: WebhookKey.authenticate(bytes, Array("\(webhook)\n\(version)".utf8)))
    }

    private static func authenticate(_ key: [UInt8], _ content: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: content, using: SymmetricKey(data: key)))
    }

    /// Signs and verifies with HMAC-SHA256.
    package static let signature = WebhookSignature(authenticate)
}
