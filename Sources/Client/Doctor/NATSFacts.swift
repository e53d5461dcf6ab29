internal import Core

/// What a NATS server says of itself, and what that means for a backbone.
package struct NATSFacts: Sendable {
    package var version = ""
    package var hasJetStream = false
    package var payloadBytesMax = 0

    package init() {}

    /// Headers that a republished message carries beside its body.
    package static let headerBytesMax = 4 << 10

    package var findings: [Finding] {
        [versionFinding, jetStream, payload]
    }

    private func finding(_ check: String, _ state: Finding.State, _ sentence: String) -> Finding { Finding("NATS", check, state, sentence) }

    private var versionFinding: Finding {
        switch VersionNumber(version) {
        case let number? where number >= VersionNumber(2, 9): finding("version", .ok, version)
        case nil: finding("version", .warn, "the server does not say its version; 2.9 or newer is needed")
        default: finding("version", .fail, "\(version): 2.9 or newer is needed")
        }
    }

    private var jetStream: Finding {
        hasJetStream
            ? finding("jetstream", .ok, "enabled")
            : finding(
                "jetstream", .fail,
                "not enabled: messages cannot be republished with an acknowledgement, and the durable door is closed. Start the server with -js")
    }

    private var payload: Finding {
        // It goes out as JSON, in which a control character of a text payload takes six bytes.
        let needed = 6 * Limits.messageBytesMax + NATSFacts.headerBytesMax
        if payloadBytesMax >= needed { return finding("max_payload", .ok, Amounts.bytes(payloadBytesMax)) }
        return finding(
            "max_payload", .warn,
            "\(Amounts.bytes(payloadBytesMax)): messages above it are archived but cannot be republished; Meshlog accepts up to \(Amounts.bytes(Limits.messageBytesMax)), which as JSON with its headers takes up to \(Amounts.bytes(needed)). Set max_payload to 8MB"
        )
    }
}
