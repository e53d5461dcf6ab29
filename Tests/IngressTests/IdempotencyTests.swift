import Core
import Foundation
import Log
import RedisDriver
import TestSupport
import Testing

/// `Idempotency-Key` at a serving Meshlog.
@Suite("Idempotency")
struct IdempotencyTests {
    /// Runs `body` with a function that posts to a topic of its own under a key: status and position.
    private func with(
        _ body: @escaping @Sendable (_ topic: String, _ post: (String, String?) throws -> (status: Int, position: String?)) throws -> Void
    ) async throws {
        try await DoorRig.with("forms") { rig in
            let connection = try rig.meshlog.connect()
            try body("idempotent.\(UUID())") { text, key in
                let headers = [("Content-Type", "application/json")] + (key.map { [("Idempotency-Key", $0)] } ?? [])
                let answer = try DoorAnswer(json: connection.post("/v1/messages", Array(text.utf8), headers: headers).body)
                let status = answer.position == nil ? answer.status ?? 0 : answer.isDuplicate ? 200 : 201
                return (status, answer.position)
            }
        }
    }

    @Test("A key is used up by a message with an id as by one without, in either order") func idAndKey() async throws {
        try await with { topic, post in
            func message(_ id: String?, _ data: Int) -> String {
                #"{"topic":"\#(topic)","data":\#(data)\#(id.map { #","message_uuid":"\#($0)""# } ?? "")}"#
            }
            let (key, other) = ("\(UUID())", "\(UUID())")
            let statuses = [
                try post(message(nil, 1), key).status, try post(message("\(UUID())", 2), key).status,
                try post(message("\(UUID())", 2), other).status,
                try post(message(nil, 1), other).status, try post(message("\(UUID())", 2), other).status,
            ]
            #expect(statuses == [201, 422, 201, 422, 422])
        }
    }

    @Test("A repeat under a new key is a duplicate, and uses the key up") func keyOfRepeat() async throws {
        try await with { topic, post in
            let message = #"{"topic":"\#(topic)","message_uuid":"\#(UUID())"}"#
            let key = "\(UUID())"
            let first = try post(message, nil)
            #expect(first.status == 201)
            let again = try post(message, key)
            #expect(again.status == 200 && again.position == first.position)
            #expect(try post(#"{"topic":"\#(topic)","data":"another"}"#, key).status == 422)
            #expect(try post(message, key).status == 200)
        }
    }

    @Test("A key in quotes is a structured-field string: escapes are undone, parameters say nothing") func quoted() async throws {
        try await with { topic, post in
            let message = #"{"topic":"\#(topic)"}"#
            let key = "\(UUID())"
            let first = try post(message, key)
            #expect(first.status == 201)
            for form in [#""\#(key)""#, #""\#(key)";v=1"#, #""\#(key)"; a="x\"y";b"#] {
                #expect(try post(message, form).status == 200, "\(form)")
            }
            #expect(try post(message, #""a\\b\"\#(key)""#).status == 201)
            #expect(try post(message, #"a\b"\#(key)"#).status == 200)
            let bad = [
                #""\#(key)"#, #"""#, #""""#, #""\#(key)\""#, #""a\x""#, #""\#(key)" x"#, #""\#(key)", "b""#, #""\#(key)";"#,
                #""\#(key)";A=1"#, #""\#(key)"v=1"#,
            ]
            for form in bad { #expect(try post(message, form).status == 400, "\(form)") }
        }
    }

    @Test("Two keys are none") func twice() async throws {
        try await DoorRig.with("forms") { rig in
            let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
            let answer = try rig.meshlog.connect().post("/v1/messages", Array(#"{"topic":"a"}"#.utf8), headers: headers)
            #expect(answer.status == 400 && answer.text.contains("urn:meshlog:problem:idempotency-key"), "\(answer.text)")
        }
    }
}
