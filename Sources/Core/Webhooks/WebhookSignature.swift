/// Signs and verifies webhooks; the HMAC itself is given, since Core knows no cryptography.
///
/// - Source: Standard Webhooks 1.0.0, symmetric signatures (`v1`).
package struct WebhookSignature: Sendable {
    /// HMAC-SHA256.
    package typealias Authentication = @Sendable (_ key: [UInt8], _ content: [UInt8]) -> [UInt8]

    /// Seconds that a timestamp may lie before or behind the receiver's clock.
    package static let toleranceSeconds: Int64 = 300

    private let authentication: Authentication

    package init(_ authentication: @escaping Authentication) { self.authentication = authentication }

    /// `<id>.<timestamp>.<body>`
    package static func content(id: String, timestamp: String, body: [UInt8]) -> [UInt8] { Array("\(id).\(timestamp).".utf8) + body }

    /// One signature: `v1,<base64>`.
    package func sign(id: String, timestamp: String, body: [UInt8], secret: WebhookSecret) -> String {
        let digest = authentication(secret.key, WebhookSignature.content(id: id, timestamp: timestamp, body: body))
        return "v1," + String(decoding: Base64.encode(digest), as: UTF8.self)
    }

    /// The value of `webhook-signature`: one signature for each secret, the newest first.
    package func header(id: String, timestamp: String, body: [UInt8], secrets: [WebhookSecret]) -> String {
        secrets.map { sign(id: id, timestamp: timestamp, body: body, secret: $0) }.joined(separator: " ")
    }

    /// Why a webhook is not to be believed.
    package enum Fault: Error, Sendable, Equatable {
        case missingHeader(String)
        /// Not a number of seconds.
        case malformedTimestamp
        /// Too old, or too far in the future.
        case staleTimestamp
        /// No signature of this secret is among those that were sent.
        case noMatch
    }

    /// Verifies what a receiver got.
    ///
    /// - Parameters:
    ///   - headers: names in any case.
    ///   - now: seconds since the Unix epoch.
    package func verify(headers: [(name: String, value: String)], body: [UInt8], secret: WebhookSecret, now: Int64) throws(Fault) {
        func header(_ name: String) throws(Fault) -> String {
            guard let value = headers.first(where: { $0.name.lowercased() == name })?.value, !value.isEmpty else { throw .missingHeader(name) }
            return value
        }
        let id = try header("webhook-id")
        let timestamp = try header("webhook-timestamp")
        let signatures = try header("webhook-signature")
        guard timestamp.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int64(timestamp) else { throw .malformedTimestamp }
        // No overflow: both are at most 2^63 - 1, and the timestamp is not negative.
        let (distance, overflow) = now.subtractingReportingOverflow(seconds)
        guard !overflow, distance >= -WebhookSignature.toleranceSeconds, distance <= WebhookSignature.toleranceSeconds else { throw .staleTimestamp }
        let expected = authentication(secret.key, WebhookSignature.content(id: id, timestamp: timestamp, body: body))
        var isGenuine = false
        for signature in signatures.split(separator: " ") {
            let parts = signature.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "v1", let digest = Base64.decode(Array(parts[1].utf8)) else { continue }
            if WebhookSignature.isSame(expected, digest) { isGenuine = true }
        }
        if !isGenuine { throw .noMatch }
    }

    /// Compares in a time that depends on the lengths only, so that a forger learns nothing from it.
    static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
