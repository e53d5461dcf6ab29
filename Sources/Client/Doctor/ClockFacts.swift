/// How far the clocks of two machines are apart.
package struct ClockFacts: Sendable {
    package let server: String
    /// The server's clock minus this one's, in milliseconds.
    package let skewMilliseconds: Int
    /// How exactly it is known: half of the round trip.
    package let errorMilliseconds: Int

    /// - Parameters: microseconds since the epoch here before and after the question, and there in between.
    package init(server: String, before: Int64, there: Int64, after: Int64) {
        self.server = server
        skewMilliseconds = Int((there - (before + after) / 2) / 1000)
        errorMilliseconds = Int((after - before) / 2000)
    }

    package var finding: Finding {
        let apart = max(0, abs(skewMilliseconds) - errorMilliseconds)
        let said = "\(server) is \(abs(skewMilliseconds)) ms \(skewMilliseconds < 0 ? "behind" : "ahead of") this host (± \(errorMilliseconds) ms)"
        if apart <= 500 { return Finding("clock", server, .ok, said) }
        return Finding(
            "clock", server, apart > 60_000 ? .fail : .warn,
            "\(said): positions carry the time of Redis, so ages, time ranges and retention are off by as much. Run NTP (chrony) on both")
    }
}
