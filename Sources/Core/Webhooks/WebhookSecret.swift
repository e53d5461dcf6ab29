/// The key of one endpoint's signatures, as its text is written.
///
/// - Source: Standard Webhooks 1.0.0: `whsec_` and base64. As the reference libraries do, the prefix and the padding may be missing.
package struct WebhookSecret: Sendable, Equatable {
    package let key: [UInt8]

    package static let prefix = "whsec_"

    package init(key: [UInt8]) { self.key = key }

    /// - Returns: nil for text whose base64 is wrong, or that is empty.
    package init?(_ text: some StringProtocol) {
        var encoded = Array((text.hasPrefix(WebhookSecret.prefix) ? text.dropFirst(WebhookSecret.prefix.count) : text[...]).utf8)
        if encoded.count % 4 != 0, !encoded.contains(UInt8(ascii: "=")) {
            encoded.append(contentsOf: Array(repeating: UInt8(ascii: "="), count: 4 - encoded.count % 4))
        }
        guard let key = Base64.decode(encoded), !key.isEmpty else { return nil }
        self.key = key
    }

    /// `whsec_…`
    package var text: String { WebhookSecret.prefix + String(decoding: Base64.encode(key), as: UTF8.self) }
}
