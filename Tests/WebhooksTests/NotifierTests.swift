import Core
import Foundation
import Log
import RedisDriver
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

/// The stage `webhooks` with a real Redis and real receivers.
@Suite("Webhook deliveries")
struct NotifierTests {
    @Test("A notification reaches the webhooks that want it, once, signed, and the record says so") func success() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(204) }) { receiver in
                try rig.put("all", receiver.url("/all"))
                try rig.put("orders", receiver.url("/orders?x=1"), more: #","topics":["orders.>"]"#)
                try rig.put("news", receiver.url("/news"), more: #","topics":["news.*"]"#)
                let position = try rig.notify("orders.eu")
                try await rig.withNotifier {
                    #expect(await eventually { try rig.attempts().count == 2 })
                    #expect(await eventually { try rig.left() == [0, 0, 0] })
                }
                let requests = receiver.all
                #expect(Set(requests.map(\.path)) == ["/all", "/orders"] && requests.count == 2)
                for request in requests {
                    let webhook = String(request.path.dropFirst())
                    #expect(rig.isGenuine(request, webhook) && !rig.isGenuine(request, webhook, version: 2) && !rig.isGenuine(request, "other"))
                    #expect(request.id == "\(position)_\(webhook)" && request.header("content-type") == "application/json")
                    let root = try JSONDocument(request.body).root
                    #expect(
                        root["type"]?.string == "validation.failed" && root["data"]?["topic"]?.string == "orders.eu"
                            && root["data"]?["position"]?.string == position.description)
                }
                let attempt = try #require(try rig.attempts(of: "all").first)
                #expect(
                    attempt["result"] == "succeeded" && attempt["status"] == "204" && attempt["attempt"] == "1"
                        && attempt["notification"] == position.description)
                #expect(attempt["next_ts"] == "" && attempt["error"] == "")
            }
        }
    }

    @Test("What failed is sent again with the same id and body, until it succeeds") func retry() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, number in .init(number < 3 ? 500 : 200) }) { receiver in
                try rig.put("w", receiver.url())
                try rig.notify()
                try await rig.withNotifier { #expect(await eventually { try rig.results() == ["failed", "failed", "succeeded"] }) }
                #expect(Set(receiver.all.map(\.id)).count == 1 && Set(receiver.all.map(\.body)).count == 1 && receiver.all.count == 3)
                #expect(try rig.attempts().map { $0["attempt"] } == ["1", "2", "3"])
                #expect(try rig.attempts()[0]["status"] == "500" && rig.attempts()[0]["next_ts"] != "")
                #expect(try rig.left() == [0, 0, 0])
            }
        }
    }

    @Test("After the last attempt of the schedule it is given up") func givenUp() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(404) }) { receiver in
                try rig.put("w", receiver.url())
                try rig.notify()
                try await rig.withNotifier { #expect(await eventually { try rig.results() == ["failed", "failed", "failed", "given_up"] }) }
                #expect(receiver.all.count == 4)
                #expect(try rig.left() == [0, 0, 0])
            }
        }
    }

    @Test("Retry-After is honoured") func retryAfter() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(503, [("Retry-After", "3600")]) }) { receiver in
                try rig.put("w", receiver.url())
                try rig.notify()
                try await rig.withNotifier { #expect(await eventually { try rig.results() == ["failed"] }) }
                let attempt = try #require(try rig.attempts().first)
                let next = try #require(attempt["next_ts"].flatMap { Double($0) }) / 1e6
                #expect(abs(next - Date().timeIntervalSince1970 - 3_600) < 60)
            }
        }
    }

    @Test("410 disables the webhook; what comes later is recorded as skipped and not sent") func gone() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(410) }) { receiver in
                try rig.put("w", receiver.url(), more: #","description":"kept""#)
                try rig.notify()
                try await rig.withNotifier {
                    #expect(await eventually { try rig.results() == ["disabled"] })
                    try rig.notify()
                    #expect(await eventually { try rig.results() == ["disabled", "skipped"] })
                }
                #expect(receiver.all.count == 1)
                var fold = WebhookFold()
                try ControlReading.all(rig, into: &fold)
                let webhook = try #require(fold.webhooks["w"])
                #expect(webhook.endpoint.isDisabled && String(decoding: webhook.document, as: UTF8.self).contains("kept"))
                #expect(try rig.left() == [0, 0, 0])
            }
        }
    }

    @Test("A redirect is a failure and is not followed", arguments: [301, 302, 307, 308]) func redirect(_ status: Int) async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { request, _ in request.path == "/hook" ? .init(status, [("Location", "/elsewhere")]) : .init(200) }) {
                receiver in
                try rig.put("w", receiver.url())
                try rig.notify()
                try await rig.withNotifier(schedule: WebhookSchedule(delaysMs: [0])) { #expect(await eventually { try rig.results() == ["given_up"] }) }
                #expect(receiver.all.map(\.path) == ["/hook"])
                #expect(try rig.attempts().first?["error"]?.contains("redirects are not followed") == true)
            }
        }
    }

    @Test("A receiver that does not answer in time has failed") func timeout() async throws {
        try await NotifierRig.with { rig in
            let isOver = Mutex(false)
            try await WebhookReceiver.with(reply: { _, number in
                if number == 1 { _ = await eventually(within: .seconds(60)) { isOver.withLock { $0 } } }
                return .init(200)
            }) { receiver in
                try rig.put("w", receiver.url())
                try rig.notify()
                try await rig.withNotifier(timeoutMs: 2_000) {
                    #expect(await eventually(within: .seconds(30)) { try rig.results() == ["failed", "succeeded"] })
                }
                isOver.withLock { $0 = true }
                let attempt = try #require(try rig.attempts().first)
                #expect(attempt["error"]?.contains("2000 ms") == true && attempt["status"] == "")
                #expect((attempt["duration_ms"].flatMap { Int($0) } ?? 0) >= 1_990)
            }
        }
    }

    @Test(
        "Networks around us are not reached, by address or by name, and http not outside of what is opened",
        arguments: [
            "http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://127.1:PORT/", "http://0x7f000001:PORT/",
            "http://2130706433:PORT/", "http://[::1]:PORT/",
            "https://169.254.169.254/latest/meta-data", "http://0.0.0.0:PORT/",
        ])
    func refused(_ pattern: String) async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                try rig.put("w", pattern.replacing("PORT", with: String(receiver.port)))
                try rig.notify()
                try await rig.withNotifier(schedule: WebhookSchedule(delaysMs: [0]), opened: ["10.0.0.0/8"]) {
                    #expect(await eventually { try rig.results() == ["given_up"] })
                }
                #expect(receiver.all.isEmpty)
                #expect(try rig.attempts().first?["error"]?.contains("is refused") == true)
            }
        }
    }

    @Test("A name in an opened network is reached at the address that was checked, and the Host header keeps the name") func named() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                try rig.put("w", "http://localhost:\(receiver.port)/hook")
                try rig.notify()
                try await rig.withNotifier(opened: ["127.0.0.0/8", "::1/128"]) { #expect(await eventually { try !rig.results().isEmpty }) }
                // Where the name has an IPv6 address first, nobody listens there: then it fails, but it is not refused.
                let attempt = try #require(try rig.attempts().first)
                #expect(attempt["error"]?.contains("is refused") == false)
                #expect(receiver.all.allSatisfy { $0.path == "/hook" })
            }
        }
    }

    @Test("A name is looked up once and the request goes to that address: one that changes in between, or later, to an address around us gains nothing")
    func rebinding() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                let looks = Mutex(0)
                // The first look says where the receiver is, every further one a network that is not opened. No name server knows this name.
                let look: @Sendable (String, Int) throws -> NetworkAddress? = { host, _ in
                    #expect(host == "hook.invalid")
                    let number = looks.withLock { count in
                        count += 1
                        return count
                    }
                    return NetworkAddress(number == 1 ? "127.0.0.1" : "10.0.0.7")
                }
                try rig.put("w", "http://hook.invalid:\(receiver.port)/hook")
                try rig.notify()
                try await rig.withNotifier(schedule: WebhookSchedule(delaysMs: [0]), look: look) {
                    #expect(await eventually { try rig.results() == ["succeeded"] })
                    #expect(looks.withLock { $0 } == 1)
                    #expect(receiver.all.map { $0.header("host") } == ["hook.invalid:\(receiver.port)"])
                    try rig.notify()
                    #expect(await eventually { try rig.results() == ["succeeded", "given_up"] })
                }
                #expect(receiver.all.count == 1 && looks.withLock { $0 } == 2)
                #expect(try rig.attempts().last?["error"]?.contains("'hook.invalid' is at 10.0.0.7, which is refused") == true)
            }
        }
    }

    @Test("A name server that is silent takes half of an attempt's time, and nothing from other webhooks", .timeLimit(.minutes(5))) func slowName() async throws
    {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                try rig.put("w", "http://hook.invalid:\(receiver.port)/hook")
                try rig.notify()
                let silent = SilentNameServer()
                defer { silent.answer() }
                // Ends while the look-up still hangs.
                try await rig.withNotifier(schedule: WebhookSchedule(delaysMs: [0]), timeoutMs: 2_000, look: silent.look) {
                    #expect(await eventually { try rig.results(of: "w") == ["given_up"] })
                    #expect(receiver.all.isEmpty)
                    #expect(try rig.attempts().first?["error"] == "looking the name 'hook.invalid' up took more than 1000 ms")
                    try rig.put("known", "http://known.invalid:\(receiver.port)/known")
                    try rig.put("w", "", .deleted)
                    try rig.notify()
                    #expect(await eventually { try rig.results(of: "known") == ["succeeded"] })
                }
                #expect(silent.asked == ["hook.invalid", "known.invalid"])
            }
        }
    }

    @Test("Plain http does not leave for the internet, nor do ports of other protocols", arguments: ["http://1.1.1.1/", "https://1.1.1.1:25/"]) func outside(
        _ url: String
    ) async throws {
        try await NotifierRig.with { rig in
            try rig.put("w", url)
            try rig.notify()
            try await rig.withNotifier(schedule: WebhookSchedule(delaysMs: [0])) { #expect(await eventually { try rig.results() == ["given_up"] }) }
            let error = try #require(try rig.attempts().first?["error"])
            #expect(error.contains("give the webhook an https URL") || error.contains("another protocol"))
        }
    }

    @Test("A process that ends between sending and recording loses nothing: the next one sends again, with the same id") func takeover() async throws {
        try await NotifierRig.with { rig in
            let isHeld = Mutex(true)
            try await WebhookReceiver.with(reply: { _, _ in
                _ = await eventually(within: .seconds(60)) { isHeld.withLock { !$0 } }
                return .init(200)
            }) { receiver in
                try rig.put("w", receiver.url())
                try rig.notify()
                try await rig.withNotifier("one") { #expect(await eventually { receiver.all.count == 1 }) }
                #expect(try rig.results() == [] && rig.left() == [1, 1, 1])
                isHeld.withLock { $0 = false }
                try await rig.withNotifier("two") { #expect(await eventually { try rig.results() == ["succeeded"] }) }
                #expect(receiver.all.count == 2 && Set(receiver.all.map(\.id)).count == 1 && Set(receiver.all.map(\.body)).count == 1)
                #expect(try rig.attempts().first?["attempt"] == "1")
                #expect(try rig.left() == [0, 0, 0])
            }
        }
    }

    @Test("After a change of the secret both sign for a day") func rotation() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                try rig.put("w", receiver.url())
                try rig.put("w", receiver.url(), more: #","secret_version":2"#, .updated)
                // Another change does not end the grace.
                try rig.put("w", receiver.url(), more: #","secret_version":2,"description":"x""#, .updated)
                try rig.notify()
                try await rig.withNotifier { #expect(await eventually { try rig.results() == ["succeeded"] }) }
                let request = try #require(receiver.all.first)
                #expect(request.header("webhook-signature")?.split(separator: " ").count == 2)
                #expect(rig.isGenuine(request, "w", version: 1) && rig.isGenuine(request, "w", version: 2) && !rig.isGenuine(request, "w", version: 3))
                var fold = WebhookFold()
                try ControlReading.all(rig, into: &fold)
                let webhook = try #require(fold.webhooks["w"])
                let now = Int64(Date().timeIntervalSince1970 * 1000)
                #expect(webhook.versions(nowMs: now) == [2, 1] && webhook.versions(nowMs: now + Limits.webhookGraceMs) == [2])
            }
        }
    }

    @Test("A slow receiver does not delay another") func slow() async throws {
        try await NotifierRig.with { rig in
            let isHeld = Mutex(true)
            try await WebhookReceiver.with(reply: { request, _ in
                if request.path == "/slow" { _ = await eventually(within: .seconds(60)) { isHeld.withLock { !$0 } } }
                return .init(200)
            }) { receiver in
                try rig.put("slow", receiver.url("/slow"))
                try rig.put("quick", receiver.url("/quick"))
                for _ in 0..<20 { try rig.notify() }
                try await rig.withNotifier {
                    #expect(await eventually { try rig.results(of: "quick").count == 20 })
                    #expect(await eventually { receiver.all.contains { $0.path == "/slow" } }, "it is served all the while")
                    let slow = try rig.results(of: "slow")
                    #expect(slow == [])
                    isHeld.withLock { $0 = false }
                    #expect(await eventually { try rig.results(of: "slow").count == 20 })
                }
            }
        }
    }

    @Test("Without a key nothing is sent, the record says why, and it is tried again") func keyless() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                try rig.put("w", receiver.url())
                try rig.notify()
                try await rig.withNotifier(schedule: WebhookSchedule(delaysMs: [0, 5_000]), hasKey: false) {
                    #expect(await eventually { try rig.results() == ["failed"] })
                }
                #expect(try rig.attempts().first?["error"]?.contains("webhook-key-file") == true && receiver.all.isEmpty)
                try await rig.withNotifier("two", schedule: WebhookSchedule(delaysMs: [0, 5_000])) {
                    #expect(await eventually { try rig.results() == ["failed", "succeeded"] })
                }
            }
        }
    }

    @Test("A delivery to a webhook that was deleted or disabled meanwhile ends with a record") func deleted() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(500) }) { receiver in
                try rig.put("gone", receiver.url())
                try rig.put("off", receiver.url())
                try rig.notify()
                try await rig.withNotifier(schedule: WebhookSchedule(delaysMs: [0, 6_000, 500])) {
                    #expect(await eventually { try rig.results(of: "gone") == ["failed"] && rig.results(of: "off") == ["failed"] })
                    try rig.put("gone", "", .deleted)
                    try rig.put("off", receiver.url(), more: #","disabled":true"#, .updated)
                    #expect(await eventually { try rig.results(of: "gone") == ["failed", "skipped"] && rig.results(of: "off") == ["failed", "skipped"] })
                    #expect(await eventually { try rig.left() == [0, 0, 0] })
                }
                #expect(receiver.all.count == 2)
            }
        }
    }

    @Test("A webhook that has too much waiting gets no more, and the record says so") func full() async throws {
        try await NotifierRig.with { rig in
            try rig.put("w", "https://example.invalid/")
            try rig.connect().run("HSET", [rig.keys.webhookCounts, "w", String(Limits.webhookDeliveriesEachMax)])
            try rig.notify()
            try await rig.withNotifier { #expect(await eventually { try rig.results() == ["skipped"] }) }
            #expect(try rig.attempts().first?["error"]?.contains("too many deliveries") == true)
            #expect(try rig.left() == [0, 0, 1])
        }
    }

    @Test("A test goes to the webhook it names and to no other") func test() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                try rig.put("one", receiver.url("/one"))
                try rig.put("two", receiver.url("/two"))
                _ = try NotificationEntry.test(.init(webhook: "two", principal: "ann")).append(rig.connect(), keys: rig.keys)
                try await rig.withNotifier { #expect(await eventually { try rig.results() == ["succeeded"] }) }
                #expect(receiver.all.map(\.path) == ["/two"])
                #expect(String(decoding: receiver.all[0].body, as: UTF8.self).contains(#""type":"webhook.test""#))
            }
        }
    }

    @Test("A process that lost its lease neither keeps nor records anything; an attempt is recorded once") func fenced() async throws {
        try await NotifierRig.with { rig in
            let session = try rig.connect()
            var lease = Lease(name: "webhooks", instance: "a", ttl: .seconds(60), keys: rig.keys)
            guard case .held(let epoch) = try lease.renew(session) else { throw LogError.fenced("the lease is free") }
            let log = DeliveryLog(keys: rig.keys, stage: "webhooks")
            let position = try rig.notify()
            let delivery = Delivery(notification: position, webhook: "w")
            let record = WebhookAttempt(webhook: "w", revision: nil, notification: position, type: "validation.failed", attempt: 1, result: .failed(nextMs: 9))
            let plan = DeliveryLog.Plan(delivery: delivery, dueMs: 5, type: "validation.failed", body: Array("{\n}".utf8), record: record)
            #expect(throws: RedisError.self) { try log.spread([plan], through: position, entries: 1, session, epoch - 1) }
            #expect(try rig.left() == [0, 0, 0])
            #expect(try log.spread([plan], through: position, entries: 1, session, epoch) == [])
            // Again, as after an answer that was lost.
            #expect(try log.spread([plan], through: position, entries: 1, session, epoch) == [])
            #expect(try rig.left() == [1, 1, 1])
            #expect(throws: RedisError.self) { try log.record(record, of: delivery, before: 0, session, epoch - 1) }
            #expect(try log.record(record, of: delivery, before: 0, session, epoch))
            #expect(try !log.record(record, of: delivery, before: 0, session, epoch), "another process has made it")
            let kept = try #require(try log.kept([delivery], session).first ?? nil)
            #expect(kept.attempts == 1 && kept.type == "validation.failed" && kept.body == Array("{\n}".utf8))
            #expect(try log.due(delivery, session) == 9 && log.waiting(session).map(\.0) == [delivery])
            var end = record
            end.attempt = 2
            end.result = .succeeded
            #expect(try log.record(end, of: delivery, before: 1, session, epoch))
            #expect(try !log.record(end, of: delivery, before: 1, session, epoch))
            #expect(try rig.left() == [0, 0, 0] && rig.results() == ["failed", "succeeded"])
            let cursor = try LogReader(keys: rig.keys).cursor(.notifications, group: .webhooks, session)
            #expect(cursor == position)
        }
    }
}
