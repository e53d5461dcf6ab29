import Core
import Log
import PostgreSQLDriver
import RedisDriver
import Replay
import TestSupport
import Testing

@Suite("History")
struct HistoryReaderTests {
    /// Messages of all kinds, decided under a policy that leaves every detail in verdicts.
    private static func fill(_ rig: HistoryRig, _ count: Int, seed: UInt64 = 11) async throws -> [DecidedMessage] {
        var maker = PolicyMaker(seed)
        try rig.control(HistoryRig.surroundings + HistoryRig.constraints(maker.documents(100)))
        try rig.append((0..<count).map { (HistoryRig.position($0), HistoryRig.message($0, maker.message())) })
        try await rig.route()
        return try rig.decided()
    }

    @Test("What the log has let go comes from the archive, exactly as it was, and the rest from the log, without gap or repeat") func bothPlaces() async throws
    {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig, 2_600)
            #expect(Set(all.map(\.verdict.outcome)).count >= 4)
            #expect(
                all.contains { !$0.verdict.detail.limits.isEmpty } && all.contains { !$0.verdict.detail.annotations.isEmpty }
                    && all.contains { !$0.verdict.detail.shadow.isEmpty })
            try rig.archive(all.prefix(1_800))
            try rig.trim(before: all[1_500].position)
            let read = try rig.history()
            #expect(read.map(\.fields) == all.map(\.fields))
        }
    }

    @Test("Any range gives just what lies in it, on all topics and on some") func ranges() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig, 400)
            try rig.archive(all)
            try rig.trim(before: all[200].position)
            var numbers = SeededNumbers(5)
            for round in 0..<60 {
                let two = [numbers.below(420), numbers.below(420)].sorted()
                // Positions that messages have, and such that none has.
                let from = numbers.once(in: 2) ? HistoryRig.position(two[0]) : Position(ms: HistoryRig.start + UInt64(two[0]) * 100 + 1, seq: 0)
                let through = numbers.once(in: 2) ? HistoryRig.position(two[1]) : Position(ms: HistoryRig.start + UInt64(two[1]) * 100 + 50, seq: .max)
                let topics = [[], ["tasks.task-1.>"], ["tasks.*.report", "other.>"], [">"], ["nobody.*"]][round % 5]
                let expected = all.filter { one in
                    one.position >= from && one.position <= through
                        && (topics.isEmpty || topics.contains { Subject.matches(pattern: $0.utf8, subject: one.message.slice(.topic)) })
                }
                #expect(
                    try rig.history(from: from, through: through, topics: topics).map(\.position) == expected.map(\.position), "\(from) \(through) \(topics)")
            }
            #expect(try rig.history(from: all[5].position, through: all[4].position).isEmpty)
        }
    }

    @Test("Trimming while it reads takes nothing from it") func trimmedMeanwhile() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig, 4_000)
            try rig.archive(all)
            let reader = try rig.reader()
            var read: [DecidedMessage] = []
            while true {
                let chunk = try reader.next()
                if chunk.isEmpty { break }
                read += chunk
                // Past what it has read, now only in one stream, now in both.
                try rig.redis().run("XTRIM", [rig.keys.stream(.messages), "MINID", all[min(read.count + 300, 3_999)].position.streamID])
                if read.count > 1_500 { try rig.trim(before: all[min(read.count + 200, 3_999)].position) }
            }
            #expect(read.map(\.position) == all.map(\.position))
            #expect(reader.usedArchive && reader.begins == nil)
        }
    }

    @Test("A log that was trimmed to nothing is read from the archive; an empty one has nothing") func emptyLog() async throws {
        try await HistoryRig.with { rig in
            #expect(try rig.history().isEmpty)
            let all = try await Self.fill(rig, 50)
            try rig.archive(all)
            for name in [StreamName.messages, .verdicts] { try rig.redis().run("XTRIM", [rig.keys.stream(name), "MAXLEN", "0"]) }
            #expect(try rig.history().map(\.fields) == all.map(\.fields))
            #expect(try rig.history(from: all[20].position, through: all[30].position).count == 11)
        }
    }

    @Test("What is neither in the log nor in the archive is told: where it begins, or that the archive is behind") func gone() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig, 100)
            try rig.trim(before: all[10].position)
            let reader = try rig.reader()
            #expect(try reader.next().first?.position == all[10].position)
            #expect(reader.begins == all[10].position, "there is no archive")

            try rig.archive(all[10..<30])
            try rig.trim(before: all[50].position)
            let behind = try rig.reader()
            #expect { try behind.next() } throws: {
                if case HistoryError.archiveBehind(let archive, let log) = $0 { archive == all[29].position && log == all[50].position } else { false }
            }
        }
    }

    @Test("Days that the archive has dropped are told as well") func dropped() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig, 100)
            try rig.archive(all)
            try rig.trim(before: all[80].position)
            try rig.execute("DELETE FROM message_exchange WHERE entry_ms < \(all[40].position.ms)")
            let reader = try rig.reader()
            #expect(try reader.next().first?.position == all[40].position)
            #expect(reader.begins == all[40].position)
            let later = try rig.reader(from: all[50].position)
            #expect(try later.next().first?.position == all[50].position)
            #expect(later.begins == nil, "what is asked for is all there")
        }
    }

    @Test("A log that follows one that was lost is read behind what the archive has of that one") func lostLog() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig, 60)
            try rig.archive(all)
            let next = try rig.other()
            defer { next.removeKeys() }
            #expect(try next.history().map(\.fields) == all.map(\.fields), "nothing has come since")
            try next.append((60..<80).map { (HistoryRig.position($0), HistoryRig.message($0, all[$0 - 60].message)) })
            try await next.route()
            let both = try all + next.decided()
            #expect(both.count == 80)
            #expect(try next.history().map(\.fields) == both.map(\.fields))
            #expect(try next.history(from: both[50].position, through: both[65].position).map(\.position) == both[50...65].map(\.position))

            // While nobody can say what is archived, it is not left out either.
            let away = HistoryReader(from: .zero, through: both[79].position, keys: next.keys, session: try next.redis()) {
                () throws(PostgreSQLError) in throw .unavailable("away")
            }
            try LogReader(keys: next.keys).setCursor(.verdicts, group: .archive, all[59].position, try next.redis())
            #expect { try away.next() } throws: { ($0 as? HistoryError)?.isRetryable == true }
        }
    }

    @Test("Without PostgreSQL the log alone is read; where the archive is needed, the error may pass") func noArchive() async throws {
        try await HistoryRig.with { rig in
            let all = try await Self.fill(rig, 20)
            func reader() throws -> HistoryReader {
                HistoryReader(from: .zero, through: Position(ms: .max, seq: .max), keys: rig.keys, session: try rig.redis()) { () throws(PostgreSQLError) in
                    throw .unavailable("away")
                }
            }
            #expect(try reader().next().count == 20)
            try rig.trim(before: all[5].position)
            let needing = try reader()
            #expect { try needing.next() } throws: { ($0 as? HistoryError)?.isRetryable == true }
        }
    }
}
