import Core
import Testing

@Suite("Webhooks, pure")
struct WebhookTests {
    private let position = Position(ms: 1_700_000_000_000, seq: 3)

    // MARK: Schedule

    @Test("The schedule is that of the specification, with up to a tenth added, the same for the same notification") func schedule() {
        let schedule = WebhookSchedule.standard
        #expect(schedule.delaysMs.map { $0 / 1000 } == [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400])
        var jitters: Set<Int64> = []
        for seq in 0..<50 {
            let position = Position(ms: 1_700_000_000_000, seq: UInt64(seq))
            for attempt in 1..<10 {
                let delay = schedule.delayMs(after: attempt, of: position) ?? -1
                #expect(delay >= schedule.delaysMs[attempt] && delay <= schedule.delaysMs[attempt] * 11 / 10)
                #expect(schedule.delayMs(after: attempt, of: position) == delay)
                if attempt == 2 { jitters.insert(delay) }
            }
        }
        #expect(jitters.count > 40, "what failed together is not repeated together")
        #expect(schedule.delayMs(after: 10, of: position) == nil && schedule.delayMs(after: 0, of: position) == nil)
    }

    @Test("Retry-After makes it later, never sooner, and a day at most") func retryAfter() {
        let schedule = WebhookSchedule(delaysMs: [0, 1_000])
        #expect(schedule.delayMs(after: 1, of: position, retryAfterMs: 60_000) == 60_000)
        #expect(schedule.delayMs(after: 1, of: position, retryAfterMs: 1) == schedule.delayMs(after: 1, of: position))
        #expect(schedule.delayMs(after: 1, of: position, retryAfterMs: .max) == 86_400_000)
    }

    @Test("Only 2xx is a success; 410 disables; the last failure gives up") func rulings() {
        let schedule = WebhookSchedule(delaysMs: [0, 0])
        func ruling(_ status: Int, attempt: Int = 1) -> WebhookAttempt.Result {
            WebhookAnswer.status(status, retryAfterMs: nil).ruling(schedule, attempt: attempt, of: position, nowMs: 5)
        }
        for status in [200, 201, 204, 299] { #expect(ruling(status) == .succeeded) }
        for status in [100, 199, 300, 301, 302, 307, 308, 400, 404, 429, 500, 502, 503, 599] { #expect(ruling(status) == .failed(nextMs: 5)) }
        #expect(ruling(410) == .disabled && ruling(410, attempt: 2) == .disabled)
        #expect(ruling(500, attempt: 2) == .givenUp)
        #expect(WebhookAnswer.failure("x").ruling(schedule, attempt: 1, of: position, nowMs: 5) == .failed(nextMs: 5))
        #expect([429, 502, 503, 504, 500].map { WebhookAnswer.status($0, retryAfterMs: nil).isThrottling } == [true, true, true, true, false])
    }

    // MARK: URL

    @Test(
        "A URL is read into its parts",
        arguments: [
            ("https://example.com", "https://example.com:443/"), ("HTTPS://Example.COM/a/B?c=%20", "https://example.com:443/a/B?c=%20"),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"), ("https://[2001:DB8::1]:99/x", "https://[2001:db8::1]:99/x"),
            ("https://a_b.example?x=1", "https://a_b.example:443/?x=1"),
            ("https://example.com/@user:x", "https://example.com:443/@user:x"),
        ])
    func url(_ text: String, _ expected: String) throws { #expect(try WebhookURL(text).text == expected) }

    @Test(
        "What could be read as two URLs, or says too much, is refused",
        arguments: [
            "", "example.com", "ftp://example.com", "https://", "https:///x", "https://user@example.com", "https://user:pass@example.com/",
            "https://example.com:0", "https://example.com:65536",
            "https://example.com:x", "https://example.com:", "https://example.com#x", "https://exa mple.com", "https://example.com\\@evil.com",
            "https://ex%61mple.com", "https://münchen.de",
            "https://[::1", "https://[::1]x", "https://[example.com]", "https://[fe80::1%25eth0]/", "https://.example.com", "https://a,b.com",
            "javascript:alert(1)", "https://example.com:80:80",
            "https://example.com/\n", "https://" + String(repeating: "a", count: 254), "https://example.com/" + String(repeating: "a", count: 2_048),
        ])
    func noURL(_ text: String) { #expect(throws: Refusal.self) { try WebhookURL(text) } }

    @Test("Ports of other protocols are refused") func ports() throws {
        for port in [80, 443, 1_024, 8_443, 65_535] { #expect(try WebhookURL("https://example.com:\(port)").portFault == nil) }
        for port in [1, 22, 25, 53, 389, 587, 1_023] { #expect(try WebhookURL("https://example.com:\(port)").portFault != nil) }
    }

    // MARK: Documents

    private func faults(_ document: String, key: String = "w") -> [String] {
        let rules = DocumentRules { _, _ in Refusal() }
        return rules.check(.webhook, key: key, document: Array(document.utf8)).violations.map(\.pointer)
    }

    @Test("Every fault of a document is named") func documents() {
        #expect(faults(#"{"webhook_id":"w","url":"https://example.com","events":["validation.failed"]}"#) == [])
        #expect(
            faults(
                #"{"webhook_id":"a.b","url":"https://u@example.com","events":["validation.failed","validation.failled"],"topics":["a.>","a..b"]}"#, key: "a.b")
                == ["/webhook_id", "/url", "/events/1", "/topics/1"])
    }

    @Test("The id of a message has none but the characters that the signed content allows") func messageID() {
        let id = WebhookAttempt.messageID(position, webhook: "a_B-9")
        #expect(id == "0-1700000000000-3_a_B-9" && !id.contains("."))
    }

    @Test("Times are compared in both directions, also at the ends of the numbers") func tolerance() {
        let signature = WebhookSignature { key, content in key + content }
        let secret = WebhookSecret(key: [1])
        for (timestamp, now) in [
            ("0", Int64.min), ("0", Int64.max), ("9223372036854775807", 0), ("99999999999999999999", 0), ("-5", 0), ("+5", 5), (" 5", 5), ("5.0", 5),
        ] {
            let header = signature.sign(id: "i", timestamp: timestamp, body: [], secret: secret)
            let headers = [(name: "webhook-id", value: "i"), (name: "webhook-timestamp", value: timestamp), (name: "webhook-signature", value: header)]
            #expect(throws: WebhookSignature.Fault.self, "\(timestamp)") { try signature.verify(headers: headers, body: [], secret: secret, now: now) }
        }
    }
}
