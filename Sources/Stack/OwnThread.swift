internal import Foundation

/// Runs blocking work on a thread of its own, so that it never holds one of the cooperative pool.
enum OwnThread {
    /// - Cost: one thread, about 50 µs. For work that waits on processes and disks.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws(StackError) -> Value) async throws(StackError) -> Value {
        let result: Result<Value, StackError> = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do throws(StackError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Asks `condition` every few milliseconds until it holds or `within` has passed; whether it held. Blocks.
    static func wait(within: Duration, until condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + within
        while true {
            if condition() { return true }
            if ContinuousClock.now >= deadline { return false }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }
}
