import Core
import Foundation
import Log
import RedisDriver
import TestSupport
import Testing
import WhatIf

/// The same messages under the same constraints get the same verdicts: live, after crashes, and when the log is asked again.
///
/// `MESHLOG_POLICY_CASES` sets the number of messages (nightly: 1000000), `MESHLOG_FUZZ_SEED` repeats a run.
@Suite("Policy: determinism of the log")
struct LiveDeterminismTests {
    private static let cases = ProcessInfo.processInfo.environment["MESHLOG_POLICY_CASES"].flatMap(Int.init) ?? 600

    @Test(
        "Verdicts of a router that ran undisturbed, of routers that lost the lease in the middle of batches, and of the log asked again are the same",
        .timeLimit(.minutes(60)))
    func same() async throws {
        let run = FuzzRun("policy over the log", short: Self.cases)
        var numbers = SeededNumbers(run.seed)
        var maker = PolicyMaker(run.seed)
        let count = max(400, Self.cases)
        let events = try HistoryRig.surroundings + HistoryRig.constraints(maker.documents(200))
        var at = Position(ms: HistoryRig.start, seq: 0)
        let later = (0..<5).map { _ in maker.constraint("rule-\(numbers.below(200))") }
        try await HistoryRig.with { disturbed in
            let calm = try disturbed.other()
            defer { calm.removeKeys() }
            try disturbed.control(events)
            for start in stride(from: 0, to: count, by: Self.chunk) {
                try disturbed.append(
                    (start..<min(start + Self.chunk, count)).map { number in
                        at = numbers.once(in: 3) ? at.next : Position(ms: at.ms + UInt64(1 + numbers.below(20)), seq: 0)
                        return (at, HistoryRig.message(number, maker.message()))
                    })
            }
            for stream in [StreamName.control, .messages] { try Self.copy(stream, from: disturbed, to: calm) }

            try await calm.route()
            try await disturbed.route(["one", "two", "three"]) { try await Self.disturb(disturbed, count) }
            #expect(try Self.differences(.verdicts, disturbed, calm) == (count, nil), "a takeover goes on exactly where the log ends")

            // The constraints change, and messages go on.
            var rest: [(Position, MessageEntry)] = []
            for (index, document) in later.enumerated() {
                try disturbed.control([HistoryRig.constraint(document, change: .updated)])
                rest = (0..<20).map { number in
                    at = Position(ms: at.ms + UInt64(1 + numbers.below(20)), seq: 0)
                    return (at, HistoryRig.message(count + index * 20 + number, maker.message()))
                }
                try disturbed.append(rest)
                try await disturbed.route(["four"])
            }
            let answer = try await onThread { try disturbed.ask(.logged) }
            #expect(answer.report.messages == count + 100)
            #expect(
                answer.report.isSame,
                "\(answer.report.differences) differ: \(answer.report.difference.map { "\($0.position)\n\(String(decoding: $0.logged.json, as: UTF8.self))\n\(String(decoding: $0.computed.json, as: UTF8.self))" } ?? "")"
            )
            var outcomes: Set<Outcome> = []
            var hasLimits = false
            var reached = Position.zero
            while let last = try disturbed.decided(after: reached).map({ decided in
                outcomes.insert(decided.verdict.outcome)
                hasLimits = hasLimits || !decided.verdict.detail.limits.isEmpty
                return decided.position
            }).last { reached = last }
            // What ends the matter is rare in random constraints: a few messages need not show all of it.
            #expect(outcomes.isSuperset(of: count < 20_000 ? [.deliver, .block] : [.deliver, .block, .hold, .reroute]), "\(outcomes)")
            #expect(hasLimits)
        }
    }

    @Test("A router that must read all verdicts, which takes longer than its lease, keeps it meanwhile; the limits are what they were")
    func longBeginning() async throws {
        try await HistoryRig.with { rig in
            try rig.control([HistoryRig.constraint(#"{"constraint_id":"all","action":{"type":"limit","rate":5,"period_ms":1000,"burst":20000}}"#)])
            let count = 30_000
            func append(_ numbers: Range<Int>) throws {
                try rig.append(
                    numbers.map { number in
                        var message = MessageEntry()
                        for (field, value) in [(MessageField.event, MessageEntry.accepted), (.topic, "a.b"), (.source, "s"), (.data, "1"), (.via, "http")] {
                            message.set(field, value)
                        }
                        return (HistoryRig.position(number), HistoryRig.message(number, message))
                    })
            }
            try append(0..<count)
            try await rig.route()
            try rig.redis().run("DEL", [rig.keys.limits])
            try append(count..<(count + 10))
            try await rig.route(["one", "two", "three"], leaseTTL: .milliseconds(100))
            let answer = try await onThread { try rig.ask(.logged) }
            #expect(answer.report.messages == count + 10 && answer.report.isSame)
        }
    }

    /// Takes the lease away from whoever acts, again and again, wherever that process is in its batch: what it has decided and not written is lost.
    private static func disturb(_ rig: HistoryRig, _ count: Int) async throws {
        let session = try rig.redis()
        let rounds = min(40, max(3, count / 400))
        for round in 1...rounds {
            let until = count * round / (rounds + 1)
            #expect(await eventually(within: .seconds(600)) { try rig.decidedCount() >= until })
            try session.run("DEL", [rig.keys.lease("router")])
            // Every third time what limits remember as a whole is lost too: then all verdicts are read.
            if round % 3 == 0 { try session.run("DEL", [rig.keys.limits]) }
        }
    }

    /// Entries that are looked at together: a million of them do not lie in memory at once.
    private static let chunk = 1_000

    private static func copy(_ stream: StreamName, from: HistoryRig, to: HistoryRig) throws {
        let target = try to.redis()
        try eachChunk(stream, from) { entries in
            var command = RESPWriter()
            for (id, fields) in entries {
                command.begin(3 + fields.count)
                for word in ["XADD", to.keys.stream(stream), id] { command.argument(word) }
                for case .string(let bytes) in fields { command.argument(bytes) }
            }
            for reply in try target.pipeline(command) { if case .error(let text) = reply { throw RedisError.server(text) } }
        }
    }

    /// How many entries the first has, and the first that is not the same at the second, by id and fields.
    private static func differences(_ stream: StreamName, _ one: HistoryRig, _ other: HistoryRig) throws -> (count: Int, first: String?) {
        var count = 0
        var first: String?
        let session = try other.redis()
        try eachChunk(stream, one) { entries in
            guard first == nil, let begin = entries.first?.id, let end = entries.last?.id else { return }
            count += entries.count
            let others = try session.run("XRANGE", [other.keys.stream(stream), begin, end]).array ?? []
            let theirs = others.map { $0.array ?? [] }
            let ours = entries.map { [RedisValue.string(Array($0.id.utf8)), .array($0.fields)] }
            if ours != theirs { first = zip(ours, theirs).first { $0 != $1 }.map { "\($0)" } ?? "\(begin)" }
        }
        return (count, first)
    }

    private static func eachChunk(_ stream: StreamName, _ rig: HistoryRig, _ body: ([(id: String, fields: [RedisValue])]) throws -> Void) throws {
        let session = try rig.redis()
        var after = Position.zero
        while true {
            let reply = try session.run("XRANGE", [rig.keys.stream(stream), after.next.streamID, "+", "COUNT", String(chunk)]).array ?? []
            let entries = try reply.map { entry in
                let parts = try #require(entry.array)
                return (id: try #require(parts[0].text), fields: try #require(parts[1].array))
            }
            guard let last = entries.last.flatMap({ Position(streamID: $0.id) }) else { return }
            try body(entries)
            after = last
        }
    }
}
