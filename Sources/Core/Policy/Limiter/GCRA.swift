/// The generic cell rate algorithm: so many messages in a period, and so many of them at once, kept in one number.
///
/// The number is the theoretical arrival time (TAT): when the next message would come if all came evenly. Times are µs of the log; the
/// interval between two messages (period / rate) is kept as a fraction, so nothing is ever rounded.
/// - Source: ITU-T I.371, Annex A; the same conforming messages as a bucket of `burst` tokens refilled at `rate` per period.
package struct GCRA: Sendable, Equatable {
    package let limit: RateLimit

    package init(_ limit: RateLimit) { self.limit = limit }

    /// A TAT: µs, and what goes beyond them in parts of `denominator`.
    package struct Arrival: Sendable, Hashable {
        package let microseconds: Int64
        /// 0 ..< `denominator`.
        package let part: Int64
        /// The rate of the limit that wrote it.
        package let denominator: Int64

        package init?(microseconds: Int64, part: Int64, denominator: Int64) {
            guard denominator >= 1, part >= 0, part < denominator else { return nil }
            self.microseconds = microseconds
            self.part = part
            self.denominator = denominator
        }

        fileprivate init(scaled: Int128, rate: Int64) {
            let (quotient, rest) = scaled.quotientAndRemainder(dividingBy: Int128(rate))
            microseconds = Int64(clamping: rest < 0 ? quotient - 1 : quotient)
            part = Int64(rest < 0 ? rest + Int128(rate) : rest)
            denominator = rate
        }

        /// In parts of 1/rate µs. One that another rate wrote is rounded up to whole µs: never more generous.
        fileprivate func scaled(_ rate: Int64) -> Int128 {
            if denominator == rate { return Int128(microseconds) * Int128(rate) + Int128(part) }
            return (Int128(microseconds) + (part > 0 ? 1 : 0)) * Int128(rate)
        }

        /// Whether the limit has its whole burst again at `now`: as good as never used.
        package func isIdle(at now: Int64) -> Bool { microseconds < now || (microseconds == now && part == 0) }
    }

    /// What the limit says about one message.
    package struct Answer: Sendable, Equatable {
        package let conforms: Bool
        /// The state afterwards; unchanged when the message does not conform. nil: never used.
        package let arrival: Arrival?
        /// How many more would conform at this moment.
        package let remaining: Int64
        /// µs until a message conforms; 0 when one does.
        package let retryAfter: Int64
        /// µs until the whole burst is there again.
        package let reset: Int64
    }

    /// One message at `now` (µs).
    package func answer(_ state: Arrival?, at now: Int64) -> Answer {
        let rate = Int128(limit.rate)
        // In units of 1/rate µs the interval is the period: a whole number.
        let interval = Int128(limit.periodMs) * 1_000
        let room = interval * Int128(limit.burst)
        let time = Int128(now) * rate
        let arrival = max(state?.scaled(limit.rate) ?? time, time)
        let next = arrival + interval
        guard next - time <= room else {
            return Answer(
                conforms: false, arrival: state, remaining: 0, retryAfter: Self.up(next - room - time, rate), reset: Self.up(arrival - time, rate))
        }
        return Answer(
            conforms: true, arrival: Arrival(scaled: next, rate: limit.rate), remaining: Int64(clamping: (room - (next - time)) / interval), retryAfter: 0,
            reset: Self.up(next - time, rate))
    }

    /// One message at `now` that may wait: the state with its place taken, as if it came when it conforms.
    package func reserve(_ state: Arrival?, at now: Int64) -> Arrival {
        let time = Int128(now) * Int128(limit.rate)
        return Arrival(scaled: max(state?.scaled(limit.rate) ?? time, time) + Int128(limit.periodMs) * 1_000, rate: limit.rate)
    }

    private static func up(_ value: Int128, _ rate: Int128) -> Int64 { Int64(clamping: (value + rate - 1) / rate) }
}
