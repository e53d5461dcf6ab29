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

    @Test("Verdicts of a router that ran undisturbed, of routers that lost the lease in the middle of batches, and of the log asked again are the same", .timeLimit(.minutes(60)))
    func same() async throws {
        let run = FuzzRun("policy over the log", short: Self.cases)
        var numbers = SeededNumbers(run.seed)
        var maker = PolicyMaker(run.seed)
        let count = max(400, Self.cases)
        let events = try HistoryRig.surroundings + HistoryRig.constraints(maker.documents(200))
        var at = Position(ms: HistoryRig.start, seq: 0)
        var messages: [(Position, MessageEntry)] = []
        for number in 0..<count {
            at = numbers.once(in: 3) ? at.next : Position(ms: at.ms + UInt64(1 + numbers.below(20)), seq: 0)
            messages.append((at, HistoryRig.message(number, maker.message())))
        }
        let later = (0..<5).map { _ in maker.constraint("rule-\(numbers.below(200))") }
        try await HistoryRig.with { disturbed in
            let calm = try disturbed.other()
            defer { calm.removeKeys() }
            try disturbed.control(events)
            try disturbed.append(messages)
            for stream in [StreamName.control, .messages] { try Self.copy(stream, from: disturbed, to: calm) }

            try await calm.route()
            try await disturbed.route(["one", "two", "three"]) { try await Self.disturb(disturbed, count) }
            let verdicts = try Self.entries(.verdicts, disturbed)
            #expect(verdicts.count == count)
            #expect(verdicts == (try Self.entries(.verdicts, calm)), "a takeover goes on exactly where the log ends")

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
            #expect(answer.report.isSame, "\(answer.report.differences) differ: \(answer.report.difference.map { "\($0.position)\n\(String(decoding: $0.logged.json, as: UTF8.self))\n\(String(decoding: $0.computed.json, as: UTF8.self))" } ?? "")")
            let all = try disturbed.decided()
            let outcomes = Set(all.map(\.verdict.outcome))
            // What ends the matter is rare in random constraints: a few messages need not show all of it.
            #expect(outcomes.isSuperset(of: count < 20_000 ? [.deliver, .block] : [.deliver, .block, .hold, .reroute]), "\(outcomes)")
            #expect(all.contains { !$0.verdict.detail.limits.isEmpty })
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

    private static func copy(_ stream: StreamName, from: HistoryRig, to: HistoryRig) throws {
        let (source, target) = (try from.redis(), try to.redis())
        for entry in try source.run("XRANGE", [from.keys.stream(stream), "-", "+"]).array ?? [] {
            guard let parts = entry.array, parts.count == 2, let id = parts[0].text, let fields = parts[1].array else { continue }
            try target.run("XADD", [to.keys.stream(stream), id] + fields.compactMap(\.text))
        }
    }

    /// Ids and fields, as they stand there.
    private static func entries(_ stream: StreamName, _ rig: HistoryRig) throws -> [RedisValue] {
        try rig.redis().run("XRANGE", [rig.keys.stream(stream), "-", "+"]).array ?? []
    }
}
