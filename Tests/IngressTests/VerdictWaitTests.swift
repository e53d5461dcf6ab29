import Core
import Foundation
import Log
import Logging
import NATSDriver
import RedisDriver
import Stack
import TestSupport
import Testing

/// Clients that wait for the verdict, on a serving Meshlog whose router is the test.
/// One after the other: verdicts come in the order of their messages.
@Suite("Answers with the verdict", .serialized)
struct VerdictWaitTests {
    private static let json = [("Content-Type", "application/json")]

    /// Posts a message with `Prefer`, decides it, and returns the answer.
    private func post(
        _ rig: DoorRig, _ connection: RawConnection, wait: String = "wait=30", id: String? = nil, decide: ((MessageUUID) -> VerdictEntry)?
    ) throws -> (answer: RawConnection.Answer, position: Position, uuid: MessageUUID) {
        let topic = "v.\(UUID())"
        let member = id.map { #""message_uuid":"\#($0)","# } ?? ""
        try connection.write(
            RawConnection.post("/v1/messages", Array(#"{\#(member)"topic":"\#(topic)","data":1}"#.utf8), headers: Self.json + [("Prefer", wait)]))
        let (position, uuid) = try rig.message(on: topic)
        if let decide { try rig.decide(position, decide(uuid)) }
        return (try connection.answer(), position, uuid)
    }

    /// What is the same in every answer: the message is in the log, and where.
    private func expectPlace(_ answer: RawConnection.Answer, _ position: Position, _ uuid: MessageUUID) throws -> [String: Any] {
        let body = try object(answer.body)
        #expect(body["position"] as? String == position.description)
        #expect(body["message_uuid"] as? String == uuid.description)
        #expect(body["duplicate"] as? Bool == false)
        #expect(answer.headers["meshlog-position"] == position.description)
        #expect(answer.headers["preference-applied"] == "wait=30")
        return body
    }

    @Test("What goes out: 201 with the acknowledgement and the verdict", arguments: [Outcome.deliver, .reroute]) func delivered(_ outcome: Outcome) async throws
    {
        try await DoorRig.undecided { rig in
            let (answer, position, uuid) = try post(rig, try rig.meshlog.connect()) { uuid in
                DoorRig.verdict(uuid, outcome, rule: "r") {
                    $0.annotations = Array(#"{"risk":3}"#.utf8)
                    $0.withheld = Array(#"[{"recipient":"ann","rule":"w","reason":"no"}]"#.utf8)
                }
            }
            #expect(answer.status == 201 && answer.headers["content-type"] == "application/json")
            let verdict = try #require(try expectPlace(answer, position, uuid)["verdict"] as? [String: Any])
            #expect(verdict["outcome"] as? String == outcome.rawValue && verdict["rule"] as? String == "r" && verdict["policy_revision"] as? String == "0-1-0")
            #expect(verdict["targets"] as? [String] == ["default"] && verdict["subject"] as? String == "s")
            #expect((verdict["annotations"] as? [String: Int])?["risk"] == 3)
            #expect((verdict["withheld"] as? [[String: String]])?.first?["recipient"] == "ann")
            #expect(answer.headers["ratelimit"] == nil && answer.headers["ratelimit-policy"] == nil && answer.headers["retry-after"] == nil)
        }
    }

    @Test("What a rule forbids: 403, which rule, why, what would pass, and where the message is") func forbidden() async throws {
        try await DoorRig.undecided { rig in
            try rig.put(
                "/v1/constraints/described",
                #"{"constraint_id":"described","when":"message.type == 'x'","action":{"type":"block"},"description":"anything but x"}"#)
            try rig.put("/v1/constraints/bare", #"{"constraint_id":"bare","when":"message.type == 'y'","action":{"type":"require"}}"#)
            for (rule, wouldPass) in [("described", "anything but x"), ("bare", "a message for which this holds: message.type == 'y'"), ("gone", nil)]
                as [(String, String?)]
            {
                let (answer, position, uuid) = try post(rig, try rig.meshlog.connect()) { DoorRig.verdict($0, .block, rule: rule, reason: "not this one") }
                #expect(answer.status == 403 && answer.headers["content-type"] == "application/problem+json")
                let body = try expectPlace(answer, position, uuid)
                #expect(body["type"] as? String == "urn:meshlog:problem:message-forbidden" && body["status"] as? Int == 403)
                #expect(body["rule"] as? String == rule && body["would_pass"] as? String == wouldPass)
                #expect((body["detail"] as? String)?.hasPrefix("not this one. The message is in the log at \(position)") == true)
                #expect(body["instance"] as? String == "/v1/messages/\(uuid)")
                #expect(body["retry_after_ms"] == nil && answer.headers["retry-after"] == nil)
            }
        }
    }

    @Test("What exceeds a limit: 429 with Retry-After and the limit's headers as in the draft; a shadow's limit is not told") func limited() async throws {
        try await DoorRig.undecided { rig in
            let topic = "v.\(UUID())"
            let connection = try rig.meshlog.connect()
            try connection.write(RawConnection.post("/v1/messages", Array(#"{"topic":"\#(topic)"}"#.utf8), headers: Self.json + [("Prefer", "wait=30")]))
            let (position, uuid) = try rig.message(on: topic)
            try rig.decide(
                position,
                DoorRig.verdict(uuid, .block, rule: "l", reason: "slow down") {
                    $0.limits =
                        Array("[".utf8) + DoorRig.touch("quiet", remaining: 1, retryAfter: 9_000_000, shadow: true) + Array(",".utf8)
                        + DoorRig.touch("l", remaining: 0, retryAfter: 1_200_000) + Array("]".utf8)
                    $0.retryAt = Array(String(position.microseconds + 1_200_000).utf8)
                })
            let answer = try connection.answer()
            #expect(answer.status == 429)
            let body = try expectPlace(answer, position, uuid)
            #expect(body["type"] as? String == "urn:meshlog:problem:message-limited")
            #expect(body["retry_after_ms"] as? Int == 1_200)
            #expect(body["would_pass"] as? String == "at most 10 messages in 1000 ms, 10 of them at once")
            #expect(answer.headers["retry-after"] == "2")
            #expect(answer.headers["ratelimit-policy"] == #""l";q=10;w=1"#)
            #expect(answer.headers["ratelimit"] == #""l";r=0;t=2"#)
            // A delivered message tells them too.
            let passed = try post(rig, connection) { uuid in
                DoorRig.verdict(uuid, .deliver) { $0.limits = Array("[".utf8) + DoorRig.touch("l", remaining: 7) + Array("]".utf8) }
            }
            #expect(passed.answer.status == 201)
            #expect(passed.answer.headers["ratelimit-policy"] == #""l";q=10;w=1"#)
            #expect(passed.answer.headers["ratelimit"] == #""l";r=7;t=1"#)
            #expect(passed.answer.headers["retry-after"] == nil)
        }
    }

    @Test("A rule that failed: 500; a message whose time was up: 410") func failed() async throws {
        try await DoorRig.undecided { rig in
            let fault = try post(rig, try rig.meshlog.connect()) { uuid in
                DoorRig.verdict(uuid, .block, rule: "r", reason: "it could not be evaluated") {
                    $0.error = Array(#"{"on_error":"block","rules":[{"rule":"r","detail":"no such key"}]}"#.utf8)
                }
            }
            #expect(fault.answer.status == 500)
            #expect(try expectPlace(fault.answer, fault.position, fault.uuid)["type"] as? String == "urn:meshlog:problem:policy-error")
            let expired = try post(rig, try rig.meshlog.connect()) { DoorRig.verdict($0, .expire, rule: "r") }
            #expect(expired.answer.status == 410)
            #expect(try expectPlace(expired.answer, expired.position, expired.uuid)["rule"] as? String == "r")
        }
    }

    @Test("What is held: 202 with the verdict; of a delay, until when") func held() async throws {
        try await DoorRig.undecided { rig in
            let (answer, position, uuid) = try post(rig, try rig.meshlog.connect()) { uuid in
                DoorRig.verdict(uuid, .hold, rule: "l") { $0.retryAt = Array("1800000000000000".utf8) }
            }
            #expect(answer.status == 202)
            let verdict = try #require(try expectPlace(answer, position, uuid)["verdict"] as? [String: Any])
            #expect(verdict["outcome"] as? String == "hold" && verdict["retry_at"] as? String == "2027-01-15T08:00:00Z")
            let person = try post(rig, try rig.meshlog.connect()) {
                DoorRig.verdict($0, .hold, rule: "p") { $0.hold = Array(#"{"on_expiry":"block","approvers":["ann"]}"#.utf8) }
            }
            #expect(person.answer.status == 202 && person.answer.text.contains(#""approvers":["ann"]"#))
        }
    }

    @Test("No verdict in time: 202 without one, and the message is in the log; longer waits are clamped, wrong ones ignored") func late() async throws {
        try await DoorRig.undecided { rig in
            let connection = try rig.meshlog.connect()
            let start = ContinuousClock.now
            let (answer, position, uuid) = try post(rig, connection, wait: "wait=1", decide: nil)
            #expect(ContinuousClock.now - start >= .seconds(1))
            #expect(answer.status == 202 && answer.headers["preference-applied"] == "wait=1")
            let body = try object(answer.body)
            #expect(body["verdict"] is NSNull && body["position"] as? String == position.description && body["message_uuid"] as? String == uuid.description)
            let clamped = try post(rig, connection, wait: "wait=86400") { DoorRig.verdict($0, .deliver) }
            #expect(clamped.answer.status == 201 && clamped.answer.headers["preference-applied"] == "wait=30")
            for wrong in ["wait=0", "wait=soon", "return=minimal"] {
                let plain = try post(rig, connection, wait: wrong, decide: nil)
                #expect(plain.answer.status == 201 && plain.answer.headers["preference-applied"] == nil && !plain.answer.text.contains("verdict"))
            }
        }
    }

    @Test("A repeat gets the verdict of the first, with 200; many at once are not waited for; a CloudEvent is") func forms() async throws {
        try await DoorRig.undecided { rig in
            let connection = try rig.meshlog.connect()
            let id = UUID().uuidString.lowercased()
            let first = try post(rig, connection, id: id) { DoorRig.verdict($0, .deliver, rule: "once") }
            #expect(first.answer.status == 201)
            let fields =
                try rig.redis.run("XRANGE", [rig.keys.stream(.messages), first.position.streamID, first.position.streamID]).array?.first?.array?[1].pairs ?? [:]
            let same = Array(#"{"message_uuid":"\#(id)","topic":"\#(fields["topic"]?.text ?? "")","data":1}"#.utf8)
            let repeated = try connection.post("/v1/messages", same, headers: Self.json + [("Prefer", "wait=30")])
            #expect(repeated.status == 200)
            let body = try object(repeated.body)
            #expect(body["duplicate"] as? Bool == true && (body["verdict"] as? [String: Any])?["rule"] as? String == "once")
            #expect(body["position"] as? String == first.position.description)
            let conflict = try connection.post(
                "/v1/messages", Array(#"{"message_uuid":"\#(id)","topic":"other"}"#.utf8), headers: Self.json + [("Prefer", "wait=30")])
            #expect(conflict.status == 422)

            let many = try connection.post("/v1/messages", Array(#"[{"topic":"a"},{"topic":"b"}]"#.utf8), headers: Self.json + [("Prefer", "wait=30")])
            #expect(many.status == 200 && many.headers["preference-applied"] == nil)
            let reference = try connection.post("/MESSAGES", Array(#"{"message":{"topic":"a"}}"#.utf8), headers: Self.json + [("Prefer", "wait=30")])
            #expect(reference.status == 200 && reference.text.contains("Message received"))

            let topic = "v.\(UUID())"
            let event = #"{"specversion":"1.0","id":"\#(id)","source":"/s","type":"\#(topic)","data":1}"#
            try connection.write(
                RawConnection.post("/v1/messages", Array(event.utf8), headers: [("Content-Type", "application/cloudevents+json"), ("Prefer", "wait=30")]))
            let (position, uuid) = try rig.message(on: topic)
            try rig.decide(position, DoorRig.verdict(uuid, .deliver))
            #expect(try connection.answer().status == 201)
        }
    }

    @Test("A broken connection to Redis is made again, and the verdict still comes") func brokenConnection() async throws {
        try await DoorRig.undecided { rig in
            let topic = "v.\(UUID())"
            let connection = try rig.meshlog.connect()
            try connection.write(RawConnection.post("/v1/messages", Array(#"{"topic":"\#(topic)"}"#.utf8), headers: Self.json + [("Prefer", "wait=30")]))
            let (position, uuid) = try rig.message(on: topic)
            // Of all processes on this Redis; each makes its own again.
            func waiters() throws -> [String] {
                let list = try rig.redis.run("CLIENT", ["LIST"]).text ?? ""
                return list.split(separator: "\n").filter { $0.contains("name=meshlog-verdicts") }.compactMap {
                    $0.split(separator: " ").first { $0.hasPrefix("id=") }.map { String($0.dropFirst(3)) }
                }
            }
            #expect(waitUntil { try !waiters().isEmpty })
            for id in try waiters() { _ = try rig.redis.call("CLIENT", ["KILL", "ID", id]) }
            try rig.decide(position, DoorRig.verdict(uuid, .deliver, rule: "again"))
            let answer = try connection.answer()
            #expect(answer.status == 201 && answer.text.contains(#""rule":"again""#))
        }
    }

    @Test("Without Redis the answer comes when the time is up; the message is in the log", .timeLimit(.minutes(3))) func redisLoss() async throws {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            let stack = try await EmbeddedStack.start(configuration, logger: quietLogger)
            let meshlog = try await MeshlogProcess.shared(
                "verdictloss",
                arguments: ["--roles", "doors,views", "--redis-url", stack.redis.url, "--nats-subject", "", "--jetstream-subject", "", "--list", ""])
            let keys = LogKeys(prefix: meshlog.keyPrefix)
            let url = stack.redis.url
            let (connection, position) = try await onThread {
                let connection = try meshlog.connect()
                try connection.write(RawConnection.post("/v1/messages", Array(#"{"topic":"a.b"}"#.utf8), headers: Self.json + [("Prefer", "wait=3")]))
                let redis = try RedisSession(try RedisEndpoint(url: url), name: "test")
                guard waitUntil({ try redis.run("XLEN", [keys.stream(.messages)]).int == 1 }) else { throw RawConnection.Broken(description: "no message") }
                let id = try redis.run("XRANGE", [keys.stream(.messages), "-", "+"]).array?.first?.array?.first?.text ?? ""
                return (Held(connection), Position(streamID: id)?.description)
            }
            await stack.redis.kill9()
            let answer = try await onThread { try connection.connection.answer() }
            #expect(answer.status == 202)
            #expect(try object(answer.body)["verdict"] is NSNull)
            #expect(try object(answer.body)["position"] as? String == position)
            try await stack.redis.restart()
            try await onThread {
                let redis = try RedisSession(try RedisEndpoint(url: url), name: "test")
                let length = try redis.run("XLEN", [keys.stream(.messages)])
                #expect(length == .integer(1), "what was acknowledged is there")
            }
            await stack.stop()
        }
    }

    @Test("At shutdown who waits is answered at once, without a verdict", .timeLimit(.minutes(5))) func shutdown() async throws {
        let meshlog = try await MeshlogProcess.shared("verdictend", arguments: ["--roles", "doors,views"])
        try await onThread {
            let rig = try DoorRig(meshlog)
            let (connection, socket) = (try meshlog.connect(), try meshlog.connect())
            try socket.upgrade("/v1/messages?wait=30")
            try connection.write(RawConnection.post("/v1/messages", Array(#"{"topic":"end.http"}"#.utf8), headers: Self.json + [("Prefer", "wait=30")]))
            try socket.send(Array(#"{"topic":"end.socket"}"#.utf8))
            let (position, _) = try rig.message(on: "end.http")
            _ = try rig.message(on: "end.socket")
            let start = ContinuousClock.now
            kill(meshlog.pid, SIGTERM)
            let answer = try connection.answer()
            #expect(answer.status == 202)
            #expect(try object(answer.body)["position"] as? String == position.description && answer.text.contains(#""verdict":null"#))
            #expect(try object(socket.receive().payload)["verdict"] is NSNull)
            #expect(ContinuousClock.now - start < .seconds(25))
        }
    }

    @Test("With the router: a rule and a limit of the policy are told to who waits; what they let through goes out", .timeLimit(.minutes(5))) func router()
        async throws
    {
        try await DoorRig.with("verdictpolicy") { rig in
            try rig.put(
                "/v1/constraints/loud",
                #"{"constraint_id":"loud","scope":{"topics":["p.>"]},"when":"message.type == 'loud'","action":{"type":"block"},"reason":"too loud, {{ message.source }}"}"#
            )
            try rig.put(
                "/v1/constraints/few", #"{"constraint_id":"few","scope":{"topics":["p.>"]},"action":{"type":"limit","rate":2,"period_ms":60000,"burst":2}}"#)
            let connection = try rig.meshlog.connect()
            func post(_ type: String, _ topic: String = "p.a") throws -> RawConnection.Answer {
                try connection.post(
                    "/v1/messages", Array(#"{"topic":"\#(topic)","source_subject_id":"bob","message_type":"\#(type)","data":1}"#.utf8),
                    headers: Self.json + [("Prefer", "wait=30")])
            }
            #expect(try post("loud").status == 403, "a rule is in force for what comes behind its acknowledgement")
            let loud = try object(try post("loud").body)
            #expect(loud["rule"] as? String == "loud" && (loud["detail"] as? String)?.hasPrefix("too loud, bob. ") == true)
            #expect(loud["would_pass"] as? String == "a message for which this does not hold: message.type == 'loud'")
            let free = try post("quiet", "elsewhere")
            #expect(free.status == 201 && free.headers["ratelimit"] == nil)
            #expect(waitUntil { try post("quiet").status == 429 })
            let over = try post("quiet")
            #expect(over.headers["ratelimit-policy"] == #""few";q=2;w=60"#)
            #expect(over.headers["ratelimit"]?.hasPrefix(#""few";r=0;t="#) == true)
            let seconds = try #require(over.headers["retry-after"].flatMap { Int($0) })
            let wait = try #require(try object(over.body)["retry_after_ms"] as? Int)
            #expect((wait + 999) / 1_000 == seconds && (1...60).contains(seconds))
            #expect(try object(over.body)["would_pass"] as? String == "at most 2 messages in 60000 ms, 2 of them at once")
        }
    }

    @Test("A process that does not disclose conditions shows none", .timeLimit(.minutes(5))) func discreet() async throws {
        let meshlog = try await MeshlogProcess.shared("verdictdiscreet", arguments: ["--disclose-conditions", "off"])
        try await onThread {
            let rig = try DoorRig(meshlog)
            try rig.put("/v1/constraints/secret", #"{"constraint_id":"secret","when":"message.type == 'loud'","action":{"type":"block"}}"#)
            let connection = try meshlog.connect()
            let answer = try connection.post("/v1/messages", Array(#"{"topic":"a","message_type":"loud"}"#.utf8), headers: Self.json + [("Prefer", "wait=30")])
            #expect(answer.status == 403)
            #expect(answer.text.contains(#""rule":"secret""#) && !answer.text.contains("would_pass") && !answer.text.contains("message.type"))
        }
    }

    /// Hands a connection from one thread to the next.
    private final class Held: @unchecked Sendable {
        let connection: RawConnection
        init(_ connection: RawConnection) { self.connection = connection }
    }

    @Test("Over a WebSocket each answer waits for its verdict, in the order of the messages") func webSocket() async throws {
        try await DoorRig.undecided { rig in
            let connection = try rig.meshlog.connect()
            try connection.upgrade("/v1/messages?wait=30")
            let base = "w.\(UUID())"
            // Verdicts come in the order of the log; a refused frame and a repeat stand between.
            for index in 0..<3 { try connection.send(Array(#"{"topic":"\#(base).\#(index)"}"#.utf8)) }
            try connection.send(Array("{".utf8))
            try connection.send(Array(#"{"topic":"\#(base).3"}"#.utf8))
            var uuids: [MessageUUID] = []
            for index in 0..<4 {
                let (position, uuid) = try rig.message(on: "\(base).\(index)")
                uuids.append(uuid)
                let outcome = [Outcome.deliver, .block, .hold, .deliver][index]
                try rig.decide(position, DoorRig.verdict(uuid, outcome, rule: "r\(index)"))
            }
            let answers = try (0..<5).map { _ in try object(connection.receive().payload) }
            #expect(
                answers.map { $0["message_uuid"] as? String } == [uuids[0].description, uuids[1].description, uuids[2].description, nil, uuids[3].description])
            #expect((answers[0]["verdict"] as? [String: Any])?["rule"] as? String == "r0")
            #expect(answers[1]["status"] as? Int == 403 && answers[1]["rule"] as? String == "r1" && answers[1]["position"] != nil)
            #expect((answers[2]["verdict"] as? [String: Any])?["outcome"] as? String == "hold")
            #expect(answers[3]["status"] as? Int == 400)
            #expect((answers[4]["verdict"] as? [String: Any])?["rule"] as? String == "r3")
        }
    }

    @Test("A WebSocket keeps the order when an early message is decided last; another wait is refused") func webSocketOrder() async throws {
        try await DoorRig.undecided { rig in
            let connection = try rig.meshlog.connect()
            try connection.upgrade("/v1/messages?wait=2")
            // A repeat of what is decided comes behind a message that never is.
            let id = UUID().uuidString.lowercased()
            let decided = try post(rig, try rig.meshlog.connect(), id: id) { DoorRig.verdict($0, .deliver, rule: "first") }
            let fields =
                try rig.redis.run("XRANGE", [rig.keys.stream(.messages), decided.position.streamID, decided.position.streamID]).array?.first?.array?[1].pairs
                ?? [:]
            try connection.send(Array(#"{"topic":"never"}"#.utf8))
            try connection.send(Array(#"{"message_uuid":"\#(id)","topic":"\#(fields["topic"]?.text ?? "")","data":1}"#.utf8))
            let first = try object(connection.receive().payload)
            #expect(first["verdict"] is NSNull && first["position"] != nil)
            let second = try object(connection.receive().payload)
            #expect(second["duplicate"] as? Bool == true && (second["verdict"] as? [String: Any])?["rule"] as? String == "first")
            for wrong in ["wait=0", "wait=", "wait", "wait=x"] {
                do {
                    try rig.meshlog.connect().upgrade("/v1/messages?\(wrong)")
                    Issue.record("\(wrong) was taken")
                } catch let error as RawConnection.Broken {
                    #expect(error.description.contains("400"), "\(error)")
                }
            }
        }
    }

    @Test("A NATS request with Meshlog-Wait is answered with the verdict or the problem; a plain one at once") func nats() async throws {
        try await DoorRig.undecided { rig in
            #expect(rig.awaitNATS())
            func request(_ topic: String, _ headers: [NATSHeader]) throws -> NATSSubscription {
                let inbox = try rig.nats.newInbox()
                let subscription = try NATSSubscription(rig.nats, inbox)
                try rig.nats.publish(subject: rig.meshlog.natsSubject, reply: inbox, headers: headers, payload: Array(#"{"topic":"\#(topic)"}"#.utf8))
                return subscription
            }
            func answer(_ subscription: NATSSubscription) throws -> [String: Any] {
                guard let message = try subscription.next(timeout: .seconds(40)) else { throw RawConnection.Broken(description: "no reply") }
                return try object(message.payload)
            }
            for outcome in [Outcome.deliver, .block] {
                let topic = "n.\(UUID())"
                let subscription = try request(topic, [NATSHeader("Meshlog-Wait", "30")])
                let (position, uuid) = try rig.message(on: topic)
                try rig.decide(position, DoorRig.verdict(uuid, outcome, rule: "r"))
                let reply = try answer(subscription)
                #expect(reply["position"] as? String == position.description && reply["message_uuid"] as? String == uuid.description)
                if outcome == .deliver {
                    #expect((reply["verdict"] as? [String: Any])?["rule"] as? String == "r")
                } else {
                    #expect(reply["status"] as? Int == 403 && reply["rule"] as? String == "r")
                }
            }
            let late = try answer(request("n.late", [NATSHeader("Meshlog-Wait", "1")]))
            #expect(late["verdict"] is NSNull && late["position"] != nil)
            let plain = try answer(request("n.plain", []))
            #expect(plain["position"] != nil && plain["verdict"] == nil)
        }
    }
}

/// Says nothing below a warning.
private let quietLogger: Logger = {
    var logger = Logger(label: "stack")
    logger.logLevel = .warning
    return logger
}()
