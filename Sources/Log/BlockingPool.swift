internal import Foundation
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// A few threads, each with its own connection, that do blocking work for asynchronous callers.
///
/// - Bounds: `width` jobs run at once, `queueMax` wait; beyond, `run` throws `.overloaded`.
package final class BlockingPool<Resource>: Sendable {
    private typealias Job = @Sendable (Result<UnsafeTransfer, LogError>) -> Bool

    /// Carries the connection to a job on the same thread; it never crosses threads.
    private struct UnsafeTransfer: @unchecked Sendable {
        let resource: Resource
    }
    private struct State {
        var jobs: [Job] = []
        var closed = false
    }

    private let state = NIOLockedValueBox(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let name: String
    private let width: Int
    private let queueMax: Int
    private let isUsable: @Sendable (Resource) -> Bool
    private let connect: @Sendable () throws -> Resource

    /// - Parameters:
    ///   - isUsable: looks, without waiting, whether a connection that has rested still stands; asked before each job that would use it again.
    ///   - connect: makes a connection; called on a pool thread when one is needed.
    package init(
        name: String, width: Int, queueMax: Int = 1_000, isUsable: @escaping @Sendable (Resource) -> Bool = { _ in true },
        connect: @escaping @Sendable () throws -> Resource
    ) {
        self.name = name
        self.width = width
        self.queueMax = queueMax
        self.isUsable = isUsable
        self.connect = connect
    }

    /// Runs `body` with a connection on one of the threads.
    ///
    /// - Parameter body: a thrown error makes the pool drop that connection.
    /// - Throws: what `body` throws; `.unavailable` when no connection can be made; `.overloaded` when too many wait.
    package func run<R: Sendable>(_ body: @escaping @Sendable (Resource) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let job: Job = { connection in
                do {
                    continuation.resume(returning: try body(try connection.get().resource))
                    return true
                } catch {
                    continuation.resume(throwing: error)
                    return false
                }
            }
            let refused: LogError? = state.withLockedValue { state in
                if state.closed { return .unavailable("the process is shutting down") }
                if state.jobs.count >= queueMax { return .overloaded("\(state.jobs.count) requests wait for \(name)") }
                state.jobs.append(job)
                return nil
            }
            if let refused { continuation.resume(throwing: refused) } else { arrived.signal() }
        }
    }

    /// Serves until shutdown, then refuses what still waits.
    package func serve() async {
        await withDiscardingTaskGroup { group in
            for index in 0..<width {
                group.addTask { [self] in await WorkerThread.run("\(name)-\(index)") { [self] stop in work(stop) } }
            }
        }
        let left = state.withLockedValue { state in
            state.closed = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in left { _ = job(.failure(.unavailable("the process is shutting down"))) }
    }

    private func work(_ stop: StopSignal) {
        var resource: Resource?
        while true {
            let job: Job? = state.withLockedValue { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
            guard let job else {
                if stop.isRequested { return }
                _ = arrived.wait(timeout: .now() + .milliseconds(200))
                continue
            }
            if let rested = resource, !isUsable(rested) { resource = nil }
            do {
                let connection = try resource ?? connect()
                resource = connection
                // After a failed job the connection may be in any state: the next job gets a new one.
                if !job(.success(UnsafeTransfer(resource: connection))) { resource = nil }
            } catch {
                resource = nil
                _ = job(.failure((error as? LogError) ?? .unavailable("\(error)")))
            }
        }
    }
}
