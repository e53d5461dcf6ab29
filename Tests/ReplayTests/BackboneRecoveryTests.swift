internal import Replay
internal import Testing

@Suite("Batch recovery")
struct BackboneRecoveryTests {
    private let found = ["a": BatchRecovery.Place(stream: "M", sequence: 1), "b": BatchRecovery.Place(stream: "M", sequence: 2)]

    @Test("A new process reads the tail before it sends anything, and sends only what is not there")
    func start() {
        var recovery = BatchRecovery()
        #expect(recovery.next(["a", "b", "c"]) == .readTail)
        recovery.learn(found)
        #expect(recovery.next(["a", "b", "c"]) == .send([2]))
        let answers = recovery.finish(["a", "b", "c"], sent: [2], [.stored(stream: "M", sequence: 3, duplicate: false)])
        #expect(
            answers == [
                .stored(stream: "M", sequence: 1, duplicate: true), .stored(stream: "M", sequence: 2, duplicate: true),
                .stored(stream: "M", sequence: 3, duplicate: false),
            ])
        #expect(recovery.next(["d"]) == .send([0]))
    }

    @Test("A restarted process that cuts its batches smaller still recognises all that was stored")
    func smallerBatches() {
        var recovery = BatchRecovery()
        recovery.learn(found)
        #expect(recovery.next(["a"]) == .send([]))
        #expect(recovery.finish(["a"], sent: [], []) == [.stored(stream: "M", sequence: 1, duplicate: true)])
        #expect(recovery.next(["b"]) == .send([]))
        #expect(recovery.finish(["b"], sent: [], []) == [.stored(stream: "M", sequence: 2, duplicate: true)])
        #expect(recovery.next(["c"]) == .send([0]))
    }

    @Test("A loss in the middle of a batch leads back to the tail, and what was answered before is neither sent nor asked again")
    func loss() {
        var recovery = BatchRecovery()
        recovery.learn([:])
        let ids = ["a", "b", "core", "refused", "e"]
        let lost = BackboneReceipt.failed(reason: "lost", retryable: true)
        let refused = BackboneReceipt.failed(reason: "too large", retryable: false)
        #expect(recovery.next(ids) == .send([0, 1, 2, 3, 4]))
        let first = recovery.finish(ids, sent: [0, 1, 2, 3, 4], [.stored(stream: "M", sequence: 1, duplicate: false), lost, .core, refused, lost])
        #expect(first == [.stored(stream: "M", sequence: 1, duplicate: false), lost, .core, refused, lost])
        #expect(recovery.next(ids) == .readTail)
        recovery.learn(found)
        #expect(recovery.next(ids) == .send([4]))
        let second = recovery.finish(ids, sent: [4], [.stored(stream: "M", sequence: 3, duplicate: false)])
        #expect(
            second == [
                .stored(stream: "M", sequence: 1, duplicate: false), .stored(stream: "M", sequence: 2, duplicate: true), .core, refused,
                .stored(stream: "M", sequence: 3, duplicate: false),
            ])
        #expect(recovery.next(["f"]) == .send([0]))
    }

    @Test("A batch that was sent and not recorded is looked for before it is sent again")
    func unrecorded() {
        var recovery = BatchRecovery()
        recovery.learn([:])
        _ = recovery.finish(
            ["a", "b"], sent: [0, 1], [.stored(stream: "M", sequence: 1, duplicate: false), .stored(stream: "M", sequence: 2, duplicate: false)])
        recovery.doubt()
        #expect(recovery.next(["a", "b", "c"]) == .readTail)
        recovery.learn(["a": .init(stream: "M", sequence: 1), "b": .init(stream: "M", sequence: 2)])
        #expect(recovery.next(["a", "b", "c"]) == .send([2]))
    }

    @Test("Refusals for good leave no doubt")
    func refusal() {
        var recovery = BatchRecovery()
        recovery.learn([:])
        _ = recovery.finish(["a"], sent: [0], [.failed(reason: "too large", retryable: false)])
        #expect(recovery.next(["b"]) == .send([0]))
    }
}
