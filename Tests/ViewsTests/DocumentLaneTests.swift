internal import Core
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Views

/// The fast lane answers a read as the router does: each path is asked for twice on one connection, first as the lane takes it, then so
/// that it does not.
@Suite("Documents by the fast lane", .serialized, .timeLimit(.minutes(5)))
struct DocumentLaneTests {
    @Test("Both say the same, of documents that are there, that are not, and of paths that are none")
    func same() async throws {
        try await ViewsRig.run { rig in
            func put(_ path: String, _ body: String) async throws { #expect((200...201).contains(try await rig.send("PUT", path, body).status), "\(path)") }
            try await put("/v1/constraints/no-big", #"{"when": "message.size > 10", "action": {"type": "block"}}"#)
            try await put("/v1/constraints/a%20b", #"{"action": {"type": "block"}, "reason": "with a space"}"#)
            try await put("/v1/templates/t", #"{"schema": true, "version": 1}"#)
            try await put("/v1/backbones/b", #"{"name": "eu"}"#)
            try await put("/v1/topics/g", #"{"topic_ids": ["t"]}"#)
            try await put("/v1/config/global/limit", #"{"value": {"a": [1, null]}}"#)
            try await put("/v1/config/topic/tasks.%3E/limit", #"{"value": 2}"#)
            try await put("/v1/config/topic/tasks.x/limit", #"{"value": 3}"#)
            try await put("/v1/config/org/acme/history", #"{"value": 4}"#)
            let there = [
                "constraints/no-big", "constraints/a%20b", "templates/t", "backbones/b", "topics/g", "config/global/limit", "config/topic/tasks.%3E/limit",
                "config/topic/tasks.x/limit", "config/org/acme/history", "constraints?limit=1", "constraints",
            ]
            let missing = [
                "constraints/none", "constraints/", "constraints/no-big/", "constraints//no-big", "constraints/diff", "templates/backtest", "nothing/x",
                "config/global", "config/global/", "config/global/limit/x", "config/planet/x/limit", "config/topic/tasks.x", "config/topic//limit",
                "config/known",
                "constraints/no-big?limit=1", "constraints/no-big?at=0-9999999999999-0", "constraints/%FF",
            ]
            for (paths, statuses) in [(there, 200...200), (missing, 200...499)] {
                for path in paths {
                    let (lane, router) = try await twice(rig, "/v1/" + path)
                    #expect(lane == router, "\(path)")
                    #expect(statuses.contains(lane.status) && !lane.body.isEmpty, "\(path): \(lane)")
                }
            }
        }
    }

    private struct Said: Equatable {
        let status: Int
        let fields: Set<String>
        let body: String

        init(_ answer: Substring) throws {
            let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            let lines = parts[0].split(separator: "\r\n")
            status = try #require(Int(lines[0].split(separator: " ").first ?? ""))
            // What belongs to the connection and to the moment.
            fields = Set(lines.dropFirst().map { $0.lowercased() }.filter { !$0.hasPrefix("date:") && !$0.hasPrefix("connection:") })
            body = parts.count > 1 ? String(parts[1]) : ""
        }
    }

    private func twice(_ rig: ViewsRig, _ path: String) async throws -> (lane: Said, router: Said) {
        let text = try await rig.exchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\nGET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") { _ in false }
        let answers = text.split(separator: "HTTP/1.1 ")
        try #require(answers.count == 2, "\(text)")
        return (try Said(answers[0]), try Said(answers[1]))
    }
}
