import Foundation
import Log
import Synchronization
import TestSupport
import Testing

@Suite("Blocking pool")
struct BlockingPoolTests {
    /// Counts the connections of a pool, each of which is its number.
    private final class Connections: Sendable {
        let made = Mutex(0)
        let stale = Mutex<Set<Int>>([])

        func pool(width: Int = 1, queueMax: Int = 10) -> BlockingPool<Int> {
            BlockingPool(
                name: "test", width: width, queueMax: queueMax, isUsable: { [self] number in stale.withLock { !$0.contains(number) } }
            ) { [self] in
                made.withLock {
                    $0 += 1
                    return $0
                }
            }
        }
    }

    private struct Broken: Error {}

    /// The number of the connection that a job gets.
    private func number(_ pool: BlockingPool<Int>) async throws -> Int { try await pool.run { $0 } }

    private func serving(_ pool: BlockingPool<Int>, _ body: () async throws -> Void) async throws {
        try await whileRunning({ await pool.serve() }, body)
    }

    @Test("A connection is used again, until a job fails on it or it has gone stale while it rested") func connections() async throws {
        let connections = Connections()
        let pool = connections.pool()
        try await serving(pool) {
            var seen = [try await number(pool), try await number(pool)]
            await #expect(throws: Broken.self) { try await pool.run { _ in throw Broken() } }
            seen.append(try await number(pool))
            connections.stale.withLock { _ = $0.insert(2) }
            seen.append(try await number(pool))
            #expect(seen == [1, 1, 2, 3])
        }
    }

    @Test("What cannot be connected is answered so, and the next job tries again") func noConnection() async throws {
        let isDown = Mutex(true)
        let pool = BlockingPool<Int>(name: "test", width: 1) {
            if isDown.withLock({ $0 }) { throw Broken() }
            return 1
        }
        try await serving(pool) {
            await #expect(throws: LogError.self) { try await pool.run { $0 } }
            isDown.withLock { $0 = false }
            let number = try await number(pool)
            #expect(number == 1)
        }
    }

    @Test("As many jobs run as there are threads, as many wait as may, and the others are refused at once") func bounds() async throws {
        let (width, queueMax, more) = (2, 3, 10)
        let pool = Connections().pool(width: width, queueMax: queueMax)
        let gate = DispatchSemaphore(value: 0)
        let counts = Mutex((running: 0, most: 0, done: 0, refused: 0))
        try await serving(pool) {
            await withTaskGroup(of: Void.self) { group in
                let job: @Sendable () async -> Void = {
                    do {
                        try await pool.run { _ in
                            counts.withLock {
                                $0.running += 1
                                $0.most = max($0.most, $0.running)
                            }
                            gate.wait()
                            counts.withLock { $0.running -= 1 }
                        }
                        counts.withLock { $0.done += 1 }
                    } catch LogError.overloaded {
                        counts.withLock { $0.refused += 1 }
                    } catch {
                        Issue.record("\(error)")
                    }
                }
                for _ in 0..<width { group.addTask(operation: job) }
                #expect(await eventually { counts.withLock { $0.running } == width })
                for _ in 0..<more { group.addTask(operation: job) }
                #expect(await eventually { counts.withLock { $0.refused } == more - queueMax })
                for _ in 0..<(width + queueMax) { gate.signal() }
            }
            let seen = counts.withLock { $0 }
            #expect(seen.most == width && seen.done == width + queueMax && seen.refused == more - queueMax, "\(seen)")
        }
    }

    @Test("What runs at the end is waited for; after it nothing is taken in") func shutdown() async throws {
        let pool = Connections().pool()
        let gate = DispatchSemaphore(value: 0)
        let hasBegun = Mutex(false)
        let service = Task { await pool.serve() }
        async let job = pool.run { number in
            hasBegun.withLock { $0 = true }
            gate.wait()
            return number
        }
        #expect(await eventually { hasBegun.withLock { $0 } })
        service.cancel()
        gate.signal()
        let number = try await job
        #expect(number == 1)
        await service.value
        await #expect(throws: LogError.self) { try await pool.run { $0 } }
    }
}
