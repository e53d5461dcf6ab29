internal import Foundation

/// Runs blocking work on a thread of its own, so that it holds none of the pool's.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Waits on this thread until `condition` holds, at most `within`; whether it held. An error counts as "not yet".
package func waitUntil(within: Duration = .seconds(30), _ condition: () throws -> Bool) -> Bool {
    let deadline = ContinuousClock.now + within
    while true {
        if (try? condition()) == true { return true }
        if ContinuousClock.now >= deadline { return false }
        Thread.sleep(forTimeInterval: 0.01)
    }
}
