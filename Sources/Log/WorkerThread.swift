internal import Foundation
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// A named thread for blocking work: C clients never run on the cooperative pool.
package enum WorkerThread {
    /// Runs `body` on its own thread and returns when it has ended; shutdown and cancellation raise the signal.
    package static func run(_ name: String, _ body: @escaping @Sendable (StopSignal) -> Void) async {
        let stop = StopSignal()
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                    start(name) {
                        body(stop)
                        done.resume()
                    }
                }
            } onGracefulShutdown: {
                stop.request()
            }
        } onCancel: {
            stop.request()
        }
    }

    /// Waits on a worker thread for asynchronous work that runs elsewhere. Never call it on the cooperative pool.
    package static func wait<R: Sendable>(for body: @escaping @Sendable () async -> R) -> R {
        let done = DispatchSemaphore(value: 0)
        let result = NIOLockedValueBox<R?>(nil)
        Task {
            let value = await body()
            result.withLockedValue { $0 = value }
            done.signal()
        }
        done.wait()
        guard let value = result.withLockedValue({ $0 }) else { preconditionFailure("the result is set before the signal") }
        return value
    }

    /// Starts a thread that ends by itself.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // Within the thread: only there the name reaches the system, and tools such as perf and top. The kernel refuses a longer one.
            Thread.current.name = String(name.prefix(15))
            body()
        }
        // As the main thread has; pages are taken when they are touched. `Limits.evaluationDepthMax` counts on it.
        thread.stackSize = 8 << 20
        thread.start()
    }
}

/// Waits that grow with each failure in a row.
package struct Backoff {
    private var failures = 0
    private let first: Duration
    private let most: Duration

    package init(first: Duration = .milliseconds(50), most: Duration = .seconds(2)) {
        self.first = first
        self.most = most
    }

    package mutating func reset() { failures = 0 }

    /// The next wait: doubled each time up to `most`.
    package mutating func next() -> Duration {
        defer { failures = min(failures + 1, 16) }
        return min(first * (1 << failures), most)
    }
}
