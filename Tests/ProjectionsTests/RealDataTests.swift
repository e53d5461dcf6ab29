import Core
import Foundation
import Log
import Projections
import TestSupport
import Testing

private let jqPath = ["/usr/bin/jq", "/usr/local/bin/jq", "/bin/jq"].first { FileManager.default.isExecutableFile(atPath: $0) }

/// 4,092 real messages: what the projections say is what `jq` computes from the file.
@Suite("Real data", .enabled(if: Repository.conversations != nil && jqPath != nil, "needs the data and jq"))
struct RealDataTests {
    /// 2026-11-22T03:30:00Z; a message every 150 ms from there.
    private static let firstMs: UInt64 = 1_795_318_200_000
    private static let stepMs: UInt64 = 150

    private func withMessages(_ catalog: ProjectionCatalog, _ body: (ProjectionRig) async throws -> Void) async throws {
        try await ProjectionRig.with { rig in
            let text = try String(contentsOfFile: Repository.conversations ?? "", encoding: .utf8)
            let lines = text.split(separator: "\n").map { Array($0.utf8) }
            #expect(lines.count == 4_092)
            let place = rig.place()
            try await rig.serving(catalog, place) {
                // Half before the projections have caught up, half while they work.
                try rig.append(messages: Array(lines[..<2_000]), firstMs: Self.firstMs, stepMs: Self.stepMs)
                try await rig.caughtUp(catalog.names[0], .messages)
                try rig.append(more: Array(lines[2_000...]), from: 2_000, firstMs: Self.firstMs, stepMs: Self.stepMs)
                for name in catalog.names { try await rig.caughtUp(name, .messages) }
                try await body(rig)
                for runtime in catalog.runtimes {
                    let proof = try await rig.verify(runtime)
                    #expect(proof.isEqual, "\(proof.text)")
                }
            }
        }
    }

