/// When a webhook is sent again, and when no more.
///
/// - Source: Standard Webhooks 1.0.0: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
package struct WebhookSchedule: Sendable, Equatable {
    /// Milliseconds before each attempt; the first is made at once.
    package let delaysMs: [Int64]

    /// - Parameter delaysMs: at least one.
    package init(delaysMs: [Int64]) {
        precondition(!delaysMs.isEmpty, "there is a first attempt")
        self.delaysMs = delaysMs
    }

    package static let standard = WebhookSchedule(
        delaysMs: [0, 5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000])

    package var attemptsMax: Int { delaysMs.count }

    /// Milliseconds from the end of an attempt to the next one; nil when it was the last.
    ///
    /// Up to a tenth is added, so that what failed together is not repeated together. The tenth comes from the notification's position: the
    /// same log gives the same times.
    ///
    /// - Parameters:
    ///   - attempt: the one that failed, from 1.
    ///   - retryAfterMs: what the receiver asked for; counts when it is later, at most `Limits.webhookRetryAfterMsMax`.
    package func delayMs(after attempt: Int, of notification: Position, retryAfterMs: Int64? = nil) -> Int64? {
        guard attempt >= 1, attempt < delaysMs.count else { return nil }
        let delay = delaysMs[attempt]
        let share = delay / 10
        let jitter = share > 0 ? Int64(WebhookSchedule.mixed(notification, attempt) % UInt64(share + 1)) : 0
        return max(delay + jitter, min(retryAfterMs ?? 0, Limits.webhookRetryAfterMsMax))
    }

    /// - Source: SplitMix64's finalizer.
    private static func mixed(_ position: Position, _ attempt: Int) -> UInt64 {
        var value = position.ms &* 0x9E37_79B9_7F4A_7C15 &+ position.seq &* 0xD1B5_4A32_D192_ED03 &+ UInt64(truncatingIfNeeded: attempt)
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// What came of one request.
package enum WebhookAnswer: Sendable, Equatable {
    /// - Parameter retryAfterMs: what the answer's `Retry-After` asks for.
    case status(Int, retryAfterMs: Int64?)
    /// There was no answer; why.
    case failure(String)

    package var status: Int? { if case .status(let status, _) = self { status } else { nil } }

    /// Does the receiver ask to be left alone for a while?
    package var isThrottling: Bool { [429, 502, 503, 504].contains(status) }

    package var error: String {
        switch self {
        case .failure(let text): text
        case .status(let status, _) where (200..<300).contains(status): ""
        case .status(let status, _) where (300..<400).contains(status): "it answered \(status), and redirects are not followed"
        case .status(410, _): "it answered 410: nobody wants these any more"
        case .status(let status, _): "it answered \(status)"
        }
    }

    /// What becomes of the delivery.
    ///
    /// - Parameter nowMs: milliseconds since the epoch.
    package func ruling(_ schedule: WebhookSchedule, attempt: Int, of notification: Position, nowMs: Int64) -> WebhookAttempt.Result {
        var retryAfterMs: Int64?
        if case .status(let status, let asked) = self {
            if (200..<300).contains(status) { return .succeeded }
            if status == 410 { return .disabled }
            retryAfterMs = asked
        }
        guard let delay = schedule.delayMs(after: attempt, of: notification, retryAfterMs: retryAfterMs) else { return .givenUp }
        return .failed(nextMs: nowMs + delay)
    }
}
