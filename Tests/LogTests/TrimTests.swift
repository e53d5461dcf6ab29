import Core
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("Trimming")
struct TrimTests {
    /// What is true of a log beside Redis: the model.
    private struct Model {
        var messages: [Position] = []
        var verdicts: [Position] = []
        var routerRead = Position.zero
        var unacknowledged: Set<Position> = []
        var archive = Position.zero
        var republish = Position.zero
        /// The last verdict in what is written down of the limits.
        var limits = Position.zero

        /// Messages and verdicts that some group has not passed, or that limits need.
        func needed(_ position: Position, in stream: StreamName) -> Bool {
            let byRouter = stream == .messages && (position > routerRead || unacknowledged.contains(position))
            let byLimits = verdicts.first { $0 > limits }.map { position >= $0 } ?? false
            return byRouter || byLimits || position > archive || position > republish
        }
    }

    /// As the router does: limits have the verdicts up to here.
    private func writeLimits(_ rig: LogRig, through position: Position, _ session: RedisSession) throws {
        try session.run("SET", [rig.keys.limits, "\(position)\nthe state"])
    }

    /// Redis's clock, ms since the epoch.
    private func now(_ session: RedisSession) throws -> UInt64 {
        let time = (try session.run("TIME").array ?? []).compactMap(\.int)
        return UInt64(time[0] * 1_000 + time[1] / 1_000)
    }

    private func trimmer(_ rig: LogRig, rejectedBytesMax: Int = Limits.rejectedStreamBytesMax) -> Trimmer {
        let loop = StageLoop(name: "trim", instance: "one", endpoint: rig.endpoint, keys: rig.keys)
        return Trimmer(
            loop: loop, catalog: rig.catalog, keys: rig.keys, live: LiveConfig(), interval: .seconds(1), rejectedBytesMax: rejectedBytesMax, metrics: Metrics())
    }

    private func positions(_ rig: LogRig, _ stream: StreamName) throws -> [Position] { try rig.ids(stream).compactMap { Position(streamID: $0) } }

    @Test("Random histories: nothing that a group has not passed is ever removed", arguments: 1...12) func histories(_ seed: UInt64) async throws {
        let run = FuzzRun("trim \(seed)", short: 60, share: 1e-4)
        var numbers = SeededNumbers(run.seed &+ seed)
        try await LogRig.with { rig in
            let session = try rig.connect()
            let stream = rig.keys.stream(.messages)
            let reader = LogReader(keys: rig.keys)
            var model = Model()
            var clock: UInt64 = 1_000
            for step in 0..<run.cases {
                switch numbers.below(8) {
                case 0, 1:
                    for _ in 0...numbers.below(8) {
                        clock += UInt64(numbers.below(3))
                        let seq = model.messages.last?.ms == clock ? (model.messages.last?.seq ?? 0) + 1 : 0
                        model.messages.append(try rig.add("\(clock)-\(seq)", to: session))
                    }
                case 2:
                    let reply = try session.run("XREADGROUP", ["GROUP", "router", "r", "COUNT", String(1 + numbers.below(6)), "STREAMS", stream, ">"])
                    for entry in reply.array?.first?.array?[1].array ?? [] {
                        guard let position = entry.array?[0].text.flatMap({ Position(streamID: $0) }) else { continue }
                        model.routerRead = position
                        model.unacknowledged.insert(position)
                    }
                case 3:
                    // The router decides in order, now and then burying one.
                    for position in model.unacknowledged.sorted().prefix(1 + numbers.below(6)) {
                        if !numbers.once(in: 6) {
                            try rig.decide(position, to: session)
                            model.verdicts.append(position)
                        }
                        try session.run("XACK", [stream, "router", position.streamID])
                        model.unacknowledged.remove(position)
                    }
                case 4:
                    let ahead = model.verdicts.filter { $0 > model.archive }
                    if !ahead.isEmpty {
                        model.archive = numbers.pick(ahead)
                        try reader.setCursor(.verdicts, group: .archive, model.archive, session)
                    }
                case 5:
                    let ahead = model.verdicts.filter { $0 > model.republish }
                    if !ahead.isEmpty {
                        model.republish = numbers.pick(ahead)
                        try reader.setCursor(.verdicts, group: .republish, model.republish, session)
                    }
                case 6:
                    let ahead = model.verdicts.filter { $0 > model.limits }
                    if !ahead.isEmpty {
                        model.limits = numbers.pick(ahead)
                        try writeLimits(rig, through: model.limits, session)
                    }
                default:
                    let name = numbers.pick([StreamName.messages, .verdicts])
                    let oldest = numbers.once(in: 2) ? UInt64(numbers.below(Int(clock) + 10)) : 0
                    let keep = numbers.once(in: 2) ? 1 + numbers.below(20) : 0
                    let before = [StreamName.messages: try positions(rig, .messages), .verdicts: try positions(rig, .verdicts)]
                    let count = try Trimmer.trim(name, oldestMs: oldest, entries: keep, keys: rig.keys, session)
                    for stream in [StreamName.messages, .verdicts] {
                        let all = before[stream] ?? []
                        let after = try positions(rig, stream)
                        let removed = all.prefix(all.count - after.count)
                        #expect(Array(all.suffix(after.count)) == after, "what goes, goes from the front")
                        #expect(!removed.contains { model.needed($0, in: stream) }, "step \(step), seed \(run.seed &+ seed): \(stream)")
                        if stream == name {
                            #expect(removed.count == count)
                            for (index, position) in removed.enumerated() {
                                #expect(position.ms < oldest || (keep > 0 && all.count - index > keep), "nothing goes that retention keeps")
                            }
                        }
                    }
                    // Whatever was trimmed, what has been decided can be read.
                    #expect(throws: Never.self) { try reader.decided(after: .zero, count: 1_000, session) }
                }
            }
        }
    }

