internal import Core
internal import Foundation
internal import Log
internal import PostgreSQLDriver
internal import RedisDriver
internal import TestSupport
internal import Testing

@testable internal import Views

@Suite("Views on real servers", .serialized, .timeLimit(.minutes(5)))
struct ViewsTests {
    @Test("A message is found by its id, in the native and in the reference's form, and what is not there is said so")
    func one() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...3)
            try await rig.archive(1...2)
            let stand = ViewsRig.position(2).description
            let found = try await rig.get("/v1/messages/\(ViewsRig.uuid(1))")
            #expect(found.status == 200)
            #expect(found.header("Meshlog-Position") == stand)
            #expect(found.json["position"] as? String == ViewsRig.position(1).description)
            #expect(found.json["outcome"] as? String == "deliver")
            #expect(found.body.contains(#""message_data":{"n": 1}"#))
            let reference = try await rig.get("/messages/\(ViewsRig.uuid(1))")
            #expect(reference.status == 200)
            #expect(
                reference.json.keys.sorted() == [
                    "ack_ts", "destination_subject_ids", "message_data", "message_metadata", "message_type", "message_uuid", "origin_ts",
                    "source_subject_id", "topic",
                ])
            let head = try await rig.get("/v1/messages/\(ViewsRig.uuid(1))", method: "HEAD")
            #expect(head.status == 200 && head.body.isEmpty && head.header("Meshlog-Position") == stand)

            let missing = try await rig.get("/v1/messages/\(ViewsRig.uuid(3))")
            #expect(missing.status == 404)
            #expect(missing.header("Content-Type") == "application/problem+json")
            #expect(missing.header("Meshlog-Position") == stand)
            let missingReference = try await rig.get("/messages/\(ViewsRig.uuid(3))")
            #expect(missingReference.status == 404)
            #expect(missingReference.body == #"{"error":"Message not found"}"#)
            #expect(try await rig.get("/v1/messages/7").status == 400)
            #expect(try await rig.get("/messages/7").body.hasPrefix(#"{"error":"uuid: not a UUID"#))
            #expect(try await rig.get("/v1/messages/\(ViewsRig.uuid(1))?x=1").status == 400)
        }
    }

    @Test("Pages follow each other without a gap, in both orders, with filters")
    func pages() async throws {
        try await ViewsRig.run { rig in
            try await rig.archive(1...50)
            for (query, expected) in [
                ("?limit=7", Array((1...50).reversed())), ("?limit=7&order=oldest", Array(1...50)),
                ("?limit=3&topic=orders.*", (1...50).reversed().filter { $0 % 3 != 2 }),
                ("?limit=4&source=alice&type=question&order=oldest", [10, 20, 30, 40, 50]),
                ("?limit=2&outcome=hold", [49, 39, 29, 19, 9]), ("?limit=20&subject=carol", Array((1...50).reversed())), ("?destination=alice", []),
                ("?from=\(1_700_000_010)&to=\(1_700_000_012)", [11, 10]),
            ] as [(String, [Int])] {
                var found: [Int] = []
                var next = query
                for _ in 0..<60 {
                    let page = try await rig.get("/v1/messages" + next)
                    #expect(page.status == 200, "\(page.body)")
                    found += ViewsRig.numbers(page.body)
                    guard let cursor = page.json["next_cursor"] as? String else { break }
                    next = query + (query.isEmpty ? "?" : "&") + "cursor=\(cursor)"
                }
                #expect(found == expected, "\(query)")
            }
        }
    }

    @Test("The reference's list of a subject is an array, newest first, and links to its next page")
    func subject() async throws {
        try await ViewsRig.run { rig in
            try await rig.archive(1...9)
            var found: [Int] = []
            var path: String? = "/messages/subject/alice?limit=3"
            while let here = path {
                let page = try await rig.get(here)
                #expect(page.status == 200)
                #expect(page.body.hasPrefix("["))
                found += ViewsRig.numbers(page.body)
                path = page.header("Link").map { String($0.dropFirst().prefix { $0 != ">" }) }
            }
            #expect(found == [8, 6, 4, 2])
            #expect(try await rig.get("/messages/subject/nobody%2Fhere").body == "[]")
            let bad = try await rig.get("/messages/subject/alice?limit=0")
            #expect(bad.status == 400 && bad.body.hasPrefix(#"{"error":"limit: "#))
        }
    }

    @Test("A read waits for the position it names, and says how far things are when that does not come")
    func minPosition() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...2)
            try await rig.archive(1...1)
            async let late = rig.get("/v1/messages/\(ViewsRig.uuid(2))", ["Meshlog-Min-Position": ViewsRig.position(2).description])
            try await rig.archive(2...2)
            #expect(try await late.status == 200)
            #expect(try await late.header("Meshlog-Position") == ViewsRig.position(2).description)
            let future = try await rig.get("/v1/messages", ["Meshlog-Min-Position": "0-99999999999999-0"])
            #expect(future.status == 400)
            #expect(future.body.contains("lies in the future"))
            let malformed = try await rig.get("/v1/messages", ["Meshlog-Min-Position": "soon"])
            #expect(malformed.status == 400)
            #expect(malformed.body.contains(#""parameter":"Meshlog-Min-Position""#))
            #expect(try await rig.get("/messages/\(ViewsRig.uuid(1))", ["Meshlog-Min-Position": "soon"]).body.hasPrefix(#"{"error":"#))
            try await rig.log(3...3)
            #expect(try await rig.get("/v1/streams/messages", ["Meshlog-Min-Position": ViewsRig.position(3).description]).status == 200)
            // The third is decided, but not archived.
            let waited = try await rig.get("/v1/messages", ["Meshlog-Min-Position": ViewsRig.position(3).description])
            #expect(waited.status == 504)
            #expect(waited.header("Meshlog-Position") == ViewsRig.position(2).description)
            #expect(waited.header("Retry-After") == "1")
            // Nothing lies between: there is nothing to wait for.
            try await rig.archive(3...3)
            let past = ViewsRig.position(50).description
            for path in ["/v1/messages?limit=1", "/messages/\(ViewsRig.uuid(1))", "/v1/streams", "/v1/streams/verdicts", "/v1/streams/operations/entries"] {
                let quiet = try await rig.get(path, ["Meshlog-Min-Position": past])
                #expect(quiet.status == 200 && quiet.header("Meshlog-Position") == past, "\(path)")
            }
            // Redis's clock ran ahead once: what was given out then is no future.
            let ahead = Position(ms: UInt64(Date().timeIntervalSince1970 * 1000) + 7_200_000, seq: 0)
            try await rig.redis { [keys = rig.keys] in try $0.run("XADD", [keys.stream(.operations), ahead.streamID, "event", "test"]) }
            #expect(try await rig.get("/v1/streams/operations", ["Meshlog-Min-Position": ahead.description]).status == 200)
            let beyond = try await rig.get("/v1/streams/operations", ["Meshlog-Min-Position": ahead.next.description])
            #expect(beyond.status == 400)
        }
    }

    @Test("A trace tells door, verdict, archive row and deliveries; of a named message also before it is archived")
    func trace() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...2)
            try await rig.archive(1...1)
            let trace = try await rig.get("/v1/messages/\(ViewsRig.uuid(1))/trace")
            #expect(trace.status == 200)
            #expect(((trace.json["ingress"] as? [String: Any])?["via"] as? String) == "http")
            #expect(((trace.json["verdict"] as? [String: Any])?["outcome"] as? String) == "deliver")
            #expect(((trace.json["archive"] as? [String: Any])?["archived"] as? Bool) == true)
            #expect((trace.json["deliveries"] as? [Any])?.isEmpty == true)
            #expect(try await rig.get("/v1/messages/\(ViewsRig.uuid(2))/trace").status == 404)
            try await rig.redis {
                try $0.run("SET", [rig.keys.namePrefix + ViewsRig.uuid(2).description, "\(ViewsRig.position(2).streamID) abc", "EX", "100"])
            }
            let hot = try await rig.get("/v1/messages/\(ViewsRig.uuid(2))/trace")
            #expect(hot.status == 200)
            #expect(hot.json["position"] as? String == ViewsRig.position(2).description)
            #expect(((hot.json["archive"] as? [String: Any])?["archived"] as? Bool) == false)
            #expect(((hot.json["verdict"] as? [String: Any])?["rule"] as? String) == "default")
            let reference = try await rig.get("/messages/\(ViewsRig.uuid(2))")
            #expect(reference.status == 200 && reference.json.count == 9)
            #expect((reference.json["message_data"] as? [String: Int]) == ["n": 2])
        }
    }

    @Test("A message and its trace show all of its verdict; a named message also before it is archived")
    func verdictDetails() async throws {
        try await ViewsRig.run { rig in
            let uuid = ViewsRig.uuid(7)
            try await rig.redis { session in
                let position = ViewsRig.position(7)
                let message = ViewsRig.decided(7).message
                var verdict = VerdictEntry(
                    messageUUID: uuid, outcome: .hold, rule: "late", reason: "in turn", policyRevision: "0-5-1", targets: ["default"],
                    subject: Array("news".utf8))
                verdict.detail.limits = Array(#"[{"rule":"late","remaining":0}]"#.utf8)
                verdict.detail.annotations = Array(#"{"risk":"high"}"#.utf8)
                verdict.detail.retryAt = Array("1700000008500000".utf8)
                verdict.detail.digest = Array(String(repeating: "a", count: 64).utf8)
                let fields = MessageField.allCases.flatMap { [$0.name.description, message.string($0)] }
                try session.run("XADD", [rig.keys.stream(.messages), position.streamID] + fields)
                let decided = verdict.loggedFields.flatMap { [$0.name.description, String(decoding: $0.value, as: UTF8.self)] }
                try session.run("XADD", [rig.keys.stream(.verdicts), position.streamID] + decided)
                try session.run("SET", [rig.keys.namePrefix + uuid.description, "\(position.streamID) abc", "EX", "100"])
            }
            for path in ["/v1/messages/\(uuid)", "/v1/messages/\(uuid)/trace"] {
                let answer = try await rig.get(path)
                #expect(answer.status == 200, "\(answer.body)")
                let verdict = try #require(answer.json["verdict"] as? [String: Any])
                #expect(verdict["outcome"] as? String == "hold" && verdict["policy_revision"] as? String == "0-5-1")
                #expect((verdict["annotations"] as? [String: String])?["risk"] == "high")
                #expect((verdict["limits"] as? [[String: Any]])?.first?["rule"] as? String == "late")
                #expect(verdict["retry_at"] as? String == "2023-11-14T22:13:28.500Z" && (verdict["digest"] as? String)?.count == 64)
                #expect(verdict["shadow"] == nil && verdict["hold"] == nil)
            }
            try await rig.archive(1...1)
            let archived = try await rig.get("/v1/messages/\(ViewsRig.uuid(1))")
            #expect((archived.json["verdict"] as? [String: Any])?["rule"] as? String == "default")
        }
    }

    @Test("Slow queries of all readers do not make the archive look as if it were missing")
    func slowQueries() async throws {
        try await ViewsRig.run { rig in
            #expect(await eventually { try await rig.get("/readyz").json["missing"] as? [String] == ["nats"] })
            let stores = rig.hub.history.stores
            // For longer than a server that does not answer is borne with.
            let slow = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<2 { group.addTask { try await stores.archive { try $0.query("SELECT pg_sleep(6)") } } }
                    try await group.waitForAll()
                }
            }
            let done = Once()
            let watch = Task {
                defer { _ = done.first() }
                try await slow.value
            }
            var missing: Set<String> = []
            while done.isOpen { missing.formUnion(try await rig.get("/readyz").json["missing"] as? [String] ?? []) }
            try await watch.value
            #expect(missing == ["nats"])
        }
    }

    @Test("Streams, their groups and their entries can be looked at, in pages and in both directions")
    func streams() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...20)
            let all = try await rig.get("/v1/streams")
            #expect((all.json["streams"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == StreamName.allCases.map(\.rawValue))
            #expect(all.header("Meshlog-Position") == ViewsRig.position(20).description)
            let one = try await rig.get("/v1/streams/verdicts")
            #expect(one.json["length"] as? Int == 20)
            #expect(((one.json["declaration"] as? [String: Any])?["groups"] as? [String]) == ["archive", "republish"])
            let groups = try await rig.get("/v1/streams/messages/groups")
            #expect((groups.json["groups"] as? [[String: Any]])?.first?["lag"] as? Int == 20)
            let unknown = try await rig.get("/v1/streams/mesages")
            #expect(unknown.status == 404 && unknown.body.contains("messages, verdicts, deliveries, control, sessions, rejected, operations"))
            for (query, expected) in [
                ("?limit=6", Array(1...20)), ("?limit=6&reverse=true", Array((1...20).reversed())),
                ("?from=\(ViewsRig.position(5))&to=\(ViewsRig.position(8).streamID)&limit=3", Array(5...8)),
                ("?from=2023-11-14T22:13:23Z&to=2023-11-14T22:13:24Z&reverse=true", [4, 3]), ("?from=%2B", []),
            ] as [(String, [Int])] {
                var found: [Int] = []
                var next = query
                for _ in 0..<30 {
                    let page = try await rig.get("/v1/streams/messages/entries" + next)
                    #expect(page.status == 200, "\(page.body)")
                    for entry in page.json["entries"] as? [[String: Any]] ?? [] {
                        let uuid = (entry["fields"] as? [String: String])?["message_uuid"] ?? ""
                        found.append(Int(uuid.suffix(12), radix: 16) ?? -1)
                    }
                    guard let cursor = page.json["next_cursor"] as? String else { break }
                    next = query + "&cursor=\(cursor)"
                }
                #expect(found == expected, "\(query)")
            }
            #expect(try await rig.get("/v1/streams/messages/entries?from=x&to=y&limit=z&reverse=w").body.components(separatedBy: "\"parameter\"").count == 5)
        }
    }

    @Test("What operators ask is answered: alive, which server is missing, the lag of groups, the document, a page")
    func operate() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...4)
            try await rig.archive(1...4)
            #expect(try await rig.get("/healthz").body == #"{"status":"alive"}"#)
            #expect(await eventually { try await rig.get("/readyz").json["missing"] as? [String] == ["nats"] })
            let ready = try await rig.get("/readyz")
            #expect(ready.status == 503)
            #expect((ready.json["detail"] as? String)?.hasPrefix("nats has not answered since 20") == true)
            #expect(
                await eventually {
                    let metrics = try await rig.get("/metrics")
                    return metrics.header("Content-Type") == "text/plain; version=0.0.4"
                        && metrics.body.contains(#"meshlog_group_lag_entries{stream="messages",group="router"} 4"#)
                        && metrics.body.contains(#"meshlog_archive_entries{checkpoint="archive"} 4"#)
                })
            // A group that is gone, as that of a backbone, is not told of any more.
            let verdicts = rig.keys.stream(.verdicts)
            let gone = #"meshlog_group_pending_entries{stream="verdicts",group="republish.eu \"1\""} 0"# + "\n"
            try await rig.redis { try $0.run("XGROUP", ["CREATE", verdicts, "republish.eu \"1\"", "0"]) }
            #expect(await eventually { try await rig.get("/metrics").body.contains(gone) })
            try await rig.redis { try $0.run("XGROUP", ["DESTROY", verdicts, "republish.eu \"1\""]) }
            #expect(await eventually { try await !rig.get("/metrics").body.contains("republish.eu") })
            #expect(try await rig.get("/openapi.yaml").body.hasPrefix("openapi: 3.1.0"))
            let page = try await rig.get("/")
            #expect(page.status == 200 && page.header("Content-Type") == "text/html; charset=utf-8")
            let wrong = try await rig.get("/v1/streams", method: "DELETE")
            #expect(wrong.status == 405)
            #expect(try await rig.get("/messages/subject/").status == 404)
            // GET has no end there, so HEAD tells no length.
            let endless = try await rig.get("/v1/feed", method: "HEAD")
            #expect(endless.status == 200 && endless.header("Content-Length") == nil && endless.body.isEmpty, "\(endless.head)")
            for path in ["/v1/messages", "/v1/feed", "/"] {
                let refused = try await rig.get(path, ["Upgrade": "websocket"])
                #expect(refused.status == 400 && refused.json["type"] as? String == "urn:meshlog:problem:websocket-refused", "\(path): \(refused.body)")
            }
        }
    }
}
