internal import Foundation

/// Runs blocking work on a thread of its own, so that it holds none of the pool's. What it expects counts for the test that called it.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await Task(executorPreference: OneThread()) { try body() }.value
}

/// Runs each job on a new thread; unlike a bare thread it takes the task's local values along, by which the test is known.
private final class OneThread: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        Thread.detachNewThread { job.runSynchronously(on: executor) }
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
