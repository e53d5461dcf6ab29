internal import Core
internal import Foundation
internal import PostgreSQLDriver
internal import Replay
internal import TestSupport

/// The folder `migrations/` of this repository.
let migrationFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path + "/migrations"

/// Runs `body` with the URL of an empty database, on a thread of its own.
func withEmptyDatabase(_ body: @escaping @Sendable (String) throws -> Void) async throws {
    try await SharedStack.withDatabase { url in try await onThread { try body(url) } }
}

/// Runs `body` with the URL of a migrated database, on a thread of its own.
func withArchiveDatabase(_ body: @escaping @Sendable (String) throws -> Void) async throws {
    try await SharedStack.withDatabase(template: try await archiveTemplate()) { url in try await onThread { try body(url) } }
}

/// The same for tests that wait.
func withArchive(_ body: (String) async throws -> Void) async throws {
    try await SharedStack.withDatabase(template: try await archiveTemplate(), body)
}

private func archiveTemplate() async throws -> String {
    try await SharedStack.template("archive") { url in
        try await onThread { _ = try Migrator(folder: migrationFolder).apply(on: openSession(url)) }
    }
}

func openSession(_ url: String) throws -> PostgreSQLSession {
    try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests")
}

/// The error that `body` ends with; nil when it does not.
func archiveError(_ body: () throws(ArchiveError) -> Void) -> ArchiveError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}

/// 2026-11-22T00:00:00Z in ms.
let firstDay: UInt64 = 1_795_305_600_000
let dayMs: UInt64 = 86_400_000

/// A decided message with sensible values.
func decided(
    _ position: Position, uuid: MessageUUID? = nil, topic: String = "orders.eu.1", source: String = "alice", destinations: String = #"["bob","carol"]"#,
    type: String = "statement", data: [UInt8] = Array(#"{"b": 1,  "a":[1.50,"ž"]}"#.utf8), contentType: String = "application/json",
    outcome: Outcome = .deliver
) -> DecidedMessage {
    let id = uuid ?? MessageUUID(high: position.ms, low: UInt64(position.partition) << 32 | position.seq)
    var message = MessageEntry()
    message.set(.event, MessageEntry.accepted)
    message.set(.version, "1")
    message.set(.messageUUID, id.description)
    message.set(.topic, topic)
    message.set(.source, source)
    message.set(.destinations, destinations)
    message.set(.type, type)
    message.set(.originTS, String(position.ms * 1000 + 7))
    message.set(.metadata, #"{"turn": 1}"#)
    message.set(.data, data)
    message.set(.contentType, contentType)
    message.set(.via, "http")
    message.set(.principal, "anonymous")
    return DecidedMessage(
        position: position, message: message,
        verdict: VerdictEntry(
            messageUUID: id, outcome: outcome, rule: "default", reason: outcome == .deliver ? "" : "because", policyRevision: "0-0-0", targets: ["default"],
            subject: Array(topic.utf8)))
}

/// The same message, on its way again.
func released(_ message: MessageEntry) -> MessageEntry {
    var message = message
    message.set(.event, MessageEntry.released)
    message.set(.release, Release(.approve, session: "0-1-0", origin: Position(ms: 1, seq: 0), by: "ann \u{1}\"", passed: ["a b", "c"]).json)
    return message
}

/// The same verdict, with everything that can be told besides.
func detailed(_ verdict: VerdictEntry) -> VerdictEntry {
    var verdict = verdict
    verdict.detail.shadow = Array(#"[{"rule":"s",  "would":"block","detail":"ž"}]"#.utf8)
    verdict.detail.limits = Array(#"[{"rule":"l","rate":1.50}]"#.utf8)
    verdict.detail.annotations = Array(#"{"a":1,"a":2}"#.utf8)
    verdict.detail.withheld = Array(#"[{"recipient":"bob"}]"#.utf8)
    verdict.detail.error = Array(#"{"on_error":"block"}"#.utf8)
    verdict.detail.destinations = Array(#"["carol"]"#.utf8)
    verdict.detail.hold = Array(#"{"on_expiry":"block","approvers":[]}"#.utf8)
    verdict.detail.retryAt = Array("1795305600123457".utf8)
    verdict.detail.digest = Array("00ff".utf8) + Array(repeating: UInt8(ascii: "a"), count: 60)
    return verdict
}

/// Every field of both, for comparison.
func fields(_ message: MessageEntry) -> [String] { MessageField.allCases.map { message.string($0) } }

/// A small seeded generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
