internal import Core
internal import Foundation
internal import Log
internal import RedisDriver
internal import TestSupport
internal import Testing

@testable internal import Views

@Suite("Projections over HTTP", .serialized, .timeLimit(.minutes(5)))
struct ProjectionRoutesTests {
    /// Waits until a projection's first materializer has started.
    private func started(_ rig: ViewsRig, _ name: String) async -> Bool {
        await eventually { try await rig.get("/v1/projections/\(name)").json["status"] as? String == "live" }
    }

    @Test("Projections are listed with how they stand; what is not there is said with what is")
    func status() async throws {
        try await ViewsRig.run(projections: ["registry", "subjects"]) { rig in
            #expect(await started(rig, "registry"))
            let all = try #require(try await rig.get("/v1/projections").json["projections"] as? [[String: Any]])
            #expect(
                Set(all.compactMap { $0["name"] as? String }).isSuperset(of: [
                    "registry", "topic-groups", "config", "constraints", "templates", "subjects", "topics", "traffic",
                ]))
            let registry = try #require(all.first { $0["name"] as? String == "registry" })
            #expect(registry["generation"] as? Int == 1 && registry["rebuild"] is NSNull && registry["stalled"] as? Bool == false)
            #expect((registry["fields"] as? [[String: Any]])?.contains { $0["name"] as? String == "cluster_id" && $0["type"] as? String == "text" } == true)
            #expect(all.first { $0["name"] as? String == "traffic" }?["status"] as? String == "absent")
            for (method, path, status, type) in [
                ("GET", "/v1/projections/nothing", 404, "projection-not-found"), ("GET", "/v1/projections/nothing/rows", 404, "projection-not-found"),
                ("GET", "/v1/projections/nothing/rows/x", 404, "projection-not-found"),
                ("POST", "/v1/projections/nothing/rebuild", 404, "projection-not-found"),
                ("GET", "/v1/projections/traffic/rows", 503, "projection-not-started"), ("GET", "/v1/projections/registry/rows/none", 404, "row-not-found"),
                // A row's key may be made of several names.
                ("GET", "/v1/projections/regi%73try/rows/" + String(repeating: "k", count: 2_048), 404, "row-not-found"),
                ("GET", "/v1/projections/registry/rows/" + String(repeating: "k", count: 2_049), 400, "parameters-invalid"),
                ("GET", "/v1/projections/registry/rows/a%00b", 400, "parameters-invalid"), ("GET", "/v1/projections/%FF", 400, "parameters-invalid"),
                ("GET", "/v1/projections/registry/rows?nonsense=1", 400, "parameters-invalid"),
                ("GET", "/v1/projections/registry/rows?metadata=1", 400, "parameters-invalid"),
                ("GET", "/v1/projections/registry/rows?limit=0&at=x", 400, "parameters-invalid"),
                ("GET", "/v1/projections/registry/rows?name.like=x", 400, "parameters-invalid"),
                ("GET", "/v1/projections/registry/diff", 400, "parameters-invalid"),
                ("GET", "/v1/projections/registry/rows/x?at=2999-01-01T00:00:00Z", 400, "parameters-invalid"),
                ("DELETE", "/v1/projections/registry/rebuild", 409, "projection-status"), ("POST", "/v1/projections/registry/resume", 409, "projection-status"),
                ("POST", "/v1/projections/registry/resume?way=jump", 400, "parameters-invalid"),
                ("POST", "/v1/projections/registry/parked/soon/retry", 400, "parameters-invalid"),
                ("POST", "/v1/projections/registry/parked/0-5-5/retry", 404, "parked-not-found"),
                ("DELETE", "/v1/projections/registry/parked/0-5-5", 404, "parked-not-found"),
                ("DELETE", "/v1/projections/registry/parked/0%2D5%2D5", 404, "parked-not-found"),
            ] {
                let answer = try await rig.send(method, path)
                #expect(
                    answer.status == status && answer.json["type"] as? String == "urn:meshlog:problem:\(type)",
                    "\(method) \(path): \(answer.status) \(answer.body)")
                #expect((answer.json["detail"] as? String)?.isEmpty == false)
            }
        }
    }

    @Test("Rows of the registry follow its documents: by key, by filters, page by page, as of any position, and compared")
    func registry() async throws {
        try await ViewsRig.run(projections: ["registry", "subjects"]) { rig in
            #expect(await started(rig, "registry"))
            var positions: [String] = []
            for number in 1...5 {
                let put = try await rig.send(
                    "PUT", "/v1/backbones/b\(number)", #"{"name": "n\#(number)", "cluster_id": "\#(number % 2 == 0 ? "even" : "odd")"}"#)
                positions.append(put.header("Meshlog-Position") ?? "")
            }
            let last = ["Meshlog-Min-Position": positions[4]]
            let row = try await rig.get("/v1/projections/registry/rows/b5", last)
            #expect(row.status == 200 && row.json["position"] as? String == positions[4], "\(row.body)")
            #expect(((row.json["row"] as? [String: Any])?["document"] as? [String: Any])?["name"] as? String == "n5")
            for (query, expected) in [
                ("", [1, 2, 3, 4, 5]), ("?cluster_id=odd", [1, 3, 5]), ("?name.in=n1,n4", [1, 4]), ("?key.gte=b3&limit=1", [3, 4, 5]),
                ("?name.prefix=n&limit=2", [1, 2, 3, 4, 5]),
                ("?at=\(positions[2])", [1, 2, 3]), ("?at=\(positions[3])&cluster_id=even&limit=1", [2, 4]),
            ] {
                var found: [Int] = []
                var next = query
                for _ in 0..<9 {
                    let page = try await rig.get("/v1/projections/registry/rows\(next)", last)
                    #expect(page.status == 200, "\(query): \(page.body)")
                    found += (page.json["rows"] as? [[String: Any]] ?? []).compactMap { ($0["key"] as? String).flatMap { Int($0.dropFirst()) } }
                    guard let cursor = page.json["next_cursor"] as? String else { break }
                    next = query + "&cursor=\(cursor)"
                }
                #expect(found == expected, "\(query)")
            }
            let patched = try await rig.send("PATCH", "/v1/backbones/b1", #"{"name": "uno"}"#).header("Meshlog-Position") ?? ""
            let gone = try await rig.send("DELETE", "/v1/backbones/b2").header("Meshlog-Position") ?? ""
            #expect(
                ((try await rig.get("/v1/projections/registry/rows/b1?at=\(positions[4])").json["row"] as? [String: Any])?["document"] as? [String: Any])?[
                    "name"] as? String == "n1")
            #expect(try await rig.get("/v1/projections/registry/rows/b2?at=\(patched)").status == 200)
            #expect(try await rig.get("/v1/projections/registry/rows/b2").status == 404)
            let diff = try await rig.get("/v1/projections/registry/diff?from=\(positions[3])&to=\(gone)")
            #expect(
                (diff.json["differences"] as? [[String: Any]])?.map { "\($0["key"] ?? "") \($0["change"] ?? "")" } == [
                    "b1 updated", "b2 deleted", "b5 created",
                ], "\(diff.body)")
            // The rows in PostgreSQL say the same as the memory.
            let stored = try await rig.get("/v1/projections/registry/rows?key=b1", ["Meshlog-Min-Position": gone])
            #expect(stored.body.contains(try await rig.get("/v1/projections/registry/rows/b1").body))
        }
    }

    @Test("Rows over messages are read once the projection has passed the position, and as of any other")
    func subjects() async throws {
        try await ViewsRig.run(projections: ["registry", "subjects"]) { rig in
            #expect(await started(rig, "subjects"))
            try await rig.log(1...6)
            let last = ViewsRig.position(6).description
            let rows = try await rig.get("/v1/projections/subjects/rows", ["Meshlog-Min-Position": last])
            #expect(rows.status == 200, "\(rows.body)")
            #expect((rows.json["rows"] as? [[String: Any]])?.compactMap { $0["key"] as? String } == ["alice", "bob", "carol"])
            let alice = try await rig.get("/v1/projections/subjects/rows/alice")
            #expect(alice.status == 200 && alice.json["position"] as? String == last, "\(alice.body)")
            let then = try await rig.get("/v1/projections/subjects/rows?at=\(ViewsRig.position(1))")
            #expect((then.json["rows"] as? [[String: Any]])?.compactMap { $0["key"] as? String } == ["bob", "carol"], "\(then.body)")
            #expect(try await rig.get("/v1/projections/subjects/rows/alice?at=\(ViewsRig.position(1))").status == 404)
            #expect(try await rig.get("/v1/projections/subjects/rows/alice?at=\(ViewsRig.position(2))").status == 200)
            // Nothing lies between: there is nothing to wait for.
            let past = ViewsRig.position(60).description
            let quiet = try await rig.get("/v1/projections/subjects/rows/alice", ["Meshlog-Min-Position": past])
            #expect(quiet.status == 200 && quiet.header("Meshlog-Position") == past)
        }
    }

    @Test("A rebuild is begun, seen and given up; a parked event is listed, tried again and given up")
    func work() async throws {
        try await ViewsRig.run(projections: ["registry", "subjects"]) { rig in
            #expect(await started(rig, "registry"))
            let begun = try await rig.send("POST", "/v1/projections/registry/rebuild")
            #expect(begun.status == 202 && begun.header("Location") == "/v1/projections/registry" && begun.json["generation"] as? Int == 2, "\(begun.body)")
            #expect((try await rig.get("/v1/projections/registry").json["rebuild"] as? [String: Any])?["generation"] as? Int == 2)
            let cancelled = try await rig.send("DELETE", "/v1/projections/registry/rebuild")
            #expect(cancelled.status == 200 && cancelled.json["status"] as? String == "cancelled")
            #expect(try await rig.get("/v1/projections/registry").json["rebuild"] is NSNull)

            try await rig.redis { [keys = rig.keys] in try $0.run("XADD", [keys.stream(.control), "*", "event", "backbone.exploded", "v", "1"]) }
            func parked() async throws -> [[String: Any]] { try await rig.get("/v1/projections/registry/parked").json["parked"] as? [[String: Any]] ?? [] }
            #expect(await eventually { try await parked().count == 1 })
            let event = try #require(try await parked().first)
            let position = try #require(event["position"] as? String)
            #expect(event["status"] as? String == "parked" && (event["reason"] as? String)?.contains("exploded") == true)
            #expect((event["entry"] as? [String: Any])?["event"] as? String == "backbone.exploded")
            #expect(try await rig.send("POST", "/v1/projections/registry/parked/\(position)/retry").status == 202)
            #expect(await eventually { try await parked().first?["attempts"] as? Int ?? 0 > 1 })
            #expect(try await rig.send("DELETE", "/v1/projections/registry/parked/\(position)").status == 200)
            #expect(await eventually { try await rig.get("/v1/projections/registry").json["parked"] as? Int == 0 })
        }
    }
}
