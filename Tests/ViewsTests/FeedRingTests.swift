internal import Core
internal import Testing

@testable internal import Views

@Suite("Feed ring")
struct FeedRingTests {
    @Test("A follower inside gets what stands behind its cursor, in order, in bounded batches")
    func inside() {
        var ring = FeedRing(at: at(10), entriesMax: 100, bytesMax: 1 << 20)
        ring.append((11...20).map { entry($0) })
        #expect(taken(ring.batch(after: at(10), count: 100, bytesTarget: 1 << 20)) == Array(11...20))
        #expect(taken(ring.batch(after: at(14), count: 3, bytesTarget: 1 << 20)) == [15, 16, 17])
        #expect(taken(ring.batch(after: at(19), count: 3, bytesTarget: 1 << 20)) == [20])
        #expect(taken(ring.batch(after: at(10), count: 100, bytesTarget: 1)) == [11])
        #expect(taken(ring.batch(after: Position(ms: 14, seq: 7), count: 2, bytesTarget: 1 << 20)) == [15, 16])
    }

    @Test("Who has everything, or is ahead, has nothing to take")
    func upToDate() {
        var ring = FeedRing(at: at(10))
        #expect(isUpToDate(ring.batch(after: at(10), count: 1, bytesTarget: 1)))
        ring.append([entry(11)])
        #expect(isUpToDate(ring.batch(after: at(11), count: 1, bytesTarget: 1)))
        #expect(isUpToDate(ring.batch(after: at(99), count: 1, bytesTarget: 1)))
    }

    @Test("Who is before the oldest entry's forerunner is behind, who stands exactly on it is not")
    func behind() {
        var ring = FeedRing(at: at(10), entriesMax: 4, bytesMax: 1 << 20)
        ring.append((11...20).map { entry($0) })
        #expect(ring.count == 4)
        #expect(ring.floor == at(16))
        #expect(ring.head == at(20))
        #expect(isBehind(ring.batch(after: at(15), count: 9, bytesTarget: 1 << 20)))
        #expect(taken(ring.batch(after: at(16), count: 9, bytesTarget: 1 << 20)) == [17, 18, 19, 20])
    }

    @Test("The bound of bytes drops the oldest, but never the newest")
    func bytes() {
        var ring = FeedRing(at: at(0), entriesMax: 100, bytesMax: 5_000)
        ring.append((1...20).map { entry($0) })
        #expect(ring.bytes <= 5_000)
        #expect(ring.count > 1)
        ring.append([entry(21, payload: 50_000)])
        #expect(ring.count == 1)
        #expect(taken(ring.batch(after: at(20), count: 9, bytesTarget: 1)) == [21])
        #expect(isBehind(ring.batch(after: at(19), count: 9, bytesTarget: 1)))
    }

    @Test("After a restart nothing of before is there")
    func restart() {
        var ring = FeedRing(at: at(0))
        ring.append([entry(1), entry(2)])
        ring.restart(at: at(7))
        #expect(ring.count == 0)
        #expect(ring.bytes == 0)
        #expect(isBehind(ring.batch(after: at(2), count: 1, bytesTarget: 1)))
        #expect(isUpToDate(ring.batch(after: at(7), count: 1, bytesTarget: 1)))
        ring.append([entry(8)])
        #expect(taken(ring.batch(after: at(7), count: 1, bytesTarget: 1)) == [8])
    }

    @Test("However it is filled and pulled, a follower that is not behind misses nothing and sees nothing twice")
    func seeded() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Noise(state: seed)
        for _ in 0..<200 {
            var ring = FeedRing(at: at(0), entriesMax: Int.random(in: 1...50, using: &random), bytesMax: Int.random(in: 300...60_000, using: &random))
            var last: UInt64 = 0
            var cursor: UInt64 = 0
            for _ in 0..<100 {
                if Bool.random(using: &random) {
                    let more = UInt64.random(in: 1...9, using: &random)
                    ring.append((last + 1...last + more).map { entry($0, payload: Int.random(in: 0...2_000, using: &random)) })
                    last += more
                } else {
                    switch ring.batch(after: at(cursor), count: Int.random(in: 1...20, using: &random), bytesTarget: Int.random(in: 1...9_000, using: &random))
                    {
                    case .upToDate: #expect(cursor == last, "seed \(seed)")
                    case .behind:
                        #expect(at(cursor) < ring.floor, "seed \(seed)")
                        cursor = ring.floor.ms
                    case .entries(let entries):
                        #expect(entries.map(\.position.ms) == Array(cursor + 1...cursor + UInt64(entries.count)), "seed \(seed)")
                        cursor += UInt64(entries.count)
                    }
                }
            }
        }
    }

    private func at(_ ms: UInt64) -> Position { Position(ms: ms, seq: 0) }

    private func entry(_ ms: UInt64, payload: Int = 10) -> FeedEntry {
        FeedEntry(message(topic: "a", data: "\"" + String(repeating: "x", count: payload) + "\""), at: at(ms), outcome: .deliver)
    }

    private func taken(_ batch: FeedRing.Batch) -> [UInt64]? {
        if case .entries(let entries) = batch { entries.map(\.position.ms) } else { nil }
    }
    private func isBehind(_ batch: FeedRing.Batch) -> Bool { if case .behind = batch { true } else { false } }
    private func isUpToDate(_ batch: FeedRing.Batch) -> Bool { if case .upToDate = batch { true } else { false } }
}
