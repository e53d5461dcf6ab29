internal import Foundation
internal import Synchronization

/// Asks a loop on a thread to end, and lets it sleep until then.
package final class StopSignal: Sendable {
    private let requested = Atomic(false)
    private let condition = NSCondition()

    package init() {}

    package var isRequested: Bool { requested.load(ordering: .acquiring) }

    package func request() {
        condition.lock()
        requested.store(true, ordering: .releasing)
        condition.broadcast()
        condition.unlock()
    }

    /// Sleeps for `duration` or until the stop; true when it is time to stop.
    @discardableResult
    package func wait(for duration: Duration) -> Bool {
        let (seconds, attoseconds) = duration.components
        let end = Date(timeIntervalSinceNow: Double(seconds) + Double(attoseconds) / 1e18)
        condition.lock()
        defer { condition.unlock() }
        while !isRequested, Date() < end { _ = condition.wait(until: end) }
        return isRequested
    }
}
