import Core
import Foundation
import Log
import TestSupport
import Testing

/// The vectors of Standard Webhooks.
@Suite("Webhook conformance")
struct WebhookConformanceTests {
    private struct Vectors: Decodable {
        struct Sign: Decodable {
            let secret: String
            let id: String
            let timestamp: String
            let bodyBase64: String
            let signature: String

            enum CodingKeys: String, CodingKey {
                case secret, id = "webhook-id", timestamp = "webhook-timestamp", bodyBase64 = "body_base64", signature = "webhook-signature"
            }
        }
        struct Verify: Decodable {
            let name: String
            let secret: String
            let now: Int64
            let headers: [String: String]
            let body: String
            let accept: Bool
        }
        let sign: [Sign]
        let verify: [Verify]
        let toleranceSeconds: Int64

        enum CodingKeys: String, CodingKey { case sign, verify, toleranceSeconds = "tolerance_seconds" }
    }

    private static let file = Repository.conformance.map { $0 + "/webhooks/vectors.json" }.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }

    private static func vectors() throws -> Vectors {
        try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: URL(fileURLWithPath: try #require(file))))
    }

    @Test("Every signature is that of the vectors", .enabled(if: file != nil, "the data of the outside suites is not there: set MESHLOG_CONFORMANCE"))
    func sign() throws {
        let vectors = try Self.vectors()
        #expect(vectors.sign.count >= 3)
        for vector in vectors.sign {
            let secret = try #require(WebhookSecret(vector.secret), "\(vector.secret)")
            let body = Array(try #require(Data(base64Encoded: vector.bodyBase64)))
            #expect(WebhookKey.signature.sign(id: vector.id, timestamp: vector.timestamp, body: body, secret: secret) == vector.signature, "\(vector.id)")
        }
    }

    @Test("What is to be accepted is, and nothing else", .enabled(if: file != nil, "the data of the outside suites is not there: set MESHLOG_CONFORMANCE"))
    func verify() throws {
        let vectors = try Self.vectors()
        #expect(vectors.verify.count >= 10 && vectors.toleranceSeconds == WebhookSignature.toleranceSeconds)
        for vector in vectors.verify {
            var accepted = false
            if let secret = WebhookSecret(vector.secret) {
                let headers = vector.headers.map { (name: $0.key, value: $0.value) }
                accepted = (try? WebhookKey.signature.verify(headers: headers, body: Array(vector.body.utf8), secret: secret, now: vector.now)) != nil
            }
            #expect(accepted == vector.accept, "\(vector.name)")
        }
    }

    @Test(
        "Secrets with other characters than base64's are refused; prefix and padding may be missing",
        arguments: [
            ("whsec_AAECAw==", true), ("AAECAw==", true), ("whsec_AAECAw", true), ("whsec_", false), ("", false), ("whsec_A", false), ("whsec_AAE*Aw==", false),
            ("whsec_AAEC Aw==", false), ("whsec_AAECAw=", false), ("whsec_====", false),
        ])
    func secrets(_ text: String, _ isOne: Bool) {
        #expect((WebhookSecret(text)?.key == [0, 1, 2, 3]) == isOne)
        #expect((WebhookSecret(text) != nil) == isOne)
    }

    @Test("Secrets are derived: another webhook, version or key gives another one, the same gives the same") func derived() throws {
        let one = try #require(WebhookKey(Array(repeating: 1, count: 32)))
        let two = try #require(WebhookKey(Array(repeating: 2, count: 32)))
        let all = [one.secret(of: "a", version: 1), one.secret(of: "a", version: 2), one.secret(of: "b", version: 1), two.secret(of: "a", version: 1)]
        #expect(Set(all.map(\.text)).count == 4 && all.allSatisfy { $0.key.count == 32 && $0.text.hasPrefix("whsec_") })
        #expect(one.secret(of: "a", version: 1) == all[0])
        #expect(WebhookSecret(all[0].text) == all[0])
        #expect(WebhookKey(Array(repeating: 1, count: 31)) == nil)
    }
}
