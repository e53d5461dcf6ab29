import Core
import Foundation
import Log
import NATSDriver
import RedisDriver
import TestSupport
import Testing

/// Validation templates at every door of a serving Meshlog.
@Suite("Validation templates at the doors")
struct TemplateDoorTests {
    private static let name = "templates"

    private static func template(_ id: String, _ topic: String, version: Int = 1, minimum: Int = 1) -> String {
        #"{"template_id":"\#(id)","topics":["\#(topic)"],"version":\#(version),"schema":{"type":"object","required":["amount"],"properties":{"amount":{"type":"integer","minimum":\#(minimum)}}}}"#
    }

    /// Runs `body` with a topic that two templates are bound to.
    private func with(_ body: @escaping @Sendable (DoorRig, _ topic: String) throws -> Void) async throws {
        try await DoorRig.with(Self.name) { rig in
            let id = UUID().uuidString.lowercased()
            let topic = "orders.\(id)"
            try rig.put("/v1/templates/amount-\(id)", Self.template("amount-\(id)", topic, version: 3))
            try rig.put(
                "/v1/templates/kind-\(id)",
                #"{"template_id":"kind-\#(id)","topics":["orders.\#(id)"],"policy_input_schema":{"kind":{"type":"string","enum":["a"]}}}"#)
            try body(rig, topic)
        }
    }

    private func violating(_ topic: String) -> [UInt8] { Array(#"{"topic":"\#(topic)","source_subject_id":"bob","data":{"amount":0,"kind":"b"}}"#.utf8) }
    private func good(_ topic: String) -> [UInt8] { Array(#"{"topic":"\#(topic)","data":{"amount":1,"kind":"a"}}"#.utf8) }

    @Test("Doors that answer name every violation of every template; what fits passes, and so do other topics", arguments: AnsweringDoor.allCases)
    func answered(_ door: AnsweringDoor) async throws {
        try await with { rig, topic in
            #expect(rig.awaitNATS())
            let client = AnsweringClient(door, rig)
            let refused = try client.send(violating(topic))
            #expect(refused.position == nil && refused.text.contains("/amount: ") && refused.text.contains("/kind: ") && refused.text.contains("version 3"))
            if door.isReference {
                if door == .referenceHTTP { #expect(refused.status == 400) }
            } else {
                #expect(refused.status == 422)
                #expect(refused.violations == ["template /amount", "template /kind"])
            }
            #expect(try client.send(good(topic)).position != nil)
            #expect(try client.send(Array(#"{"topic":"elsewhere","data":{"amount":0}}"#.utf8)).position != nil)
            #expect(try client.send(Array(#"{"topic":"\#(topic)"}"#.utf8)).position == nil, "no payload is none that fits")
        }
    }

    @Test("The problem document says which template, in which version, where and what would pass") func document() async throws {
        try await with { rig, topic in
            let answer = try rig.meshlog.connect().post("/v1/messages", violating(topic), headers: [("Content-Type", "application/json")])
            #expect(answer.status == 422 && answer.headers["content-type"] == "application/problem+json")
            let body = try object(answer.body)
            #expect(body["type"] as? String == "urn:meshlog:problem:template-violation")
            let violations = try #require(body["violations"] as? [[String: Any]])
            #expect(violations.map { $0["template"] as? String } == ["amount-\(topic.dropFirst(7))", "kind-\(topic.dropFirst(7))"])
            #expect(violations.map { $0["version"] as? Int } == [3, 1])
            #expect((violations[0]["detail"] as? String)?.contains("1") == true)
        }
    }

    @Test("In an array, a stream of lines and a CloudEvent each message is judged by itself; a payload that is not JSON breaks a template") func forms()
        async throws
    {
        try await with { rig, topic in
            let connection = try rig.meshlog.connect()
            let many = [good(topic), violating(topic), good(topic)]
            let array = try connection.post(
                "/v1/messages", [UInt8(ascii: "[")] + Array(many.joined(separator: [UInt8(ascii: ",")])) + [UInt8(ascii: "]")],
                headers: [("Content-Type", "application/json")])
            #expect(array.status == 207 && array.text.contains("template-violation"))
            #expect(try object(array.body)["accepted"] as? Int == 2)
            let lines = try connection.post("/v1/messages", Array(many.joined(separator: [0x0A])), headers: [("Content-Type", "application/x-ndjson")])
            #expect(lines.status == 207)
            #expect(try (object(lines.body)["refusals"] as? [[String: Any]])?.first?["line"] as? Int == 2)
            for (data, passes) in [
                (#""data":{"amount":2,"kind":"a"}"#, true), (#""data":{"amount":2}"#, false), (#""datacontenttype":"text/plain","data":"amount""#, false),
            ] {
                let event = #"{"specversion":"1.0","id":"\#(UUID())","source":"/s","type":"\#(topic)",\#(data)}"#
                let answer = try connection.post("/v1/messages", Array(event.utf8), headers: [("Content-Type", "application/cloudevents+json")])
                #expect(answer.status == (passes ? 201 : 422), "\(data) \(answer.text)")
            }
        }
    }

    @Test("Doors that cannot answer keep what breaks a template in `rejected`, with all of it", arguments: ["redis-list", "nats", "jetstream"])
    func silent(_ door: String) async throws {
        try await with { rig, topic in
            #expect(rig.awaitNATS())
            let bytes = violating(topic)
            switch door {
            case "redis-list": try rig.push([bytes, good(topic)])
            case "nats": for one in [bytes, good(topic)] { try rig.nats.publish(subject: rig.meshlog.natsSubject, payload: one) }
            default: for one in [bytes, good(topic)] { try rig.nats.publish(subject: rig.meshlog.jetstreamSubject, payload: one) }
            }
            try rig.nats.flush(timeout: .seconds(10))
            var found: [[String: [UInt8]]] = []
            #expect(
                waitUntil {
                    found = try rig.entries(.rejected).filter { $0["bytes"] == bytes }
                    return !found.isEmpty
                })
            #expect(found.count == 1 && found[0]["door"] == Array(door.utf8))
            let violations = try #require(try JSONSerialization.jsonObject(with: Data(found[0]["violations"] ?? [])) as? [[String: Any]])
            #expect(violations.map { $0["pointer"] as? String } == ["/amount", "/kind"] && violations.first?["version"] as? Int == 3)
            #expect(String(decoding: found[0]["reason"] ?? [], as: UTF8.self).contains("template 'amount-"))
            #expect(try rig.message(on: topic).position > .zero, "what fits is in the log")
        }
    }

    @Test(
        "The deepest payload on the deepest template is judged by every door, and takes none down",
        arguments: AnsweringDoor.allCases.map(\.rawValue) + ["redis-list", "jetstream"])
    func deep(_ door: String) async throws {
        try await DoorRig.with(Self.name) { rig in
            #expect(rig.awaitNATS())
            let id = UUID().uuidString.lowercased()
            // Each level of the payload passes through nine references: together more than `Limits.evaluationDepthMax`.
            let links = (0..<9).map { ##""d\##($0)":{"allOf":[{"$ref":"#/$defs/d\##($0 + 1)"}]}"## }.joined(separator: ",")
            let schema = ##"{"$ref":"#/$defs/d0","$defs":{\##(links),"d9":{"type":"object","properties":{"a":{"$ref":"#/$defs/d0"}}}}}"##
            try rig.put("/v1/templates/\(id)", #"{"template_id":"\#(id)","topics":["deep.\#(id)"],"schema":\#(schema)}"#)
            let nested = String(repeating: #"{"a":"#, count: 120) + "1" + String(repeating: "}", count: 120)
            let bytes = Array(#"{"topic":"deep.\#(id)","data":\#(nested)}"#.utf8)
            if let answering = AnsweringDoor(rawValue: door) {
                #expect(try AnsweringClient(answering, rig).send(bytes).position == nil)
            } else {
                if door == "redis-list" { try rig.push([bytes]) } else { try rig.nats.publish(subject: rig.meshlog.jetstreamSubject, payload: bytes) }
                #expect(waitUntil { try rig.entries(.rejected).contains { $0["bytes"] == bytes } })
            }
            #expect(rig.meshlog.isRunning)
        }
    }

    @Test("A change is in force on another process within 100 ms of its acknowledgement, and gone as soon when it is deleted", .timeLimit(.minutes(5)))
    func hot() async throws {
        let first = try await MeshlogProcess.shared(Self.name)
        let second = try await MeshlogProcess.shared(
            "templates-second",
            arguments: ["--key-prefix", first.keyPrefix, "--roles", "doors,views", "--nats-subject", "", "--jetstream-subject", "", "--list", ""])
        try await onThread {
            let rig = try DoorRig(first)
            let other = try second.connect()
            let id = UUID().uuidString.lowercased()
            let topic = "hot.\(id)"
            func status() throws -> Int {
                try other.post("/v1/messages", Array(#"{"topic":"\#(topic)","data":{"amount":5}}"#.utf8), headers: [("Content-Type", "application/json")])
                    .status
            }
            #expect(try status() == 201)
            // The fastest counts: other tests hold the machine meanwhile.
            var fastest = Duration.seconds(3_600)
            for round in 1...6 {
                let refuses = round % 2 == 1
                try rig.put("/v1/templates/\(id)", Self.template(id, topic, version: round, minimum: refuses ? 6 : 1))
                let acknowledged = ContinuousClock.now
                #expect(waitUntil { try status() == (refuses ? 422 : 201) })
                fastest = min(fastest, ContinuousClock.now - acknowledged)
            }
            #expect(fastest < .milliseconds(100), "\(fastest)")
            try rig.put("/v1/templates/\(id)", Self.template(id, topic, version: 7, minimum: 6))
            #expect(waitUntil { try status() == 422 })
            let control = try first.connect()
            try control.write(Array("DELETE /v1/templates/\(id) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            #expect(try control.answer().status < 300)
            #expect(waitUntil { try status() == 201 })
        }
    }

    @Test("A process starts with the templates in force") func start() async throws {
        let first = try await MeshlogProcess.shared(Self.name)
        let id = UUID().uuidString.lowercased()
        try await onThread { try DoorRig(first).put("/v1/templates/\(id)", Self.template(id, "start.\(id)")) }
        let late = try await MeshlogProcess.shared(
            "templates-late",
            arguments: ["--key-prefix", first.keyPrefix, "--roles", "doors,views", "--nats-subject", "", "--jetstream-subject", "", "--list", ""])
        try await onThread {
            let answer = try late.connect().post(
                "/v1/messages", Array(#"{"topic":"start.\#(id)","data":{}}"#.utf8), headers: [("Content-Type", "application/json")])
            #expect(answer.status == 422)
        }
    }
}
