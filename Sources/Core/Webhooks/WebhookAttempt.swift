/// One attempt to deliver a notification to a webhook, or why none was made; an entry of `notifications`.
package struct WebhookAttempt: Sendable, Equatable {
    package static let event = "webhook.attempted"

    package enum Result: Sendable, Equatable {
        case succeeded
        /// It is tried again then: milliseconds since the epoch.
        case failed(nextMs: Int64)
        /// It was the last attempt of the schedule.
        case givenUp
        /// 410: the webhook was disabled.
        case disabled
        /// No attempt was made: the webhook is disabled or gone, or has too much waiting.
        case skipped

        package var word: String {
            switch self {
            case .succeeded: "succeeded"
            case .failed: "failed"
            case .givenUp: "given_up"
            case .disabled: "disabled"
            case .skipped: "skipped"
            }
        }

        package static let words = ["succeeded", "failed", "given_up", "disabled", "skipped"]

        package var nextMs: Int64? { if case .failed(let next) = self { next } else { nil } }
    }

    package var webhook: String
    /// Version of the webhook that was used; nil when there is none any more.
    package var revision: Position?
    package var notification: Position
    /// Of the notification: `validation.failed`.
    package var type: String
    /// From 1; 0 when none was made.
    package var attempt: Int
    package var result: Result
    /// Of HTTP; nil when there was no answer.
    package var status: Int?
    package var error: String
    package var durationMs: Int64

    package init(
        webhook: String, revision: Position?, notification: Position, type: String, attempt: Int, result: Result, status: Int? = nil, error: String = "",
        durationMs: Int64 = 0
    ) {
        self.webhook = webhook
        self.revision = revision
        self.notification = notification
        self.type = type
        self.attempt = attempt
        self.result = result
        self.status = status
        self.error = error
        self.durationMs = durationMs
    }

    /// The value of `webhook-id`: the same for every attempt, so that a receiver recognises a repeat. No '.', as the signed content asks.
    package static func messageID(_ notification: Position, webhook: String) -> String { "\(notification)_\(webhook)" }

    package static let fieldNames: [StaticString] = [
        "event", "v", "webhook_id", "revision", "notification", "type", "message_id", "attempt", "result", "status", "error", "duration_ms", "next_ts",
    ]

    /// In the order of `fieldNames`.
    package var fieldValues: [[UInt8]] {
        [
            WebhookAttempt.event, "1", webhook, revision?.description ?? "", notification.description, type,
            WebhookAttempt.messageID(notification, webhook: webhook), String(attempt), result.word, status.map { String($0) } ?? "",
            String(error.prefix(Limits.webhookErrorCharactersMax)), String(durationMs), result.nextMs.map { String($0 * 1000) } ?? "",
        ].map { Array($0.utf8) }
    }
}
