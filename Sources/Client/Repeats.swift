/// When to try again, and when to give up.
package struct Repeats: Sendable {
    private let giveUpAfter: Duration
    private var failures = 0
    private var waited = Duration.zero

    /// - Parameter giveUpAfter: time of waiting in a row without one success.
    package init(giveUpAfter: Duration) { self.giveUpAfter = giveUpAfter }

    package mutating func succeeded() {
        failures = 0
        waited = .zero
    }

    /// The next wait, or nil to give up: doubled from 100 ms to 5 s, never less than the server asks for (at most a minute), with up to a
    /// quarter more by `jitter` (0…1), so that clients do not all come back at once.
    package mutating func next(retryAfter: String? = nil, jitter: Double) -> Duration? {
        guard waited < giveUpAfter else { return nil }
        var wait = min(.milliseconds(100) * (1 << min(failures, 6)), .seconds(5))
        failures += 1
        if let seconds = retryAfter.flatMap({ Int($0) }), seconds > 0 { wait = max(wait, .seconds(min(seconds, 60))) }
        wait = wait * (1 + 0.25 * jitter)
        waited += wait
        return wait
    }
}