    @Test("When every group has passed everything, exactly the retention stays, by size and by age") func retention() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let stream = rig.keys.stream(.messages)
            for index in 1...50 { try rig.decide(try rig.add("\(index)-0", to: session), to: session) }
            #expect(try Trimmer.trim(.messages, oldestMs: 40, entries: 10, keys: rig.keys, session) == 0, "nobody has passed anything")
            try session.run("XREADGROUP", ["GROUP", "router", "r", "STREAMS", stream, ">"])
            #expect(try Trimmer.trim(.messages, oldestMs: 40, entries: 10, keys: rig.keys, session) == 0, "read is not acknowledged")
            for index in 1...50 { try session.run("XACK", [stream, "router", "\(index)-0"]) }
            let reader = LogReader(keys: rig.keys)
            for group in [GroupName.archive, .republish] { try reader.setCursor(.verdicts, group: group, Position(ms: 50, seq: 0), session) }
            #expect(try Trimmer.trim(.messages, oldestMs: 40, entries: 10, keys: rig.keys, session) == 0, "limits need the verdicts")
            try writeLimits(rig, through: Position(ms: 25, seq: 0), session)
            #expect(try Trimmer.trim(.messages, oldestMs: 40, entries: 10, keys: rig.keys, session) == 25, "limits need the rest")
            try writeLimits(rig, through: Position(ms: 50, seq: 0), session)
            #expect(try Trimmer.trim(.messages, oldestMs: 0, entries: 20, keys: rig.keys, session) == 5)
            #expect(try rig.ids(.messages).first == "31-0")
            #expect(try Trimmer.trim(.messages, oldestMs: 41, entries: 0, keys: rig.keys, session) == 10)
            #expect(try rig.ids(.messages).first == "41-0")
            #expect(try Trimmer.trim(.messages, oldestMs: 1_000, entries: 0, keys: rig.keys, session) == 10)
            #expect(try rig.ids(.messages) == [])
            #expect(try Trimmer.trim(.messages, oldestMs: 1_000, entries: 1, keys: rig.keys, session) == 0)
            let operations = try rig.entries(.operations)
            #expect(operations.compactMap { $0.fields["removed"]?.int } == [25, 5, 10, 10])
            #expect(operations.compactMap { $0.fields["first"]?.text } == ["26-0", "31-0", "41-0", ""])
            #expect(operations.allSatisfy { $0.fields["event"]?.text == "log.trimmed" && $0.fields["stream"]?.text == "messages" })
        }
    }

    @Test("A verdict goes with its message, so that no verdict stands without one") func verdictsFollow() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let stream = rig.keys.stream(.messages)
            for index in 1...20 {
                let position = try rig.add("\(index)-0", to: session)
                // Some are buried: the two streams do not have the same length, so the same size bound cuts at other places.
                if index % 4 != 0 { try rig.decide(position, to: session) }
            }
            try session.run("XREADGROUP", ["GROUP", "router", "r", "STREAMS", stream, ">"])
            for index in 1...20 { try session.run("XACK", [stream, "router", "\(index)-0"]) }
            let reader = LogReader(keys: rig.keys)
            for group in [GroupName.archive, .republish] { try reader.setCursor(.verdicts, group: group, Position(ms: 19, seq: 0), session) }
            try writeLimits(rig, through: Position(ms: 19, seq: 0), session)
            for name in StreamName.allCases { _ = try Trimmer.trim(name, oldestMs: 0, entries: 10, keys: rig.keys, session) }
            let first = try #require(try rig.ids(.messages).first.flatMap { Position(streamID: $0) })
            #expect(first == Position(ms: 11, seq: 0))
            #expect(try rig.ids(.verdicts).compactMap { Position(streamID: $0) }.allSatisfy { $0 >= first })
            #expect(try reader.decided(after: .zero, count: 100, session).map(\.position.ms) == [11, 13, 14, 15, 17, 18, 19])
        }
    }

    @Test("Large entries are trimmed without copying them all at once") func largeEntries() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let stream = rig.keys.stream(.messages)
            let data = "\"" + String(repeating: "x", count: 100_000) + "\""
            for index in 1...300 { _ = try rig.add("\(index)-0", data: data, to: session) }
            try session.run("XGROUP", ["SETID", stream, "router", "300-0"])
            for group in ["archive", "republish"] { try session.run("XGROUP", ["SETID", rig.keys.stream(.verdicts), group, "300-0"]) }
            var removed = 0
            for _ in 0..<300 where removed < 290 { removed += try Trimmer.trim(.messages, oldestMs: 0, entries: 10, keys: rig.keys, session) }
            #expect(removed == 290)
            #expect(try rig.ids(.messages).first == "291-0")
        }
    }

    @Test("A long backlog goes in parts, so that nobody waits for all of it") func parts() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let stream = rig.keys.stream(.rejected)
            for from in stride(from: 0, to: 25_000, by: 1_000) {
                var command = RESPWriter()
                for index in from..<(from + 1_000) { command.command("XADD", [stream, "\(index + 1)-0", "event", "input.rejected"]) }
                _ = try session.pipeline(command)
            }
            var counts: [Int] = []
            repeat {
                counts.append(try Trimmer.trim(.rejected, oldestMs: 24_951, entries: 0, keys: rig.keys, session))
            } while counts.last != 0 && counts.count < 10
            #expect(counts.reduce(0, +) == 24_950 && counts.allSatisfy { $0 <= 10_000 } && counts.count == 4)
            #expect(try rig.ids(.rejected).first == "24951-0")
        }
    }

    @Test("Rejected inputs go by their bytes too: large ones could fill the memory long before there are too many") func rejectedBytes() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let large = String(repeating: "x", count: 50_000)
            let last = try now(session)
            for index in 1...1_200 {
                let data = index > 1_000 ? large : "small"
                try session.run("XADD", [rig.keys.stream(.rejected), "\(last)-\(index)", "event", "input.rejected", "data", data])
            }
            let retaining = trimmer(rig, rejectedBytesMax: 1_000_000)
            // Small ones and large ones do not go in one step: what is left is measured again.
            for _ in 0..<5 { _ = try retaining.trim(.rejected, session) }
            #expect((10...25).contains(try rig.length(.rejected)))
            #expect(try rig.ids(.rejected).last == "\(last)-1200")
            #expect(try retaining.trim(.rejected, session) == 0)
        }
    }

    @Test("Age is counted by the clock that gave the ids, and what stands ahead of it is not old") func age() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let clock = try now(session)
            let day: UInt64 = 86_400_000
            // The declared age is 30 days.
            let times = [clock - 31 * day, clock - 29 * day, clock - 60_000, clock + 40 * day]
            for ms in times { try session.run("XADD", [rig.keys.stream(.rejected), "\(ms)-0", "event", "input.rejected"]) }
            let retaining = trimmer(rig)
            #expect(try retaining.trim(.rejected, session) == 1)
            #expect(try retaining.trim(.rejected, session) == 0)
            #expect(try rig.ids(.rejected) == times.dropFirst().map { "\($0)-0" })
            #expect(try Trimmer.trim(.rejected, ageMs: .max, entries: 0, keys: rig.keys, session) == 0, "older than the epoch is nothing")
            #expect(try Trimmer.trim(.rejected, ageMs: 0, entries: 0, keys: rig.keys, session) == 0, "without a bound all stays")
            #expect(try Trimmer.trim(.rejected, ageMs: 1, entries: 0, keys: rig.keys, session) == 2)
            #expect(try rig.ids(.rejected) == ["\(clock + 40 * day)-0"])
        }
    }

    @Test("Streams that nobody wrote to, and streams without groups, are trimmed by retention alone") func others() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for name in StreamName.allCases { #expect(try Trimmer.trim(name, oldestMs: 5, entries: 5, keys: rig.keys, session) == 0) }
            for index in 1...9 { try session.run("XADD", [rig.keys.stream(.rejected), "\(index)-0", "event", "input.rejected"]) }
            #expect(try Trimmer.trim(.rejected, oldestMs: 3, entries: 5, keys: rig.keys, session) == 4)
            #expect(try rig.ids(.rejected) == ["5-0", "6-0", "7-0", "8-0", "9-0"])
        }
    }
}
