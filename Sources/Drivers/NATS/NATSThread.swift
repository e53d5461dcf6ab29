import Foundation

/// One thread that runs the jobs of the actors which name it as their executor, so that nats.c's blocking calls never hold a thread of the
/// cooperative pool.
package final class NATSThread: SerialExecutor, Sendable {
    private let queue: JobQueue

    package init(name: String) {
        let queue = JobQueue()
        self.queue = queue
        let thread = Thread { queue.run() }
        thread.name = name
        thread.start()
    }

    deinit {
        queue.stop()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        queue.add(UnownedJob(job), for: self)
    }
}

/// Jobs in order of arrival. Unbounded by itself: its length is the number of callers, who each wait for their own.
private final class JobQueue: @unchecked Sendable {
    // `condition` guards both.
    private let condition = NSCondition()
    private var jobs: [(job: UnownedJob, executor: NATSThread)] = []
    private var stopped = false

    func add(_ job: UnownedJob, for executor: NATSThread) {
        condition.lock()
        jobs.append((job, executor))
        condition.signal()
        condition.unlock()
    }

    func stop() {
        condition.lock()
        stopped = true
        condition.signal()
        condition.unlock()
    }

    func run() {
        while let batch = nextBatch() {
            for (job, executor) in batch { job.runSynchronously(on: executor.asUnownedSerialExecutor()) }
        }
    }

    private func nextBatch() -> [(job: UnownedJob, executor: NATSThread)]? {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty && !stopped { condition.wait() }
        if jobs.isEmpty { return nil }
        defer { jobs.removeAll() }
        return jobs
    }
}
