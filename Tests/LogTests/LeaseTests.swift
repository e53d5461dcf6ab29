import Core
import Log
import RedisDriver
import Synchronization
import TestSupport
import Testing

@Suite("Lease")
struct LeaseTests {
    private func lease(_ rig: LogRig, _ instance: String, ttl: Duration = .seconds(30)) -> Lease {
        Lease(name: "router", instance: instance, ttl: ttl, keys: rig.keys)
    }

    @Test("One holds it, the others learn who") func exclusive() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var (one, other) = (lease(rig, "one"), lease(rig, "other"))
            #expect(try one.renew(session) == .held(epoch: 1))
            #expect(try one.renew(session) == .held(epoch: 1))
            #expect(try other.renew(session) == .heldBy("1 one"))
            #expect(other.epoch == 0)
        }
    }

    @Test("Given up, it goes to the next at once, under a higher epoch; giving up twice takes nothing away") func release() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var (one, other) = (lease(rig, "one"), lease(rig, "other"))
            _ = try one.renew(session)
            var stale = one
            try one.release(session)
            #expect(try other.renew(session) == .held(epoch: 2))
            try one.release(session)
            try stale.release(session)
            #expect(try other.renew(session) == .held(epoch: 2))
            #expect(try one.renew(session) == .heldBy("2 other"))
        }
    }

    @Test("Silent for its time, the holder loses it and learns so") func takeover() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var (one, other) = (lease(rig, "one", ttl: .milliseconds(200)), lease(rig, "other"))
            _ = try one.renew(session)
            #expect(try other.renew(session) == .heldBy("1 one"))
            #expect(await eventually { try other.renew(session) == .held(epoch: 2) })
            #expect(try one.renew(session) == .heldBy("2 other"))
        }
    }

    @Test("The same process need not wait for itself, and gets a new epoch") func sameInstance() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var (before, after) = (lease(rig, "one"), lease(rig, "one"))
            #expect(try before.renew(session) == .held(epoch: 1))
            #expect(try after.renew(session) == .held(epoch: 2))
        }
    }

    @Test("An epoch that is known from elsewhere is passed, and never fallen back behind") func raising() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var (one, other) = (lease(rig, "one"), lease(rig, "other"))
            _ = try one.renew(session)
            try Lease.raiseEpoch("router", above: 41, keys: rig.keys, session)
            try Lease.raiseEpoch("router", above: 7, keys: rig.keys, session)
            #expect(try one.renew(session) == .held(epoch: 1), "who holds it goes on")
            try one.release(session)
            #expect(try other.renew(session) == .held(epoch: 42))
        }
    }

    @Test("Renewing keeps it beyond its time") func renewing() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var (one, other) = (lease(rig, "one", ttl: .milliseconds(3_000)), lease(rig, "other"))
            let end = ContinuousClock.now + .milliseconds(4_000)
            while ContinuousClock.now < end {
                guard case .held = try one.renew(session) else {
                    Issue.record("lost although renewed")
                    return
                }
                #expect(try other.renew(session) == .heldBy("1 one"))
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    @Test("Of several processes one works at a time; when it stops the next takes over", .timeLimit(.minutes(5))) func stageLoop() async throws {
        final class Watch: Sendable {
            let acting = Mutex<(now: Int, most: Int, epochs: [Int], who: [String])>((0, 0, [], []))
        }
        try await LogRig.with { rig in
            let watch = Watch()
            @Sendable func run(_ name: String, _ stop: StopSignal) async {
                let loop = StageLoop(name: "stage", instance: name, endpoint: rig.endpoint, keys: rig.keys, leaseTTL: .seconds(5))
                await withCheckedContinuation { done in
                    WorkerThread.start(name) {
                        loop.run(stop) { _, epoch, _ in
                            watch.acting.withLock {
                                $0.epochs.append(epoch)
                                $0.who.append(name)
                            }
                        } step: { _, _, _ in
                            watch.acting.withLock {
                                $0.now += 1
                                $0.most = max($0.most, $0.now)
                            }
                            _ = StopSignal().wait(for: .milliseconds(5))
                            watch.acting.withLock { $0.now -= 1 }
                        }
                        done.resume()
                    }
                }
            }
            let stops = (0..<3).map { _ in StopSignal() }
            await withTaskGroup(of: Void.self) { group in
                for (index, stop) in stops.enumerated() { group.addTask { await run("process-\(index)", stop) } }
                group.addTask {
                    for taken in 1...3 {
                        #expect(await eventually { watch.acting.withLock { $0.who.count } == taken })
                        let who = watch.acting.withLock { $0.who.last ?? "" }
                        if let index = Int(who.suffix(1)) { stops[index].request() }
                    }
                    for stop in stops { stop.request() }
                }
            }
            let seen = watch.acting.withLock { $0 }
            #expect(seen.most == 1)
            #expect(Set(seen.who).count == 3)
            #expect(seen.epochs == [1, 2, 3])
        }
    }

    @Test("A beginning that takes long ends with the stop: no step uses it, and the lease is given up", .timeLimit(.minutes(5))) func stoppedBeginning()
        async throws
    {
        try await LogRig.with { rig in
            let loop = StageLoop(name: "stage", instance: "one", endpoint: rig.endpoint, keys: rig.keys)
            let seen = Mutex((parts: 0, steps: 0))
            let stop = StopSignal()
            await withCheckedContinuation { done in
                WorkerThread.start("stage") {
                    loop.run(stop) { _, _, isGoing in
                        // The bound is for a loop that does not hear the stop.
                        for part in 1...1_000 {
                            guard isGoing() else { return }
                            seen.withLock { $0.parts = part }
                            if part == 3 { stop.request() }
                        }
                    } step: { _, _, _ in
                        seen.withLock { $0.steps += 1 }
                    }
                    done.resume()
                }
            }
            #expect(seen.withLock { $0.parts } == 3)
            #expect(seen.withLock { $0.steps } == 0)
            let leases = try rig.connect().run("EXISTS", [rig.keys.lease("stage")])
            #expect(leases == .integer(0))
        }
    }

    @Test("A step that fails is tried again on a new connection, with growing waits", .timeLimit(.minutes(5))) func failingStep() async throws {
        struct Broken: Error {}
        try await LogRig.with { rig in
            let loop = StageLoop(name: "stage", instance: "one", endpoint: rig.endpoint, keys: rig.keys)
            let begun = Mutex<[Int]>([])
            let stop = StopSignal()
            await withCheckedContinuation { done in
                WorkerThread.start("stage") {
                    loop.run(stop) { _, epoch, _ in
                        begun.withLock { $0.append(epoch) }
                    } step: { _, _, epoch in
                        if epoch < 4 { throw Broken() }
                        stop.request()
                    }
                    done.resume()
                }
            }
            #expect(begun.withLock { $0 } == [1, 2, 3, 4])
        }
    }
}