    /// Runs jq over the lines, each as a string of its text; gives one JSON object by key, in a form that can be compared.
    private func computed(_ program: String) throws -> [String: [String: String]] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: jqPath ?? "")
        let prelude = """
            def iso: (. / 1000 | floor | strftime("%Y-%m-%dT%H:%M:%S")) + (if . % 1000 == 0 then "" else "." + (. % 1000 + 1000 | tostring | .[1:]) end) + "Z";
            def times($step): to_entries | map(.value + {at: (\(Self.firstMs) + .key * \(Self.stepMs)), number: .key});
            [inputs | . as $raw | fromjson | . + {bytes: ($raw | capture("\\"message_data\\": (?<d>.*)}$") | .d | utf8bytelength)}] | times(0) |
            """
        // As JSON strings: jq 1.6 breaks characters that lie across the blocks in which it reads raw text.
        let text = try String(contentsOfFile: Repository.conversations ?? "", encoding: .utf8)
        let strings = try text.split(separator: "\n").map { try JSONSerialization.data(withJSONObject: String($0), options: .fragmentsAllowed) }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("meshlog-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(strings.joined(separator: [0x0A])).write(to: file)
        process.arguments = ["-nc", prelude + program, file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try object(data)
    }

    private func object(_ data: Data) throws -> [String: [String: String]] {
        let root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
        return root.mapValues { $0.mapValues { "\($0)" } }
    }

    /// The rows, each with the members that are compared.
    private func rows(_ rig: ProjectionRig, _ name: String, _ members: [String]) throws -> [String: [String: String]] {
        var out: [String: [String: String]] = [:]
        for (key, row) in try rig.rows(name) {
            let values = try #require(try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any])
            out[key] = values.mapValues { "\($0)" }.filter { members.contains($0.key) }
        }
        return out
    }

    private func expectEqual(_ found: [String: [String: String]], _ expected: [String: [String: String]]) {
        let different = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
        #expect(
            different.isEmpty, "\(different.count) differ, such as \(different.prefix(2).map { "\($0): \(found[$0] ?? [:]), jq says \(expected[$0] ?? [:])" })")
    }

    @Test("Subjects, topics and traffic are what jq computes") func builtIn() async throws {
        let catalog = ProjectionCatalog([ProjectionHost(SubjectsProjection()), ProjectionHost(TopicsProjection()), ProjectionHost(TrafficProjection())])
        try await withMessages(catalog) { rig in
            let subjects = try computed(
                """
                map(. as $m | ([.source_subject_id] + .destination_subject_ids | unique)[] as $s | {s: $s, at: $m.at,
                  sent: (if $s == $m.source_subject_id then 1 else 0 end), received: (if ($m.destination_subject_ids | index($s)) != null then 1 else 0 end), bytes: $m.bytes})
                | group_by(.s) | map({key: .[0].s, value: {sent: (map(.sent) | add), received: (map(.received) | add), sent_bytes: (map(.sent * .bytes) | add),
                  received_bytes: (map(.received * .bytes) | add), first_seen: (map(.at) | min | iso), last_seen: (map(.at) | max | iso)}}) | from_entries
                """)
            expectEqual(try rows(rig, "subjects", ["sent", "received", "sent_bytes", "received_bytes", "first_seen", "last_seen"]), subjects)
            #expect(subjects.count > 10)
            let topics = try computed(
                """
                group_by(.topic) | map(max_by(.number) as $last | ($last.at / 60000 | floor) as $minute | ($last.at / 3600000 | floor) as $hour |
                  {key: .[0].topic, value: {messages: length, bytes: (map(.bytes) | add), largest: (map(.bytes) | max),
                  first_seen: (map(.at) | min | iso), last_seen: ($last.at | iso), last_message: $last.message_uuid, minute: ($minute * 60000 | iso),
                  minute_messages: (map(select((.at / 60000 | floor) == $minute)) | length), minute_before: (map(select((.at / 60000 | floor) == $minute - 1)) | length),
                  hour_messages: (map(select((.at / 3600000 | floor) == $hour)) | length), hour_before: (map(select((.at / 3600000 | floor) == $hour - 1)) | length)}}) | from_entries
                """)
            let members = [
                "messages", "bytes", "largest", "first_seen", "last_seen", "last_message", "minute", "minute_messages", "minute_before", "hour_messages",
                "hour_before",
            ]
            expectEqual(try rows(rig, "topics", members), topics)
            let traffic = try computed(
                """
                map(. as $m | (.destination_subject_ids | unique)[] as $d | {minute: (.at / 60000 | floor * 60000 | iso), source: .source_subject_id, destination: $d, bytes})
                | group_by([.minute, .source, .destination]) | map({key: "\\(.[0].minute)|\\(.[0].source)|\\(.[0].destination)",
                  value: {minute: .[0].minute, source: .[0].source, destination: .[0].destination, messages: length, bytes: (map(.bytes) | add)}}) | from_entries
                """)
            expectEqual(try rows(rig, "traffic", ["minute", "source", "destination", "messages", "bytes"]), traffic)
        }
    }

    @Test("The worked example of docs/projections.md catches up and is what its jq says") func example() async throws {
        try await withMessages(ProjectionCatalog([ProjectionHost(ConversationsProjection())])) { rig in
            let conversations = try computed(
                """
                group_by(.message_metadata.task) | map({key: .[0].message_metadata.task, value: {messages: length, last_turn: (map(.message_metadata.turn) | max),
                  last_speaker: max_by(.number).source_subject_id, last_seen: (map(.at) | max | iso)}}) | from_entries
                """)
            #expect(conversations.count == 184)
            expectEqual(try rows(rig, "conversations", ["messages", "last_turn", "last_speaker", "last_seen"]), conversations)
        }
        let document = try #require(Repository.text("docs/projections.md"))
        let file = try #require(Repository.text("Tests/ProjectionsTests/ConversationsProjection.swift"))
        let shown = document.components(separatedBy: "```swift\n").dropFirst().first?.components(separatedBy: "\n```").first
        #expect(file.trimmingCharacters(in: .newlines) == shown, "docs/projections.md shows the file as it is")
    }
}
