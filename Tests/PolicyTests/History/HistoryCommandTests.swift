import Core
import Foundation
import Log
import RedisDriver
import Replay
import TestSupport
import Testing

@Suite("Commands over the past", .timeLimit(.minutes(3)))
struct HistoryCommandTests {
    private func run(_ rig: HistoryRig, _ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
        try await MeshlogProcess.command(
            arguments + [
                "--redis-url", "redis://127.0.0.1:\(rig.endpoint.port)", "--postgresql-url", rig.url, "--key-prefix", rig.keys.prefix, "--home",
                Repository.root,
            ])
    }

    private func fill(_ rig: HistoryRig) async throws -> [DecidedMessage] {
        try rig.append(
            (0..<60).map { number in
                (
                    HistoryRig.position(number),
                    HistoryRig.message(
                        number,
                        PolicyRig.message(
                            topic: number % 2 == 0 ? "orders.eu" : "news", source: ["ann", "bob"][number / 2 % 2], data: #"{"amount":\#(number)}"#))
                )
            })
        try await rig.route()
        let all = try rig.decided()
        try rig.archive(all)
        try rig.trim(before: all[20].position)
        return all
    }

    @Test("A what-if shows what flips, for whom, where and why; its JSON is that of the route") func whatIf() async throws {
        try await HistoryRig.with { rig in
            let all = try await fill(rig)
            try await withTemporaryFolder { folder in
                let file = folder + "/candidates.yaml"
                try
                    "constraints:\n  - constraint_id: no-big\n    when: message.data.amount >= 50\n    action: {type: block}\n    reason: \"{{ message.data.amount }} is too much\"\n"
                    .write(
                        toFile: file, atomically: true, encoding: .utf8)
                let answer = try await run(rig, ["what-if", "--constraints", file, "--since", all[0].position.description])
                #expect(answer.status == 0 && answer.errors.isEmpty, "\(answer)")
                #expect(answer.output.contains("10 of 60 verdicts would change"))
                #expect(answer.output.contains("block by no-big") && answer.output.contains("50 is too much") && answer.output.contains("orders.eu"))
                let json = try await run(rig, ["what-if", "--constraints", file, "--topic", "news", "--json"])
                let root = try JSONDocument(Array(json.output.utf8)).root
                #expect(root["report"]?["flips"]?.integer == 5 && root["complete"]?.bool == true && root["policy"]?.string == "merge")

                try "constraints: [{constraint_id: a, action: {type: blok}}]".write(toFile: file, atomically: true, encoding: .utf8)
                let wrong = try await run(rig, ["what-if", "--constraints", file])
                #expect(wrong.status == 2 && wrong.output.contains("/constraints/0/action/type"), "\(wrong)")
                let since = try await run(rig, ["what-if", "--verify", "--since", "yesterday"])
                #expect(since.status == 64 && since.errors.contains("30d"), "\(since)")
                #expect(try await run(rig, ["what-if"]).status == 64)
            }
        }
    }

    @Test("A verification says 0 differences, or names the first with both verdicts and fails") func verify() async throws {
        try await HistoryRig.with { rig in
            let all = try await fill(rig)
            let proof = try await run(rig, ["what-if", "--verify"])
            #expect(proof.status == 0 && proof.output.contains("60 messages") && proof.output.contains("differences: 0"), "\(proof)")
            try rig.execute("UPDATE verdict SET outcome = 'block', rule = 'nobody' WHERE entry_ms = \(all[7].position.ms)")
            let failure = try await run(rig, ["what-if", "--verify"])
            #expect(failure.status == 1 && failure.output.contains("the first at \(all[7].position)"), "\(failure)")
            #expect(failure.output.contains(#""rule":"nobody""#) && failure.output.contains(#""rule":"default""#))
        }
    }

    @Test("A template's backtest says who would have been refused and why") func backtest() async throws {
        try await HistoryRig.with { rig in
            _ = try await fill(rig)
            try await withTemporaryFolder { folder in
                let file = folder + "/template.json"
                try #"{"template_id":"orders","topics":["orders.>"],"schema":{"type":"object","properties":{"amount":{"type":"integer","maximum":39}}}}"#.write(
                    toFile: file, atomically: true, encoding: .utf8)
                let answer = try await run(rig, ["templates", "backtest", file, "--topic", "orders.*"])
                #expect(
                    answer.status == 0 && answer.output.contains("10 of 30 messages would have been refused") && answer.output.contains("/amount"), "\(answer)")
                let json = try JSONDocument(Array(try await run(rig, ["templates", "backtest", file, "--json"]).output.utf8)).root
                #expect(json["backtest"]?["failing"]?.integer == 10)
                try #"{"template_id":"orders","schema":{"type":"int"}}"#.write(toFile: file, atomically: true, encoding: .utf8)
                #expect(try await run(rig, ["templates", "backtest", file]).status == 2)
            }
        }
    }
}
