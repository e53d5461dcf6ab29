import Core
import Foundation
import Ingress
import Log
import TestSupport
import Testing

/// The reference's form of publishing, without and with a server.
@Suite("Reference doors")
struct ReferenceMessageTests {
    private func unwrap(_ text: String, frame: Bool = false) -> String {
        do throws(Refusal) {
            let body = Array(text.utf8)
            return String(decoding: frame ? try ReferenceMessage.unwrapFrame(body) : try ReferenceMessage.unwrap(body), as: UTF8.self)
        } catch {
            return String(decoding: ReferenceMessage.refusal(error).body, as: UTF8.self).hasPrefix(#"{"error":"No message found"}"#)
                ? "No message found" : "refused: \(error.violations.map { "\($0.code.rawValue) \($0.pointer)" }.joined(separator: ", "))"
        }
    }

    @Test(
        "The message is taken out of its wrapper",
        arguments: [
            (#"{"message": "{\"topic\": \"a\"}"}"#, #"{"topic": "a"}"#), (#"{"message": {"topic" : "a"}}"#, #"{"topic" : "a"}"#),
            (#" {"other": 1, "m\u0065ssage": "x", "more": []} "#, "x"), (#"{"message": "not json"}"#, "not json"),
            ("{}", "No message found"), (#"{"other":1}"#, "No message found"), (#"{"message":null}"#, "No message found"),
            (#"{"message":""}"#, "No message found"),
            (#"{"message":"a","message":"b"}"#, "refused: duplicate-key /message"), (#"{"message":7}"#, "refused: wrong-type /message"),
            (#"{"message":["a"]}"#, "refused: wrong-type /message"), ("", "refused: not-json "), (#"{"message":"#, "refused: not-json "),
            ("[]", "No message found"), ("7", "No message found"), (#"{"outer":{"message":"a"}}"#, "No message found"),
        ])
    func wrapper(_ text: String, _ expected: String) { #expect(unwrap(text) == expected) }

    @Test(
        "A frame may also be the message itself",
        arguments: [
            (#"{"message": "{\"topic\": \"a\"}"}"#, #"{"topic": "a"}"#), (#"{"topic":"a"}"#, #"{"topic":"a"}"#),
            (#"{"data":1,"topic":null}"#, #"{"data":1,"topic":null}"#),
            ("{}", "No message found"), (#"{"data":1}"#, "No message found"), ("[1]", "[1]"), ("{", "refused: not-json "),
        ])
    func frame(_ text: String, _ expected: String) { #expect(unwrap(text, frame: true) == expected) }

    @Test("POST /MESSAGES keeps the reference's contract") func post() async throws {
        try await DoorRig.with("reference") { rig in
            let connection = try rig.meshlog.connect()
            func post(_ body: String, _ type: String = "application/json") throws -> (Int, [String: Any]) {
                let answer = try connection.post("/MESSAGES", Array(body.utf8), headers: [("Content-Type", type)])
                return (answer.status, try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]))
            }
            for type in ["application/json", "text/plain"] {
                let (status, object) = try post(#"{"message": "{\"topic\": \"internal.updates\", \"data\": {\"a\": 1}}"}"#, type)
                #expect(status == 200)
                #expect(object["status"] as? String == "Message received")
                #expect(object["position"] != nil)
                #expect(object["message_uuid"] != nil)
                #expect(try post(#"{"message": {"topic": "internal.updates", "data": {"a": 1}}}"#, type).0 == 200)
                let missing = try post("{}", type)
                #expect(missing.0 == 400)
                #expect(missing.1["error"] as? String == "No message found")
                for bad in [#"{"message": "not json"}"#, #"{"message": "{"}"#, "{"] {
                    let (status, object) = try post(bad, type)
                    #expect(status == 400)
                    #expect(object["error"] as? String == "Invalid JSON format")
                    #expect((object["detail"] as? String)?.isEmpty == false)
                }
                let invalid = try post(#"{"message": "{\"topic\": \"a b\"}"}"#, type)
                #expect(invalid.0 == 400)
                #expect((invalid.1["error"] as? String)?.contains("/topic") == true)
            }
        }
    }

    @Test("WebSocket /MESSAGES answers each frame in the reference's words and stays open") func socket() async throws {
        try await DoorRig.with("reference") { rig in
            let connection = try rig.meshlog.connect()
            try connection.upgrade("/MESSAGES")
            func send(_ text: String) throws -> [String: Any] {
                try connection.send(Array(text.utf8))
                return try #require(try JSONSerialization.jsonObject(with: Data(try connection.receive().payload)) as? [String: Any])
            }
            #expect(try send(#"{"topic": "internal.updates", "data": {"a": 1}}"#)["status"] as? String == "Message received")
            #expect(try send("not json")["error"] as? String == "Invalid JSON format")
            #expect(try send("{}")["error"] as? String == "No message found")
            #expect(try send(#"{"data": 1}"#)["error"] as? String == "No message found")
            #expect(try send(#"{"message": "{\"topic\": \"internal.updates\"}"}"#)["status"] as? String == "Message received")
            #expect(try send(#"{"message": "nope"}"#)["error"] as? String == "Invalid JSON format")
            #expect(try send(#"{"topic": "a.*"}"#)["error"] is String)
            #expect(try send(#"{"topic": "internal.updates"}"#)["status"] as? String == "Message received")
        }
    }
}
