import Core
import Log
import RedisDriver
import Stack
import Synchronization
import TestSupport
import Testing

@Suite("Waiting for verdicts")
struct VerdictWaiterTests {
    /// Runs `body` with a waiter that serves, and stops it on both paths.
    private func with<Value>(
        _ rig: LogRig, metrics: Metrics = Metrics(), isolation: isolated (any Actor)? = #isolation, _ body: (VerdictWaiter) async throws -> Value
    ) async throws -> Value {
        let waiter = VerdictWaiter(endpoint: rig.endpoint, keys: rig.keys, metrics: metrics)
        let service = Task { await waiter.run() }
        do {
            let value = try await body(waiter)
            service.cancel()
            await service.value
            return value
        } catch {
            service.cancel()
            await service.value
            throw error
        }
    }

    @Test("A verdict that is there and one that comes later are told, each to who waits for it") func told() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let positions = try (0..<600).map { _ in try rig.add(to: session) }
            for position in positions.prefix(300) { try rig.decide(position, to: session) }
            try await with(rig) { waiter in
                let answers = Mutex<[Position: [VerdictEntry?]]>([:])
                for position in positions.shuffled() {
                    waiter.wait(for: position, within: .seconds(60)) { answer in answers.withLock { $0[position, default: []].append(answer) } }
                }
                #expect(await eventually { answers.withLock { $0.count } >= 300 })
                for position in positions.dropFirst(300) { try rig.decide(position, to: session) }
                #expect(await eventually { answers.withLock { $0.count } == 600 })
                #expect(answers.withLock { $0.values.allSatisfy { $0.count == 1 && $0[0]?.outcome == .deliver } })
                let again = await waiter.verdict(at: positions[0], within: .seconds(60))
                #expect(again?.rule == "default")
            }
        }
    }

    @Test("Without a verdict the time is kept; one that can never come is told at once") func time() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let buried = try rig.add(to: session)
            let decided = try rig.add(to: session)
            try rig.decide(decided, to: session)
            let open = try rig.add(to: session)
            try await with(rig) { waiter in
                let start = ContinuousClock.now
                #expect(await waiter.verdict(at: open, within: .milliseconds(300)) == nil)
                #expect(ContinuousClock.now - start >= .milliseconds(300))
                let again = ContinuousClock.now
                #expect(await waiter.verdict(at: buried, within: .seconds(120)) == nil)
                #expect(ContinuousClock.now - again < .seconds(60))
            }
        }
    }

    @Test("Only so many wait; who comes beyond is answered at once, and there is room again afterwards") func bound() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let position = try rig.add(to: session)
            let metrics = Metrics()
            try await with(rig, metrics: metrics) { waiter in
                let answers = Mutex<[Bool]>([])
                for _ in 0..<Limits.verdictWaitersMax {
                    waiter.wait(for: position, within: .seconds(120)) { answer in answers.withLock { $0.append(answer != nil) } }
                }
                #expect(answers.withLock { $0.isEmpty })
                #expect(await waiter.verdict(at: position, within: .seconds(120)) == nil)
                try rig.decide(position, to: session)
                #expect(await eventually { answers.withLock { $0.count } == Limits.verdictWaitersMax })
                #expect(answers.withLock { $0.allSatisfy { $0 } })
                #expect(await waiter.verdict(at: position, within: .seconds(120)) != nil)
                #expect(metrics.render().contains("meshlog_verdict_waiters 0"))
            }
        }
    }

    @Test("At shutdown who waits is answered without a verdict, and who comes later too") func shutdown() async throws {
        try await LogRig.with { rig in
            let position = try rig.add(to: rig.connect())
            let waiter = VerdictWaiter(endpoint: rig.endpoint, keys: rig.keys, metrics: Metrics())
            let service = Task { await waiter.run() }
            let answered = Mutex(0)
            for _ in 0..<3 { waiter.wait(for: position, within: .seconds(600)) { answer in answered.withLock { $0 += answer == nil ? 1 : 0 } } }
            service.cancel()
            await service.value
            #expect(answered.withLock { $0 } == 3)
            #expect(await waiter.verdict(at: position, within: .seconds(600)) == nil)
        }
    }

    @Test("When Redis goes away the time is kept; who has time left gets the verdict when it is back", .timeLimit(.minutes(5))) func loss() async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            let stack = try await EmbeddedStack.start(configuration, logger: quietLogger)
            try await LogRig.with(redis: stack.redis) { rig in
                let (first, second) = (try rig.add(to: rig.connect()), try rig.add(to: rig.connect()))
                try await with(rig) { waiter in
                    let late = Mutex<VerdictEntry??>(nil)
                    waiter.wait(for: second, within: .seconds(100)) { answer in late.withLock { $0 = .some(answer) } }
                    await stack.redis.kill9()
                    #expect(await waiter.verdict(at: first, within: .milliseconds(500)) == nil)
                    #expect(late.withLock { $0 } == nil)
                    try await stack.redis.restart()
                    try rig.decide(second, to: rig.connect())
                    #expect(await eventually(within: .seconds(30)) { late.withLock { $0 } != nil })
                    #expect(late.withLock { $0 }??.outcome == .deliver)
                }
            }
            await stack.stop()
        }
    }
}
