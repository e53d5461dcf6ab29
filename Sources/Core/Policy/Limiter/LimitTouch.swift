/// A limit that a message came by: as it stands in a verdict, for its reader and for the limiter after a restart.
package struct LimitTouch: Sendable, Equatable {
    package let key: LimiterState.Key
    package let limit: RateLimit
    /// The state that was left behind; nil when the limit has none.
    package let arrival: GCRA.Arrival?
    /// Did the message take a place (at once or by waiting)?
    package let isTaken: Bool
    package let remaining: Int64
    /// µs from the verdict's time on.
    package let retryAfter: Int64
    package let reset: Int64

    package init(key: LimiterState.Key, limit: RateLimit, arrival: GCRA.Arrival?, isTaken: Bool, remaining: Int64, retryAfter: Int64, reset: Int64) {
        self.key = key
        self.limit = limit
        self.arrival = arrival
        self.isTaken = isTaken
        self.remaining = remaining
        self.retryAfter = retryAfter
        self.reset = reset
    }

    init(_ key: LimiterState.Key, _ limit: RateLimit, _ answer: GCRA.Answer) {
        self.init(
            key: key, limit: limit, arrival: answer.arrival, isTaken: answer.conforms, remaining: answer.remaining, retryAfter: answer.retryAfter,
            reset: answer.reset)
    }

    /// `{"rule", "key", "shadow"?, "rate", "period_ms", "burst", "taken", "tat": [µs, part, denominator]?, "remaining", "retry_after_us", "reset_us"}`
    package var json: [UInt8] {
        var object = JSONObject()
        object.add("rule", key.rule)
        object.add("key", key.key)
        if key.isShadow { object.add("shadow", true) }
        object.add("rate", Int(limit.rate))
        object.add("period_ms", Int(limit.periodMs))
        object.add("burst", Int(limit.burst))
        object.add("taken", isTaken)
        if let arrival {
            object.add("tat", numbers: [arrival.microseconds, arrival.part, arrival.denominator])
        }
        object.add("remaining", Int(remaining))
        object.add("retry_after_us", Int(retryAfter))
        object.add("reset_us", Int(reset))
        return object.finish()
    }

    /// Reads `json` back; nil when it is something else.
    package init?(_ node: JSONNode) {
        guard let rule = node["rule"]?.string, let key = node["key"]?.string, let limit = RateLimit(node), let taken = node["taken"]?.bool,
            let remaining = node["remaining"]?.integer, let retry = node["retry_after_us"]?.integer, let reset = node["reset_us"]?.integer
        else { return nil }
        var arrival: GCRA.Arrival?
        if let tat = node["tat"] {
            let numbers = tat.items.compactMap(\.integer)
            guard numbers.count == 3, let read = GCRA.Arrival(microseconds: numbers[0], part: numbers[1], denominator: numbers[2]) else { return nil }
            arrival = read
        }
        self.init(
            key: LimiterState.Key(rule: rule, key: key, isShadow: node["shadow"]?.bool ?? false), limit: limit, arrival: arrival, isTaken: taken,
            remaining: remaining, retryAfter: retry, reset: reset)
    }

    /// Reads a verdict's field `limits`; nil when it is malformed, none when it is empty.
    package static func list(_ text: some Collection<UInt8>) -> [LimitTouch]? {
        if text.isEmpty { return [] }
        guard let root = try? JSONDocument(Array(text)).root, root.kind == .array else { return nil }
        var out: [LimitTouch] = []
        for item in root.items {
            guard let touch = LimitTouch(item) else { return nil }
            out.append(touch)
        }
        return out
    }
}
