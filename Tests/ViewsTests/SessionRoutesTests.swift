internal import Core
internal import Foundation
internal import Log
internal import Logging
internal import Projections
internal import RedisDriver
internal import Stack
internal import TestSupport
internal import Testing

@testable internal import Views

@Suite("Sessions over HTTP")
struct SessionRoutesTests {
    /// Writes a held message with its verdict and its session, as the router does.
    private func hold(_ number: Int, _ rig: ViewsRig, approvers: [String] = []) async throws -> SessionOpening {
        var one = ViewsRig.decided(number)
        var verdict = one.verdict
        verdict.outcome = .hold
        verdict.rule = "ask-\(number % 2)"
        verdict.reason = "because"
        var hold = JSONObject()
        hold.add("on_expiry", "block")
        hold.add("approvers", raw: Array("[\(approvers.map { "\"\($0)\"" }.joined(separator: ","))]".utf8))
        verdict.detail.hold = hold.finish()
        verdict.detail.digest = ContentDigest.inputs(one.message, at: one.position, verdict)
        one = DecidedMessage(position: one.position, message: one.message, verdict: verdict)
        let opening = try #require(SessionOpening(verdict, about: one.message, at: one.position))
        let (message, position, keys, decided) = (one.message, one.position, rig.keys, one.verdict)
        try await rig.redis { session in
            let fields = MessageField.allCases.filter { message.count($0) > 0 }.flatMap { [$0.name.description, message.string($0)] }
            try session.run("XADD", [keys.stream(.messages), position.streamID] + fields)
            try session.run("SET", [keys.lease("router"), "1 tests"])
            func texts(_ fields: [(name: StaticString, value: [UInt8])]) -> [String] {
                fields.flatMap { [$0.name.description, String(decoding: $0.value, as: UTF8.self)] }
            }
            let (written, opened) = (texts(decided.loggedFields), texts(opening.fields))
            let streams = [keys.stream(.verdicts), keys.stream(.messages), keys.lease("router"), keys.stream(.sessions), keys.openSessions, keys.dueSessions]
            try session.run(
                "FCALL",
                ["meshlog_decide", "6"] + streams + ["1", "router", "1000", position.streamID, String(written.count), String(opened.count)] + written + [""]
                    + opened
                    + [String(written.count)] + written)
        }
        return opening
    }

    private func path(_ opening: SessionOpening, _ verb: String = "") -> String { "/v1/sessions/\(opening.sessionID)" + (verb.isEmpty ? "" : "/\(verb)") }

    private func ids(_ rig: ViewsRig, _ query: String) async throws -> [String] {
        var out: [String] = []
        var next = "/v1/sessions?limit=2\(query)"
        for _ in 0..<20 {
            let page = try await rig.get(next)
            #expect(page.status == 200, "\(query): \(page.body)")
            out += (page.json["sessions"] as? [[String: Any]] ?? []).compactMap { $0["session_id"] as? String }
            guard let cursor = page.json["next_cursor"] as? String else { break }
            next = "/v1/sessions?limit=2\(query)&cursor=\(cursor)"
        }
        return out
    }

    @Test("Sessions are listed, looked at with what is held, and decided; the list follows, also into the past", .timeLimit(.minutes(5))) func work()
        async throws
    {
        try await ViewsRig.run(projections: ["sessions"]) { rig in
            var openings: [SessionOpening] = []
            for number in 1...5 { openings.append(try await hold(number, rig)) }
            #expect(await eventually(within: .seconds(20)) { try await rig.get("/v1/sessions").status == 200 }, "the projection has begun")
            #expect(await eventually(within: .seconds(20)) { try await ids(rig, "") == openings.map(\.sessionID) })
            #expect(try await ids(rig, "&rule=ask-1&source=bob") == [1, 3, 5].map { openings[$0 - 1].sessionID })
            #expect(try await ids(rig, "&kind=delay") == [])
            let one = try await rig.get(path(openings[0]))
            #expect(one.status == 200 && one.header("ETag") == "\"\(openings[0].digest)\"", "\(one.body)")
            #expect(((one.json["message"] as? [String: Any])?["message_data"] as? [String: Any])?["n"] as? Int == 1)
            #expect((one.json["verdict"] as? [String: Any])?["outcome"] as? String == "hold" && one.json["status"] as? String == "pending")

            let approved = try await rig.send("POST", path(openings[0], "approve"), #"{"digest":"\#(openings[0].digest)","by":"eve","comment":"fine"}"#)
            #expect(approved.status == 200 && approved.json["status"] as? String == "approved", "\(approved.body)")
            let released = try #require((approved.json["released"] as? String).flatMap { Position($0) })
            let tagged = try await rig.send("POST", path(openings[1], "deny"), "{}", ["If-Match": "\"\(openings[1].digest)\"", "Meshlog-Principal": "adam"])
            #expect(tagged.status == 200 && tagged.json["decided_by"] as? String == "adam", "\(tagged.body)")
            let edited = try await rig.send("POST", path(openings[2], "edit"), #"{"digest":"\#(openings[2].digest)","message":{"data":[7]}}"#)
            #expect(edited.status == 200 && edited.json["decision"] as? String == "edit", "\(edited.body)")
            let seen = ["Meshlog-Min-Position": edited.header("Meshlog-Position") ?? ""]
            let rows = try await rig.get("/v1/sessions?status=any", seen)
            #expect(
                (rows.json["sessions"] as? [[String: Any]])?.compactMap { $0["status"] as? String } == ["approved", "denied", "edited", "pending", "pending"],
                "\(rows.body)")
            #expect(try await ids(rig, "") == openings[3...].map(\.sessionID))
            #expect(try await ids(rig, "&status=approved&by=eve") == [openings[0].sessionID])
            let before = Position(streamID: approved.header("Meshlog-Position").map { String($0.dropFirst(2)) } ?? "").map {
                Position(ms: $0.ms - 1, seq: UInt64(Int64.max))
            }
            let moment = try #require(before)
            #expect(try await ids(rig, "&at=\(moment)").count == 5)
            try await rig.redis { [keys = rig.keys] session in
                let found = try session.run("XRANGE", [keys.stream(.messages), released.streamID, released.streamID])
                #expect(found.array?.count == 1)
            }
        }
    }

    @Test("Whoever decides wrongly is told what would be right", .timeLimit(.minutes(5))) func refusals() async throws {
        try await ViewsRig.run(projections: ["sessions"]) { rig in
            let opening = try await hold(1, rig, approvers: ["eve"])
            let digest = #""digest":"\#(opening.digest)""#
            #expect(await eventually(within: .seconds(20)) { try await rig.get(path(opening)).status == 200 })
            let cases: [(verb: String, body: String, headers: [String: String], status: Int, says: String)] = [
                ("approve", "{", [:], 400, "violations"), ("approve", "[]", [:], 422, "JSON object"), ("approve", "{}", [:], 422, "digest (or ETag)"),
                ("approve", #"{\#(digest),"by":"eve","why":"x"}"#, [:], 422, "/why"), ("approve", #"{\#(digest),"by":7}"#, [:], 422, "/by"),
                ("approve", #"{\#(digest),"message":{"data":1}}"#, [:], 422, "/message"), ("edit", #"{\#(digest),"by":"eve"}"#, [:], 422, "/message"),
                ("edit", #"{\#(digest),"by":"eve","message":{"topic":"x"}}"#, [:], 422, "/message/topic"),
                ("approve", #"{\#(digest)}"#, [:], 403, "eve"), ("approve", #"{\#(digest),"by":"mallory"}"#, [:], 403, "'mallory' is not among them"),
                ("approve", #"{"digest":"00","by":"eve"}"#, [:], 409, "digest-mismatch"),
                ("approve", #"{"by":"eve"}"#, ["If-Match": "\"00\""], 412, "digest-mismatch"),
                ("approve", #"{\#(digest),"by":"eve"}"#, ["If-Match": "\"00\""], 422, "If-Match"),
                ("approve", "<by>eve</by>", ["Content-Type": "application/xml"], 415, "application/xml"),
                ("approve", "{}", ["Content-Encoding": "gzip"], 415, "gzip"),
                ("edit", String(repeating: " ", count: 2 * Limits.messageBytesMax + 1), [:], 413, "\(2 * Limits.messageBytesMax)"),
            ]
            for one in cases {
                let answer = try await rig.send("POST", path(opening, one.verb), one.body, one.headers)
                #expect(answer.status == one.status && answer.body.contains(one.says), "\(one.verb) \(one.body): \(answer.status) \(answer.body)")
                #expect(answer.header("Content-Type") == "application/problem+json")
            }
            let unknown = try await rig.send("POST", "/v1/sessions/0-1-1/deny", #"{"digest":"x"}"#)
            #expect(unknown.status == 404 && unknown.body.contains("session-not-found"), "\(unknown.body)")
            #expect(try await rig.get("/v1/sessions/0-1-1").status == 404)
            #expect(try await rig.get("/v1/sessions/hello").status == 400)
            #expect(try await rig.get("/v1/sessions?status=open").status == 400)
            #expect(try await rig.send("POST", path(opening, "deny"), #"{\#(digest),"by":"eve"}"#).status == 200)
            let late = try await rig.send("POST", path(opening, "approve"), #"{\#(digest),"by":"eve"}"#)
            #expect(late.status == 409 && late.json["decided_by"] as? String == "eve" && late.body.contains("'eve' decided 'deny' at"), "\(late.body)")
        }
    }

    @Test(
        "A message that was held and released is one message: asked for by its id it is the released one, and its trace has the session",
        .timeLimit(.minutes(5)))
    func trace() async throws {
        try await ViewsRig.run(projections: ["sessions"]) { rig in
            let opening = try await hold(1, rig)
            #expect(await eventually(within: .seconds(20)) { try await rig.get(path(opening)).status == 200 })
            let uuid = ViewsRig.uuid(1)
            let approved = try await rig.send("POST", path(opening, "approve"), #"{"digest":"\#(opening.digest)","by":"eve"}"#)
            let released = try #require((approved.json["released"] as? String).flatMap { Position($0) })
            #expect(await eventually { ((try await rig.get(path(opening))).json["status"] as? String) == "approved" })
            // The archive has both entries, days apart by their times.
            let (keys, url) = (rig.keys, rig.databaseURL)
            try await rig.redis { session in
                var command = RESPWriter()
                command.command("XRANGE", [keys.stream(.messages), "-", "+"])
                try session.send(command)
                let messages = try session.receive { reply in (0..<reply.count).compactMap { EntryCodec.message(reply[$0]) } }
                #expect(messages.count == 2)
                try ViewsRig.archive(
                    zip(messages, [(opening.position, Outcome.hold), (released, .deliver)]).map { message, place in
                        DecidedMessage(
                            position: place.0, message: message,
                            verdict: VerdictEntry(
                                messageUUID: uuid, outcome: place.1, rule: "r", reason: "", policyRevision: "0-0-0", targets: [], subject: Array("a".utf8)))
                    }, url)
            }
            let message = try await rig.get("/v1/messages/\(uuid)")
            #expect(message.json["position"] as? String == released.description && message.json["outcome"] as? String == "deliver", "\(message.body)")
            #expect((message.json["release"] as? [String: Any])?["origin"] as? String == opening.position.description)
            let trace = try await rig.get("/v1/messages/\(uuid)/trace")
            #expect((trace.json["sessions"] as? [[String: Any]])?.compactMap { $0["decided_by"] as? String } == ["eve"], "\(trace.body)")
            #expect((trace.json["release"] as? [String: Any])?["session"] as? String == opening.sessionID)
        }
    }

    @Test("An edit has to pass the validation templates of its topic, and is refused with the document of the doors", .timeLimit(.minutes(5))) func template()
        async throws
    {
        try await ViewsRig.run(projections: ["sessions"]) { rig in
            let opening = try await hold(1, rig)
            let schema = #"{"type":"object","required":["n"],"properties":{"n":{"type":"integer","minimum":5}}}"#
            let put = try await rig.send(
                "PUT", "/v1/templates/numbers", #"{"template_id":"numbers","topics":["\#(opening.topic)"],"version":3,"schema":\#(schema)}"#)
            #expect(put.status == 200 || put.status == 201, "\(put.body)")
            #expect(await eventually { try await rig.get("/v1/templates/numbers").status == 200 })
            func edit(_ message: String) async throws -> ViewsRig.Answer {
                try await rig.send("POST", path(opening, "edit"), #"{"digest":"\#(opening.digest)","by":"eve","message":\#(message)}"#)
            }
            for message in [#"{"data":{"n":4}}"#, #"{"data":{"m":9}}"#, #"{"data":"five","content_type":"text/plain"}"#, #"{"message_type":"note"}"#] {
                let refused = try await edit(message)
                #expect(refused.status == 422 && refused.header("content-type") == "application/problem+json", "\(message): \(refused.body)")
                #expect(refused.json["type"] as? String == "urn:meshlog:problem:template-violation", "\(message): \(refused.body)")
                let violations = try #require(refused.json["violations"] as? [[String: Any]])
                #expect(violations.map { $0["template"] as? String } == ["numbers"] && violations.map { $0["version"] as? Int } == [3], "\(refused.body)")
                if message.contains(#""n":4"#) { #expect(violations.map { $0["pointer"] as? String } == ["/n"], "\(refused.body)") }
            }
            // Each refusal is told as the doors tell theirs.
            let redis = try RedisSession(rig.endpoint, name: "tests")
            func told() throws -> [LoggedNotification] { try LogReader(keys: rig.keys).notifications(after: .zero, count: 10, redis) }
            #expect(await eventually { try told().count == 4 })
            for (index, notice) in try told().enumerated() {
                guard case .validationFailed(let failure) = notice.notification else { return #expect(Bool(false), "\(notice)") }
                #expect(failure.door == "session" && failure.topic == opening.topic && failure.messageUUID == opening.messageUUID.description)
                let violation = try #require(try JSONDocument(failure.violations).root.item(0))
                #expect(violation["template"]?.string == "numbers")
                if index == 0 { #expect(violation["pointer"]?.string == "/n") }
            }
            // What was held before the template came goes on as it was; only what a person writes has to fit.
            let done = try await edit(#"{"data":{"n":5}}"#)
            #expect(done.status == 200 && done.json["released"] is String, "\(done.body)")
            #expect(try told().count == 4)
        }
    }

    @Test("How many messages are held, and for how long the oldest has been, stands in /metrics", .timeLimit(.minutes(5))) func gauges() async throws {
        try await ViewsRig.run { rig in
            func gauge(_ name: String) async throws -> Int? {
                let text = try await rig.get("/metrics").body
                return text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap { Int($0.dropFirst(name.count + 1)) }
            }
            #expect(await eventually(within: .seconds(20)) { try await gauge("meshlog_sessions_open") == 0 })
            #expect(try await gauge("meshlog_sessions_oldest_age_milliseconds") == 0)
            for number in 1...2 { _ = try await hold(number, rig) }
            #expect(await eventually(within: .seconds(20)) { try await gauge("meshlog_sessions_open") == 2 })
            let oldest = Int(Date().timeIntervalSince1970 * 1_000) - Int(ViewsRig.position(1).ms)
            let age = try #require(try await gauge("meshlog_sessions_oldest_age_milliseconds"))
            #expect(abs(age - oldest) < 60_000)
        }
    }

    @Test("While Redis is gone a decision is answered with 503 and when to ask again; afterwards it is carried out once", .timeLimit(.minutes(5))) func away()
        async throws
    {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            var logger = Logger(label: "stack")
            logger.logLevel = .error
            let stack = try await EmbeddedStack.start(configuration, logger: logger)
            try await ViewsRig.run(projections: ["sessions"], redis: stack.redis) { rig in
                let opening = try await hold(1, rig)
                #expect(await eventually(within: .seconds(20)) { try await rig.get(path(opening)).status == 200 })
                await stack.redis.kill9()
                let body = #"{"digest":"\#(opening.digest)","by":"eve"}"#
                for verb in ["approve", "deny", "edit"] {
                    let answer = try await rig.send(
                        "POST", path(opening, verb), verb == "edit" ? #"{"digest":"\#(opening.digest)","by":"eve","message":{"data":1}}"# : body)
                    #expect(
                        answer.status == 503 && answer.header("retry-after") != nil && answer.body.contains("session-unavailable"),
                        "\(verb): \(answer.head) \(answer.body)")
                }
                try await stack.redis.start()
                #expect(await eventually(within: .seconds(20)) { try await rig.send("POST", path(opening, "approve"), body).status != 503 })
                // Another thread may still have a connection to the server that was killed.
                #expect(await eventually { try await rig.send("POST", path(opening, "approve"), body).status == 409 })
                let again = try await rig.send("POST", path(opening, "deny"), body)
                #expect(again.status == 409 && again.json["decided_by"] as? String == "eve", "\(again.body)")
                let keys = rig.keys
                try await rig.redis { session in
                    let messages = try session.run("XLEN", [keys.stream(.messages)])
                    #expect(messages == .integer(2))
                }
            }
            await stack.stop()
        }
    }
}
