/// Values of the headers `RateLimit-Policy`, `RateLimit` and `Retry-After`.
///
/// - Source: draft-ietf-httpapi-ratelimit-headers (structured fields, RFC 9651): `"name";q=100;w=60` and `"name";r=50;t=30`; seconds are
///   rounded up, so that who waits for them is not refused again.
package enum RateLimitHeaders {
    /// `"rule";q=100;w=60, …`; the quota of a limit that is no whole number of seconds is told for the seconds it takes.
    package static func policy(_ touches: [LimitTouch]) -> String {
        own(touches).map { touch in
            let seconds = seconds(touch.limit.periodMs * 1_000)
            let quota = touch.limit.rate.multipliedReportingOverflow(by: seconds * 1_000)
            let shown = quota.overflow ? touch.limit.rate : quota.partialValue / touch.limit.periodMs
            return "\(name(touch.key.rule));q=\(shown);w=\(seconds)"
        }.joined(separator: ", ")
    }

    /// `"rule";r=50;t=30, …`: how many are left, and when the limit is whole again; of an exceeded one, when the next message passes.
    package static func remaining(_ touches: [LimitTouch]) -> String {
        own(touches).map { touch in
            "\(name(touch.key.rule));r=\(touch.remaining);t=\(seconds(touch.retryAfter > 0 ? touch.retryAfter : touch.reset))"
        }.joined(separator: ", ")
    }

    /// Seconds until all exceeded limits let a message pass; nil when none is exceeded.
    package static func retryAfter(_ touches: [LimitTouch]) -> Int64? {
        own(touches).map(\.retryAfter).max().flatMap { $0 > 0 ? seconds($0) : nil }
    }

    /// What shadow constraints would do concerns no client.
    private static func own(_ touches: [LimitTouch]) -> [LimitTouch] { touches.filter { !$0.key.isShadow } }

    static func seconds(_ microseconds: Int64) -> Int64 { (max(0, microseconds) + 999_999) / 1_000_000 }

    /// A structured field's string: printable ASCII, with quotes and backslashes escaped.
    private static func name(_ rule: String) -> String {
        var out = "\""
        for scalar in rule.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { out.append("\\") }
            out.unicodeScalars.append(scalar.value >= 0x20 && scalar.value < 0x7F ? scalar : "?")
        }
        return out + "\""
    }
}
