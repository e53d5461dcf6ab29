import Core
import Foundation
import Log
import RedisDriver
import Synchronization
import TestSupport
import Testing

/// Webhooks of a serving Meshlog, from the door to the receiver.
@Suite("Webhooks of a process", .serialized)
struct WebhookProcessTests {
    private static let template = #"{"template_id":"amount","topics":["orders.>"],"version":3,"schema":{"type":"object","required":["amount"]}}"#

    /// Runs `body` with the arguments of a process that has a key and may reach 127.0.0.0/8.
    private func withArguments(_ body: @escaping @Sendable ([String]) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/webhook.key"
            try Data((0..<44).map { UInt8(ascii: "A") + $0 % 26 }).write(to: URL(fileURLWithPath: path))
            try await body(["--webhook-key-file", path, "--webhook-allow", "127.0.0.0/8"])
        }
    }

    private func secret(_ port: Int, _ id: String) async throws -> WebhookSecret {
        let answer = try await Curl.run(port: port, "GET", "/v1/webhooks/\(id)/secret")
        let text = try #require(answer.object["secret"] as? String, "\(answer.body)")
        return try #require(WebhookSecret(text))
    }

    private func attempts(_ port: Int, _ id: String) async throws -> [[String: Any]] {
        try await Curl.run(port: port, "GET", "/v1/webhooks/\(id)/attempts").object["attempts"] as? [[String: Any]] ?? []
    }

    @Test("A message that breaks its template at the HTTP door reaches the receiver, and the signature verifies with the secret that is shown") func violation()
        async throws
    {
        try await withArguments { arguments in
            let process = try await MeshlogProcess.start("hooks", arguments: arguments)
            let port = process.port
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                #expect(try await Curl.run(port: port, "PUT", "/v1/templates/amount", Self.template).status == 201)
                let refused = try await Curl.run(port: port, "PUT", "/v1/webhooks/quality", #"{"url":"https://u:p@x","events":["validation.fail"],"colour":1}"#)
                #expect(
                    refused.status == 422 && refused.body.contains("/url") && refused.body.contains("validation.failed") && refused.body.contains("colour"),
                    "\(refused.body)")
                let made = try await Curl.run(
                    port: port, "PUT", "/v1/webhooks/quality", #"{"url":"\#(receiver.url())","events":["validation.failed"],"topics":["orders.*"]}"#)
                #expect(made.status == 201, "\(made.body)")
                let answer = try await Curl.run(
                    port: port, "POST", "/v1/messages", #"{"topic":"orders.eu","source_subject_id":"bob","data":{"secret":"payload"}}"#)
                #expect(answer.status == 422)
                #expect(await eventually(within: .seconds(30)) { receiver.all.count == 1 })
                let request = try #require(receiver.all.first)
                let now = Int64(Date().timeIntervalSince1970)
                let secret = try await secret(port, "quality")
                try WebhookKey.signature.verify(headers: request.headers, body: request.body, secret: secret, now: now)
                let data = try #require(try JSONDocument(request.body).root["data"])
                #expect(
                    data["topic"]?.string == "orders.eu" && data["source_subject_id"]?.string == "bob"
                        && data["violations"]?.item(0)?["template"]?.string == "amount")
                #expect(!String(decoding: request.body, as: UTF8.self).contains("payload"), "the payload stays where it is")
                #expect(await eventually { try await attempts(port, "quality").first?["result"] as? String == "succeeded" })
                // A test goes the same way, and the newest attempt comes first.
                let test = try await Curl.run(port: port, "POST", "/v1/webhooks/quality/test")
                #expect(test.status == 202)
                #expect(
                    await eventually(within: .seconds(30)) {
                        try await attempts(port, "quality").map { $0["type"] as? String } == ["webhook.test", "validation.failed"]
                    })
                #expect(receiver.all.last?.id == test.object["message_id"] as? String)
                let page = try await Curl.run(port: port, "GET", "/v1/webhooks/quality/attempts?limit=1")
                let cursor = try #require(page.object["next_cursor"] as? String)
                let next = try await Curl.run(port: port, "GET", "/v1/webhooks/quality/attempts?limit=1&cursor=\(cursor)")
                #expect((next.object["attempts"] as? [[String: Any]])?.first?["type"] as? String == "validation.failed")
                for path in ["secret", "attempts"] { #expect(try await Curl.run(port: port, "GET", "/v1/webhooks/nobody/\(path)").status == 404) }
                #expect(try await Curl.run(port: port, "POST", "/v1/webhooks/nobody/test").status == 404)
                #expect(try await Curl.run(port: port, "GET", "/metrics").body.contains(#"meshlog_webhook_attempts_total{result="succeeded"} 2"#))
                // No secret stands in the log.
                let redis = try RedisSession(RedisEndpoint(url: process.redisURL), name: "test")
                for name in StreamName.allCases {
                    let entries = try redis.run("XRANGE", [LogKeys(prefix: process.keyPrefix).stream(name), "-", "+"])
                    #expect(!"\(entries)".contains(secret.text) && !"\(entries)".contains("whsec_"))
                }
            }
            process.crash()
        }
    }

    @Test("A process that is killed while the receiver works on its request: the next process sends it again with the same id") func kill() async throws {
        try await withArguments { arguments in
            let one = try await MeshlogProcess.start("hookkill", arguments: arguments)
            try await WebhookReceiver.with(reply: { _, number in
                if number == 1 { one.crash() }
                return .init(200)
            }) { receiver in
                #expect(try await Curl.run(port: one.port, "PUT", "/v1/templates/amount", Self.template).status == 201)
                let made = try await Curl.run(port: one.port, "PUT", "/v1/webhooks/w", #"{"url":"\#(receiver.url())","events":["validation.failed"]}"#)
                #expect(made.status == 201, "\(made.body)")
                #expect(try await Curl.run(port: one.port, "POST", "/v1/messages", #"{"topic":"orders.eu","data":{}}"#).status == 422)
                #expect(await eventually(within: .seconds(30)) { receiver.all.count == 1 && !one.isRunning })
                let two = try await MeshlogProcess.start("hookkill", beside: one, arguments: arguments)
                let port = two.port
                #expect(await eventually(within: .seconds(40)) { try await attempts(port, "w").first?["result"] as? String == "succeeded" })
                #expect(receiver.all.count == 2 && Set(receiver.all.map(\.id)).count == 1 && Set(receiver.all.map(\.body)).count == 1)
                two.crash()
            }
        }
    }
}
