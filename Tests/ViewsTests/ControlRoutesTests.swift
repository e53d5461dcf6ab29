internal import Core
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Views

@Suite("The control plane over HTTP", .serialized, .timeLimit(.minutes(5)))
struct ControlRoutesTests {
    @Test(
        "A document is created, read, replaced, patched and deleted, with its version in the ETag",
        arguments: [
            ("backbones", #"{"name": "first", "cluster_id": "c"}"#, "cluster_id"),
            ("topics", #"{"topic_ids": ["t"], "description": "first", "org_id": "o"}"#, "org_id"),
            ("constraints", #"{"description": "first", "action": {"type": "block"}, "reason": "r"}"#, "reason"),
            ("templates", #"{"description": "first", "schema": {"type": "object"}, "version": 1}"#, "version"),
        ])
    func documents(_ word: String, _ body: String, _ optional: String) async throws {
        try await ViewsRig.run { rig in
            let member = try #require(ControlKind(word: word)?.keyMember)
            let made = try await rig.send("POST", "/v1/\(word)", body, ["Meshlog-Principal": "ann", "Meshlog-Comment": "to begin"])
            #expect(made.status == 201, "\(made.body)")
            let key = try #require(made.json[member] as? String)
            #expect(MessageUUID(key)?.v7Milliseconds != nil)
            #expect(made.header("Location") == "/v1/\(word)/\(key)")
            let first = try #require(made.header("ETag"))
            #expect(first == "\"\(made.header("Meshlog-Position") ?? "")\"")

            let read = try await rig.get("/v1/\(word)/\(key)")
            #expect(read.status == 200 && read.header("ETag") == first && read.body == made.body)
            #expect(try await rig.get("/v1/\(word)/\(key)", ["If-None-Match": first]).status == 304)
            // What was read can be put back.
            let put = try await rig.send("PUT", "/v1/\(word)/\(key)", read.body.replacing("first", with: "second"), ["If-Match": first])
            #expect(put.status == 200 && put.header("ETag") != first)
            let patched = try await rig.send("PATCH", "/v1/\(word)/\(key)", #"{"\#(optional)": null}"#, ["Content-Type": "application/merge-patch+json"])
            #expect(patched.status == 200, "\(patched.body)")
            #expect(patched.json[optional] == nil && patched.body.contains("second"))

            let stale = try await rig.send("PATCH", "/v1/\(word)/\(key)", "{}", ["If-Match": first])
            #expect(stale.status == 412 && stale.header("Content-Type") == "application/problem+json")
            #expect(stale.json["type"] as? String == "urn:meshlog:problem:version-mismatch")
            #expect("\"\(stale.json["current_version"] as? String ?? "")\"" == patched.header("ETag"))
            #expect((stale.json["current"] as? [String: Any])?[member] as? String == key)
            #expect(stale.json["would_pass"] as? String == "If-Match: \(patched.header("ETag") ?? "")")
            let unknown = try await rig.send("PATCH", "/v1/\(word)/\(key)", #"{"nonsense": 1}"#)
            #expect(unknown.status == 422 && unknown.body.contains(#""code":"unknown-field","pointer":"/nonsense""#), "\(unknown.body)")

            let gone = try await rig.send("DELETE", "/v1/\(word)/\(key)", "", ["If-Match": "*"])
            #expect(gone.status == 204 && gone.body.isEmpty && gone.header("Meshlog-Position") != nil)
            let missing = try await rig.get("/v1/\(word)/\(key)", ["Meshlog-Min-Position": gone.header("Meshlog-Position") ?? ""])
            #expect(missing.status == 404 && missing.json["key"] as? String == key && missing.header("Meshlog-Position") == gone.header("Meshlog-Position"))
        }
    }

    @Test("What is there already, and what was named and is not, is said with what would pass")
    func conflicts() async throws {
        try await ViewsRig.run { rig in
            let made = try await rig.send("PUT", "/v1/templates/a%2Fb", #"{"schema": true}"#, ["If-None-Match": "*"])
            #expect(made.status == 201 && made.json["template_id"] as? String == "a/b")
            let tag = made.header("ETag") ?? ""
            for (method, path, body, headers, status, type) in [
                ("POST", "/v1/templates", #"{"template_id": "a/b", "schema": true}"#, [:], 409, "document-exists"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["If-None-Match": "*"], 412, "version-mismatch"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["If-Match": "\"0-1-1\""], 412, "version-mismatch"),
                ("DELETE", "/v1/templates/a%2Fb", "", ["If-Match": "\"0-1-1\""], 412, "version-mismatch"),
                ("PATCH", "/v1/templates/none", "{}", [:], 404, "document-not-found"), ("DELETE", "/v1/templates/none", "", [:], 404, "document-not-found"),
                ("PUT", "/v1/templates/none", "{}", ["If-Match": "*"], 404, "document-not-found"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["If-Match": "soon"], 400, "parameters-invalid"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["If-Match": "\"soon\""], 412, "version-mismatch"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["If-Match": "W/" + tag], 412, "version-mismatch"),
                ("GET", "/v1/templates/a%2Fb", "", ["If-Match": "\"soon\""], 412, "version-mismatch"),
                ("GET", "/v1/templates/a%2Fb", "", ["If-Match": "soon"], 400, "parameters-invalid"),
                ("GET", "/v1/templates/a%2Fb", "", ["If-None-Match": tag + " " + tag], 400, "parameters-invalid"),
                ("POST", "/v1/topics", #"{"subject_id": "..", "topic_ids": []}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/topics/%2E%2E", #"{"topic_ids": []}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/templates/a%2Fb", #"{"schema": true, "schema": false}"#, [:], 422, "document-invalid"),
                ("PATCH", "/v1/templates/a%2Fb", #"{"description": "a", "description": "b"}"#, [:], 422, "document-invalid"),
                ("POST", "/v1/topics", #"{"topic_ids": [], "topic_ids": ["a"]}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/config/global/x", #"{"value": {"a": 1, "a": 2}}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["If-None-Match": tag], 400, "parameters-invalid"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["If-Match": tag, "If-None-Match": "*"], 400, "parameters-invalid"),
                ("POST", "/v1/templates", "{}", ["If-Match": tag], 400, "parameters-invalid"),
                ("POST", "/v1/templates", #"{"template_id": 7}"#, [:], 422, "document-invalid"),
                ("POST", "/v1/templates", #"{"template_id": "diff"}"#, [:], 422, "document-invalid"),
                ("POST", "/v1/templates", #"{"template_id": "backtest", "schema": true}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/templates/backtest", #"{"schema": true}"#, [:], 405, "method-not-allowed"),
                ("PUT", "/v1/templates/diff", "{}", [:], 405, "method-not-allowed"),
                ("POST", "/v1/templates", #"{"template_id": ""}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/templates/a%2Fb", #"{"template_id": "c"}"#, [:], 422, "document-invalid"),
                ("PATCH", "/v1/templates/a%2Fb", #"{"template_id": "c"}"#, [:], 422, "document-invalid"),
                ("PATCH", "/v1/templates/a%2Fb", "[1]", [:], 422, "document-invalid"),
                ("PUT", "/v1/templates/a%2Fb", "[1]", [:], 422, "document-invalid"), ("PUT", "/v1/templates/a%2Fb", "{", [:], 400, "document-unreadable"),
                ("PUT", "/v1/templates/a%2Fb", #"{"description": "\#(String(repeating: "x", count: 300_000))"}"#, [:], 413, "document-too-large"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["Content-Type": "application/xml"], 415, "content-type"),
                ("PATCH", "/v1/templates/a%2Fb", "{}", ["Content-Type": "application/json-patch+json"], 415, "content-type"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["Meshlog-Comment": String(repeating: "x", count: 1_025)], 400, "parameters-invalid"),
                ("PUT", "/v1/templates/a%2Fb", "{}", ["Meshlog-Principal": String(repeating: "x", count: 257)], 400, "parameters-invalid"),
                ("PUT", "/v1/templates/a%2Fb?dry_run=true", "{}", [:], 400, "parameters-invalid"),
                ("PUT", "/v1/templates/%ff", "{}", [:], 400, "parameters-invalid"),
                ("PUT", "/v1/config/topic/a..b/x", #"{"value": 1}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/config/topic/a.b/max_message_bytes", #"{"value": 0}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/config/topic/a.b/retention_age_ms", #"{"value": 60000}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/config/global/x", "7", [:], 422, "document-invalid"),
                ("PUT", "/v1/config/global/x", #"{"valu": 7}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/config/global/x", #"{"value": 7, "level": "org"}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/config/galaxy/m33/x", #"{"value": 7}"#, [:], 400, "parameters-invalid"),
                ("PUT", "/v1/config/global/m33/x", #"{"value": 7}"#, [:], 400, "parameters-invalid"),
                ("PATCH", "/v1/config/global/x", "{}", [:], 405, "method-not-allowed"),
                ("PUT", "/v1/templates/t", #"{"schema": 7}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/templates/t", #"{"schema": true, "policy_input_schema": {"a": {"type": "any"}}}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/topics/t", #"{"topic_ids": "a"}"#, [:], 422, "document-invalid"), ("PUT", "/v1/topics/t", "{}", [:], 422, "document-invalid"),
                ("PUT", "/v1/backbones/t", #"{"org_ids": "a,b"}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/backbones/t", #"{"public_url": "nowhere"}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/constraints/t", "{}", [:], 422, "document-invalid"),
                ("PUT", "/v1/constraints/t", #"{"action": {"type": "explode"}}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/constraints/t", #"{"action": {"type": "limit", "rate": 1}}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/constraints/t", #"{"action": {"type": "reroute"}}"#, [:], 422, "document-invalid"),
                ("PUT", "/v1/constraints/t", #"{"action": {"type": "block"}, "scope": {"topics": ["a..b"]}}"#, [:], 422, "document-invalid"),
            ] as [(String, String, String, [String: String], Int, String)] {
                let answer = try await rig.send(method, path, body, headers)
                #expect(answer.status == status, "\(method) \(path) \(body.prefix(80)) \(headers): \(answer.status) \(answer.body)")
                #expect(answer.json["type"] as? String == "urn:meshlog:problem:\(type)", "\(method) \(path) \(body.prefix(80))")
                #expect((answer.json["detail"] as? String)?.isEmpty == false)
                if status == 422 { #expect((answer.json["violations"] as? [[String: Any]])?.isEmpty == false) }
            }
            #expect(try await rig.get("/v1/templates/a%2Fb").header("ETag") == tag, "nothing of this changed anything")
        }
    }

    @Test("A read and a change name versions by list; a weak tag is one that is known, and never one that must be there")
    func conditions() async throws {
        try await ViewsRig.run { rig in
            let tag = try await rig.send("PUT", "/v1/backbones/b", #"{"name": "one"}"#).header("ETag") ?? ""
            for (field, value, status) in [
                ("If-Match", tag, 200), ("If-Match", "*", 200), ("If-Match", "\"x\", \(tag)", 200), ("If-Match", "\"x\"", 412), ("If-Match", "W/\(tag)", 412),
                ("If-Match", "\"a,b\" ,, \(tag),", 200), ("If-Match", "\"x", 400), ("If-Match", "w/\(tag)", 400), ("If-Match", ",", 400),
                ("If-None-Match", tag, 304), ("If-None-Match", "*", 304), ("If-None-Match", "W/\(tag)", 304), ("If-None-Match", "\"x\" , \(tag)", 304),
                ("If-None-Match", "\"x\", W/\"y\"", 200), ("If-None-Match", "x", 400),
            ] as [(String, String, Int)] {
                let answer = try await rig.get("/v1/backbones/b", [field: value])
                #expect(answer.status == status, "\(field): \(value): \(answer.status) \(answer.body)")
                if status == 412 {
                    #expect(answer.header("ETag") == tag && answer.json["would_pass"] as? String == "If-Match: \(tag)")
                    #expect((answer.json["current"] as? [String: Any])?["name"] as? String == "one")
                }
            }
            #expect(try await rig.send("PATCH", "/v1/backbones/b", #"{"name": "two"}"#, ["If-Match": "\"x\", W/\(tag)"]).status == 412)
            #expect(try await rig.send("PATCH", "/v1/backbones/b", #"{"name": "two"}"#, ["If-Match": "\"x\", \(tag)"]).status == 200)
            #expect(try await rig.send("DELETE", "/v1/backbones/b", "", ["If-Match": tag]).status == 412)
        }
    }

    @Test("A document that says a member twice is refused with the place, so that no later change turns it into another one")
    func duplicates() async throws {
        try await ViewsRig.run { rig in
            let put = try await rig.send(
                "PUT", "/v1/constraints/c", #"{"action": {"type": "annotate", "metadata": {"a": 1}}, "action": {"type": "block"}}"#)
            #expect(put.status == 422 && put.body.contains(#""code":"duplicate-key","pointer":"/action""#), "\(put.body)")
            #expect(try await rig.get("/v1/constraints/c").status == 404)
            let deep = try await rig.send("PUT", "/v1/config/global/x", #"{"value": [{"a": 1, "a": 2}]}"#)
            #expect(deep.status == 422 && deep.body.contains(#""pointer":"/value/0/a""#), "\(deep.body)")
            let reference = try await Curl.run(rig, "POST", "/backbone", #"{"name": "a", "name": "b"}"#)
            #expect(reference.status == 400 && reference.error?.contains("stands twice") == true, "\(reference.body)")
        }
    }

    @Test("Lists are filtered by members and dotted paths, and paged in the order of keys")
    func filters() async throws {
        try await ViewsRig.run { rig in
            for number in 1...9 {
                let body =
                    #"{"priority": \#(number), "mode": "\#(number % 2 == 0 ? "enforce" : "shadow")", "scope": {"topics": ["t\#(number)", "all"]}, "action": {"type": "annotate", "metadata": {"rate": \#(number * 10), "soft": \#(number > 5)}}}"#
                #expect(try await rig.send("PUT", "/v1/constraints/c\(number)", body).status == 201)
            }
            for (query, expected) in [
                ("", Array(1...9)), ("?mode=enforce", [2, 4, 6, 8]), ("?priority=3", [3]), ("?priority=3.0", [3]), ("?priority.gt=7", [8, 9]),
                ("?priority.gte=7&mode=shadow", [7, 9]), ("?priority.lt=3", [1, 2]), ("?priority.lte=3&priority.gt=1", [2, 3]),
                ("?priority.in=1,4,99", [1, 4]),
                ("?scope.topics=t5", [5]), ("?scope.topics=all&priority.gt=8", [9]), ("?scope.topics.prefix=t7", [7]), ("?action.metadata.rate.gt=75", [8, 9]),
                ("?action.metadata.soft=true", [6, 7, 8, 9]), ("?constraint_id.prefix=c&constraint_id.gt=c7", [8, 9]),
                ("?mode.eq=enforce&limit=2", [2, 4, 6, 8]),
                ("?action.missing=1", []), ("?limit=4", Array(1...9)), ("?mode.in=enforce%2Cshadow&limit=3", Array(1...9)),
            ] as [(String, [Int])] {
                var found: [Int] = []
                var next = query
                for _ in 0..<20 {
                    let page = try await rig.get("/v1/constraints" + next)
                    #expect(page.status == 200, "\(query): \(page.body)")
                    found += (page.json["documents"] as? [[String: Any]] ?? []).compactMap { ($0["key"] as? String).flatMap { Int($0.dropFirst()) } }
                    guard let cursor = page.json["next_cursor"] as? String else { break }
                    next = query + "&cursor=\(cursor)"
                }
                #expect(found == expected, "\(query)")
            }
            let record = try #require((try await rig.get("/v1/constraints?limit=1").json["documents"] as? [[String: Any]])?.first)
            #expect(record.keys.sorted() == ["comment", "created", "created_ts", "document", "key", "principal", "revision", "revision_ts", "via"])
            for (query, words) in [
                ("?prioritty=1", ["no such parameter or field", "constraint_id", "at, cursor, limit"]), ("?priority=high", ["'high' is not a whole number"]),
                ("?priority=1.5", ["not a whole number"]), ("?priority.prefix=1", ["priority.gt"]), ("?mode.x=1", ["it has no members"]),
                ("?scope=all", ["ask for its members"]),
                ("?scope..topics=all", ["it has no members to ask for"]), ("?limit=0", ["1 to 1000"]), ("?cursor=abc", ["not a cursor"]),
                ("?at=yesterday", ["not a position"]),
                ("?at=2999-01-01T00:00:00Z", ["lies in the future"]), ("?at=0-99999999999999-0", ["lies in the future"]), ("?at=1-5-0", ["not a position"]),
                ("?priority=1&priority=2", ["stands twice"]), ("?priority.in=1,x", ["'x' is not a whole number"]),
                ("?limit=x&at=y&prioritty=1", ["limit: ", "at: ", "prioritty: "]),
                ("?" + (1...17).map { "action.a\($0)=1" }.joined(separator: "&"), ["more than 16 conditions"]),
            ] as [(String, [String])] {
                let refused = try await rig.get("/v1/constraints" + query)
                #expect(refused.status == 400 && refused.json["type"] as? String == "urn:meshlog:problem:parameters-invalid", "\(query): \(refused.body)")
                for word in words { #expect((refused.json["detail"] as? String)?.contains(word) == true, "\(query): \(refused.body)") }
            }
        }
    }

    @Test("Filter fields are the members that documents have")
    func fields() throws {
        // Constraints and templates are read by the policy's own readers.
        for kind in [ControlKind.backbone, .topics, .config] {
            let text = try #require(Repository.text("streams/documents/\(kind.rawValue).json"))
            let schema = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect((schema["properties"] as? [String: Any])?.keys.sorted() == kind.fields.map(\.name).sorted(), "\(kind)")
            #expect(schema["additionalProperties"] as? Bool == false)
            if let member = kind.keyMember { #expect((schema["required"] as? [String])?.contains(member) == true) }
        }
    }

    @Test("The past of a document can be read, told and compared; a restore brings it back as new events")
    func past() async throws {
        try await ViewsRig.run { rig in
            var tags: [String] = []
            for (name, who) in [("one", "ann"), ("two", "bob"), ("three", "eve")] {
                let answer = try await rig.send(
                    "PUT", "/v1/backbones/b", #"{"name": "\#(name)", "metadata": {"n": {"x": 1}}}"#,
                    ["Meshlog-Principal": who, "Meshlog-Comment": "is \(name)"])
                tags.append(answer.header("Meshlog-Position") ?? "")
            }
            let other = try await rig.send("PUT", "/v1/backbones/c", "{}").header("Meshlog-Position") ?? ""
            #expect(try await rig.send("PUT", "/v1/config/global/colour", #"{"value": "red"}"#).status == 201)
            let gone = try await rig.send("DELETE", "/v1/backbones/b").header("Meshlog-Position") ?? ""

            for (index, name) in ["one", "two", "three"].enumerated() {
                let then = try await rig.get("/v1/backbones/b?at=\(tags[index])")
                #expect(then.json["name"] as? String == name && then.header("Meshlog-Position") == tags[index])
            }
            #expect(try await rig.get("/v1/backbones/b?at=0-5-0").status == 404)
            #expect(try await rig.get("/v1/backbones/b?at=2020-01-01T00:00:00Z").status == 404)
            let soon = Timestamp.rfc3339(microseconds: Int64(Date().timeIntervalSince1970 * 1e6) + 60_000_000)
            #expect(try await rig.get("/v1/backbones?at=\(soon)").body.contains(#""key":"c""#))
            #expect((try await rig.get("/v1/backbones?at=\(tags[1])").json["documents"] as? [[String: Any]])?.count == 1)

            let history = try await rig.get("/v1/backbones/b/history?limit=2")
            let page = try #require(history.json["changes"] as? [[String: Any]])
            #expect(page.map { $0["change"] as? String } == ["deleted", "updated"])
            #expect(page[0]["after"] is NSNull && (page[0]["before"] as? [String: Any])?["name"] as? String == "three")
            #expect(page[1]["principal"] as? String == "eve" && page[1]["comment"] as? String == "is three" && page[1]["via"] as? String == "http")
            #expect((page[1]["before"] as? [String: Any])?["name"] as? String == "two")
            let older = try await rig.get("/v1/backbones/b/history?limit=2&cursor=\(history.json["next_cursor"] as? String ?? "")")
            let rest = try #require(older.json["changes"] as? [[String: Any]])
            #expect(rest.map { $0["change"] as? String } == ["updated", "created"] && rest[1]["before"] is NSNull && older.json["next_cursor"] is NSNull)
            #expect(try await rig.get("/v1/backbones/none/history").status == 404)

            let diff = try await rig.get("/v1/backbones/b/diff?from=\(tags[0])&to=\(tags[2])")
            #expect(diff.json["change"] as? String == "updated")
            #expect((diff.json["members"] as? [[String: Any]])?.map { "\($0["pointer"] ?? "") \($0["from"] ?? "") \($0["to"] ?? "")" } == ["/name one three"])
            #expect(try await rig.get("/v1/backbones/b/diff?from=\(tags[2])").json["change"] as? String == "deleted")
            let all = try await rig.get("/v1/backbones/diff?from=\(tags[1])&to=\(other)")
            #expect((all.json["differences"] as? [[String: Any]])?.map { "\($0["key"] ?? "") \($0["change"] ?? "")" } == ["b updated", "c created"])
            for query in ["", "?from=x", "?from=\(tags[1])&to=\(tags[0])", "?from=\(tags[0])&limit=0"] {
                #expect(try await rig.get("/v1/backbones/diff\(query)").status == 400, "\(query)")
            }

            let plan = try await rig.send("POST", "/v1/restore", #"{"to": "\#(tags[1])", "kinds": ["backbones"], "dry_run": true}"#)
            #expect(plan.status == 200, "\(plan.body)")
            #expect((plan.json["changes"] as? [[String: Any]])?.map { "\($0["key"] ?? "") \($0["change"] ?? "")" } == ["b created", "c deleted"])
            #expect(try await rig.get("/v1/backbones/b").status == 404)
            let restored = try await rig.send(
                "POST", "/v1/restore", #"{"to": "\#(tags[1])", "kinds": ["backbones"], "comment": "was better"}"#, ["Meshlog-Principal": "ann"])
            let changes = try #require(restored.json["changes"] as? [[String: Any]])
            #expect(changes.map { "\($0["key"] ?? "") \($0["change"] ?? "")" } == ["b created", "c deleted"])
            #expect(restored.header("Meshlog-Position") == changes.last?["position"] as? String)
            #expect(try await rig.get("/v1/backbones/b").json["name"] as? String == "two")
            #expect(try await rig.get("/v1/backbones/c").status == 404)
            #expect(try await rig.get("/v1/config/global/colour").status == 200, "other kinds are left alone")
            let told = try #require((try await rig.get("/v1/backbones/b/history?limit=1").json["changes"] as? [[String: Any]])?.first)
            #expect(told["restored_from"] as? String == tags[1] && told["comment"] as? String == "was better" && told["principal"] as? String == "ann")
            #expect((try await rig.send("POST", "/v1/restore", #"{"to": "\#(tags[1])", "kinds": ["backbones"]}"#).json["changes"] as? [Any])?.isEmpty == true)
            for body in [
                "{}", #"{"to": "soon", "kinds": ["config"]}"#, #"{"to": "\#(gone)", "kinds": []}"#, #"{"to": "\#(gone)", "kinds": ["conf"]}"#,
                #"{"to": "\#(gone)"}"#,
                #"{"to": "\#(gone)", "kinds": ["config"], "dry": true}"#, #"{"to": "\#(gone)", "kinds": ["config"], "dry_run": 1}"#,
                #"{"to": 5, "kinds": ["config"]}"#,
                #"{"to": "2999-01-01T00:00:00Z", "kinds": ["config"]}"#,
            ] {
                let refused = try await rig.send("POST", "/v1/restore", body)
                #expect(refused.status == 422 && (refused.json["violations"] as? [Any])?.isEmpty == false, "\(body): \(refused.body)")
            }
        }
    }

    @Test("The value that holds is explained: who set it where, what it was, and what lost")
    func explain() async throws {
        try await ViewsRig.run { rig in
            func explain(_ query: String) async throws -> [String: Any] {
                let answer = try await rig.get("/v1/config/explain?\(query)")
                #expect(answer.status == 200, "\(query): \(answer.body)")
                return answer.json
            }
            let fallback = try await explain("key=max_message_bytes&topic=tasks.plan")
            #expect(fallback["source"] as? String == "default" && fallback["value"] as? Int == 1_048_576 && fallback["set_by"] is NSNull)
            #expect(try await explain("key=colour")["source"] as? String == "none")
            #expect(try await rig.send("PUT", "/v1/topics/planner", #"{"topic_ids": ["tasks.plan"], "org_id": "acme"}"#).status == 201)
            var before = ""
            for (path, value) in [
                ("global", 1000), ("org/acme", 2000), ("topic/tasks.%3E", 3000), ("topic/tasks.plan", 4000), ("subject/bob%2F1", 5000),
                ("topic/tasks.plan", 4500),
            ] {
                let set = try await rig.send(
                    "PUT", "/v1/config/\(path)/max_message_bytes", #"{"value": \#(value)}"#, ["Meshlog-Principal": "ann", "Meshlog-Comment": "tuned"])
                #expect(set.status == (value == 4500 ? 200 : 201), "\(set.body)")
                #expect(set.json["value"] as? Int == value)
                if value == 4000 { before = set.header("Meshlog-Position") ?? "" }
            }
            for (query, value, level) in [
                ("topic=tasks.plan&subject=bob%2F1", 5000, "subject"), ("topic=tasks.plan&subject=eve", 4500, "topic"), ("topic=tasks.review", 3000, "topic"),
                ("topic=news", 1000, "global"), ("", 1000, "global"), ("topic=tasks.plan&at=\(before)&subject=bob%2F1", 4000, "topic"),
            ] {
                let told = try await explain("key=max_message_bytes&\(query)")
                #expect(told["value"] as? Int == value && (told["set_by"] as? [String: Any])?["level"] as? String == level, "\(query): \(told)")
            }
            let told = try await explain("key=max_message_bytes&topic=tasks.plan")
            #expect(told["organisation"] as? String == "acme" && told["source"] as? String == "set")
            let by = try #require(told["set_by"] as? [String: Any])
            #expect(by["principal"] as? String == "ann" && by["comment"] as? String == "tuned" && by["via"] as? String == "http")
            #expect((by["previous"] as? [String: Any])?["value"] as? Int == 4000 && by["path"] as? String == "/v1/config/topic/tasks.plan/max_message_bytes")
            let candidates = try #require(told["candidates"] as? [[String: Any]])
            #expect(
                candidates.map { $0["value"] as? Int } == [4500, 3000, 2000, 1000] && candidates.map { $0["wins"] as? Bool } == [true, false, false, false])
            #expect((told["known"] as? [String: Any])?["maximum"] as? Int == Limits.messageBytesMax)
            for query in ["", "?key=", "?key=x&topic=a..b", "?key=x&topik=a", "?key=x&at=z"] {
                #expect(try await rig.get("/v1/config/explain\(query)").status == 400, "\(query)")
            }
            let known = try #require(try await rig.get("/v1/config/known").json["settings"] as? [[String: Any]])
            #expect(known.map { $0["key"] as? String } == KnownSetting.allCases.map(\.rawValue))
            // A value goes the way of every document.
            let one = try await rig.get("/v1/config/subject/bob%2F1/max_message_bytes")
            #expect(one.json["scope"] as? String == "bob/1" && one.header("ETag") != nil)
            #expect(try await rig.send("PUT", "/v1/config/subject/bob%2F1/max_message_bytes", one.body, ["If-Match": one.header("ETag") ?? ""]).status == 200)
            #expect(
                (try await rig.get("/v1/config?level=topic&value.gt=3500").json["documents"] as? [[String: Any]])?.map { $0["key"] as? String } == [
                    "topic/max_message_bytes/tasks.plan"
                ])
            #expect((try await rig.get("/v1/config/topic/tasks.plan/max_message_bytes/history").json["changes"] as? [Any])?.count == 2)
            #expect(try await rig.get("/v1/config/global/max_message_bytes/diff?from=\(before)").json["change"] is NSNull)
            #expect(try await rig.send("DELETE", "/v1/config/global/max_message_bytes").status == 204)
            #expect(try await explain("key=max_message_bytes&topic=news")["source"] as? String == "default")
        }
    }

    @Test("A read waits for the change it names; a position of another stream only has to have passed")
    func readYourWrites() async throws {
        try await ViewsRig.run { rig in
            for number in 1...20 {
                let set = try await rig.send("PUT", "/v1/config/global/n", #"{"value": \#(number)}"#)
                let read = try await rig.get("/v1/config/global/n", ["Meshlog-Min-Position": set.header("Meshlog-Position") ?? ""])
                #expect(read.json["value"] as? Int == number)
            }
            try await rig.log(1...1)
            let passed = try await rig.get(
                "/v1/config/global/n", ["Meshlog-Min-Position": Position(ms: UInt64(Date().timeIntervalSince1970 * 1000), seq: 3).description])
            #expect(passed.status == 200 && passed.json["value"] as? Int == 20)
            #expect(try await rig.get("/v1/config", ["Meshlog-Min-Position": "soon"]).status == 400)
            #expect(try await rig.get("/v1/topics", ["Meshlog-Min-Position": "0-99999999999999-0"]).status == 400)
            // Within what clocks may differ, and beyond what will come in time.
            let ahead = Position(ms: UInt64(Date().timeIntervalSince1970 * 1000) + 600_000, seq: 0).description
            let late = try await rig.get("/v1/config", ["Meshlog-Min-Position": ahead])
            #expect(late.status == 504 && late.json["wanted"] as? String == ahead && late.header("Retry-After") == "1")
        }
    }

    @Test("Writers side by side lose no update, with a named version and without")
    func writers() async throws {
        try await ViewsRig.run { rig in
            #expect(try await rig.send("PUT", "/v1/config/global/counter", #"{"value": 0}"#).status == 201)
            #expect(try await rig.send("PUT", "/v1/backbones/shared", #"{"metadata": {}}"#).status == 201)
            let writers = 8
            let rounds = 5
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        for round in 0..<rounds {
                            // Read, add one, write if nobody was faster.
                            while true {
                                let read = try await rig.get("/v1/config/global/counter")
                                let value = read.json["value"] as? Int ?? -1
                                let answer = try await rig.send(
                                    "PUT", "/v1/config/global/counter", #"{"value": \#(value + 1)}"#, ["If-Match": read.header("ETag") ?? ""])
                                if answer.status == 200 { break }
                                #expect(answer.status == 412 || answer.json["type"] as? String == "urn:meshlog:problem:contended", "\(answer.body)")
                            }
                            // A patch names no version, so it is made on whatever is there.
                            while true {
                                let answer = try await rig.send("PATCH", "/v1/backbones/shared", #"{"metadata": {"w\#(writer)-\#(round)": true}}"#)
                                if answer.status == 200 { break }
                                #expect(answer.status == 409 && answer.json["type"] as? String == "urn:meshlog:problem:contended", "\(answer.body)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await rig.get("/v1/config/global/counter").json["value"] as? Int == writers * rounds)
            #expect((try await rig.get("/v1/backbones/shared").json["metadata"] as? [String: Any])?.count == writers * rounds)
        }
    }
}
