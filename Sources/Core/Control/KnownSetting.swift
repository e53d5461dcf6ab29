/// The values of the configuration that Meshlog itself acts on. Others may be set freely: they are the users' own.
package enum KnownSetting: String, Sendable, CaseIterable {
    case messageBytesMax = "max_message_bytes"
    case dedupeWindow = "dedupe_window_ms"
    case retentionAge = "retention_age_ms"
    case retentionEntries = "retention_entries"
    case archiveBatch = "archive_batch_max"
    case archiveInterval = "archive_interval_ms"
    case feedHistory = "feed_history_entries"
    case rateLimit = "rate_limit_default"
    case policyOnError = "policy_on_error"

    /// Where it may be set. What concerns the log as a whole has one value.
    package var levels: [ConfigLevel] {
        switch self {
        case .messageBytesMax, .dedupeWindow, .rateLimit, .policyOnError: ConfigLevel.allCases
        case .retentionAge, .retentionEntries, .archiveBatch, .archiveInterval, .feedHistory: [.global]
        }
    }

    /// Bounds of a whole number; nil for `rateLimit`, which is an object, and `policyOnError`, which is a word.
    package var range: ClosedRange<Int64>? {
        switch self {
        case .messageBytesMax: 1...Int64(Limits.messageBytesMax)
        case .dedupeWindow: 1_000...2_592_000_000
        case .retentionAge: 60_000...315_360_000_000
        case .retentionEntries: 1_000...1_000_000_000
        case .archiveBatch: 1...16_384
        case .archiveInterval: 0...60_000
        case .feedHistory: 16...Int64(Limits.feedRingEntriesMax)
        case .rateLimit, .policyOnError: nil
        }
    }

    package var purpose: String {
        switch self {
        case .messageBytesMax: "largest message, in bytes, envelope included"
        case .dedupeWindow: "how long a client's id is remembered, in ms"
        case .retentionAge: "how long messages stay in the log, in ms"
        case .retentionEntries: "how many messages stay in the log"
        case .archiveBatch: "rows of one COPY into the archive"
        case .archiveInterval: "how long the archive gathers before it writes, in ms"
        case .feedHistory: "entries that the live feed holds ready in memory"
        case .rateLimit: "messages a sender may publish, over which they are blocked: {\"rate\": n, \"period_ms\": ms, \"burst\": n}"
        case .policyOnError: "what becomes of a message when a rule cannot be evaluated: \"block\" or \"deliver\""
        }
    }

    /// What is wrong with a value; nil when it is right.
    package func fault(_ value: JSONNode) -> String? {
        if self == .policyOnError { return PolicyOnError(rawValue: value.string ?? "") == nil ? "\"block\" or \"deliver\" is expected (\(purpose))" : nil }
        guard let range else {
            return RateLimit(value) == nil ? "an object such as {\"rate\": 100, \"period_ms\": 1000, \"burst\": 20} is expected, whole numbers from 1 on" : nil
        }
        guard let number = value.integer else { return "a whole number from \(range.lowerBound) to \(range.upperBound) is expected (\(purpose))" }
        return range.contains(number) ? nil : "\(number) is out of range: \(range.lowerBound) to \(range.upperBound) (\(purpose))"
    }
}

/// What becomes of a message when a rule cannot be evaluated.
package enum PolicyOnError: String, Sendable, CaseIterable {
    /// Fail-closed, the default: the message is blocked by that rule.
    case block
    /// Fail-open: the rule is passed over, which the verdict says.
    case deliver
}

/// So many messages in a period, and how many of them may come at once.
package struct RateLimit: Sendable, Equatable {
    package let rate: Int64
    package let periodMs: Int64
    package let burst: Int64

    package init?(_ value: JSONNode) {
        guard value.kind == .object, let rate = value["rate"]?.integer, let period = value["period_ms"]?.integer, rate >= 1, period >= 1,
            rate <= 1_000_000_000, period <= 86_400_000
        else { return nil }
        let burst = value["burst"].map { $0.integer ?? 0 } ?? rate
        guard burst >= 1, burst <= 1_000_000_000 else { return nil }
        self.rate = rate
        periodMs = period
        self.burst = burst
    }

    /// nil when a number is out of the bounds above.
    package init?(rate: Int64, periodMs: Int64, burst: Int64) {
        guard (1...1_000_000_000).contains(rate), (1...86_400_000).contains(periodMs), (1...1_000_000_000).contains(burst) else { return nil }
        self.rate = rate
        self.periodMs = periodMs
        self.burst = burst
    }

    /// Milliseconds after which a message is forgotten, whatever came with it: the time in which a spent burst is there again.
    package var windowMs: Int64 { (periodMs * burst + rate - 1) / rate + 1 }
}
