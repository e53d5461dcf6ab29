internal import Core
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Views

@Suite("What-if over HTTP", .serialized, .timeLimit(.minutes(5)))
struct HistoryRoutesTests {
    /// 120 messages, of which the first 50 are only in the archive; every tenth was held.
    private func filled(_ body: @escaping @Sendable (ViewsRig) async throws -> Void) async throws {
        try await ViewsRig.run { rig in
            try await rig.log(0...119)
            try await rig.archive(0...99)
            try await rig.trim(before: 50)
            try await body(rig)
        }
    }

    @Test("Candidates are tried on the past, in the log and in the archive; the constraints that were in force prove what was said")
    func whatIf() async throws {
        try await filled { rig in
            let body =
                #"{"constraints":[{"constraint_id":"no-eu","scope":{"topics":["orders.eu"]},"action":{"type":"block"},"reason":"eu is closed"}],"topics":["orders.>"]}"#
            let answer = try await rig.send("POST", "/v1/what-if", body)
            #expect(answer.status == 200, "\(answer.body)")
            #expect(answer.header("meshlog-position") == ViewsRig.position(118).description, "the last on these topics")
            let report = try #require(answer.json["report"] as? [String: Any])
            // 40 on orders.eu, 4 of which were held; 4 more were held on orders.us, under no rule that there is.
            #expect(report["messages"] as? Int == 80 && report["flips"] as? Int == 44)
            #expect((report["by_topic"] as? [[String: Any]])?.first?["count"] as? Int == 40)
            #expect(
                answer.json["complete"] as? Bool == true && answer.json["next"] is NSNull && answer.json["first"] as? String == ViewsRig.position(0).description
            )

            let logged = try await rig.send(
                "POST", "/v1/what-if", #"{"policy":"logged","since":"\#(ViewsRig.position(10))","until":"\#(ViewsRig.position(69))"}"#)
            let proof = try #require(logged.json["report"] as? [String: Any])
            #expect(proof["messages"] as? Int == 60 && proof["differences"] as? Int == 6)
            #expect((proof["first_difference"] as? [String: Any])?["position"] as? String == ViewsRig.position(19).description)
        }
    }

    @Test("A candidate template is tried on the past")
    func backtest() async throws {
        try await filled { rig in
            let schema = #"{"type":"object","properties":{"n":{"type":"integer","maximum":59}}}"#
            let answer = try await rig.send("POST", "/v1/templates/backtest", #"{"template":{"template_id":"t","topics":["news"],"schema":\#(schema)}}"#)
            #expect(answer.status == 200, "\(answer.body)")
            let backtest = try #require(answer.json["backtest"] as? [String: Any])
            #expect(backtest["messages"] as? Int == 40 && backtest["failing"] as? Int == 20 && answer.json["compatibility"] is NSNull)
        }
    }

    @Test("What is wrong with a question is said, all of it, and what would pass")
    func refused() async throws {
        try await filled { rig in
            for (path, body, status, type, words) in [
                ("/v1/what-if", "", 400, "document-unreadable", ""), ("/v1/what-if", "[]", 422, "document-invalid", "object"),
                ("/v1/what-if", "{}", 422, "document-invalid", "candidates are needed"),
                ("/v1/what-if", #"{"policy":"logged","since":"soon"}"#, 422, "document-invalid", "30d"),
                (
                    "/v1/what-if", #"{"constraints":[{"constraint_id":"a","when":"message.sise > 1","action":{"type":"block"}}]}"#, 422, "document-invalid",
                    "size"
                ),
                ("/v1/what-if?since=1d", #"{"policy":"logged"}"#, 400, "parameters-invalid", "no parameters"),
                ("/v1/templates/backtest", #"{"template":{"template_id":"a","schema":{"type":"int"}}}"#, 422, "document-invalid", "/template/schema/type"),
                ("/v1/templates/backtest", #"{"topics":["a"]}"#, 422, "document-invalid", "template"),
            ] {
                let answer = try await rig.send("POST", path, body)
                #expect(
                    answer.status == status && answer.json["type"] as? String == "urn:meshlog:problem:\(type)",
                    "\(path) \(body): \(answer.status) \(answer.body)")
                #expect((answer.json["detail"] as? String)?.contains(words) == true || words.isEmpty, "\(answer.body)")
            }
            let large = #"{"constraints":[],"remove":["\#(String(repeating: "x", count: Limits.historyBodyBytesMax))"]}"#
            #expect(try await rig.send("POST", "/v1/what-if", large).status == 413)
            #expect(try await rig.send("POST", "/v1/what-if", "{}", ["Content-Type": "application/yaml"]).status == 415)
        }
    }

    @Test("Clients that go away leave the threads to others")
    func hangUp() async throws {
        try await filled { rig in
            let body = #"{"policy":"logged"}"#
            for _ in 0..<12 {
                // Sent and not waited for: the connection goes with the value.
                try RawConnection(port: rig.port).write(RawConnection.post("/v1/what-if", Array(body.utf8)))
            }
            #expect(try await rig.send("POST", "/v1/what-if", body).status == 200)
        }
    }
}
