import Control
import Core
import Foundation
import Log
import RedisDriver
import Stack
import TestSupport
import Testing
import Webhooks

/// A log of its own with the stage `webhooks` beside it.
struct NotifierRig: Sendable {
    let endpoint: RedisEndpoint
    let keys: LogKeys
    let key: WebhookKey

    static func with(isolation: isolated (any Actor)? = #isolation, _ body: (NotifierRig) async throws -> Void) async throws {
        let key = try #require(WebhookKey(Array(0..<32)))
        try await OwnLog.with("webhooks") { log in try await body(NotifierRig(endpoint: log.endpoint, keys: log.keys, key: key)) }
    }

    func connect() throws -> RedisSession { try RedisSession(endpoint, name: "test") }

    static let fast = WebhookSchedule(delaysMs: [0, 20, 20, 20])

    /// Runs the stage in a process of this name until `body` ends.
    func withNotifier(
        _ instance: String = "one", schedule: WebhookSchedule = NotifierRig.fast, timeoutMs: Int64 = 60_000, opened: [String] = ["127.0.0.0/8"],
        hasKey: Bool = true, state: ControlState = ControlState(),
        look: @escaping NameResolver.Look = Courier.systemAddress,
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async throws {
        let loop = StageLoop(name: "webhooks", instance: instance, endpoint: endpoint, keys: keys, leaseTTL: .seconds(1))
        let courier = Courier(addresses: AddressGuard(opened: opened.compactMap { NetworkBlock($0) }), timeoutMs: timeoutMs, look: look)
        let notifier = Notifier(loop: loop, keys: keys, courier: courier, key: hasKey ? key : nil, schedule: schedule, known: { state }, metrics: Metrics())
        try await whileRunning({ await notifier.run() }, body)
    }

    // MARK: Writing

    /// Creates or changes a webhook; its revision.
    @discardableResult
    func put(_ id: String, _ url: String, more: String = "", _ change: ControlEvent.Change = .created) throws -> Position {
        let document = change == .deleted ? "" : #"{"webhook_id":"\#(id)","url":"\#(url)","events":["validation.failed"]\#(more)}"#
        let event = ControlEvent(.webhook, change, key: id, document: Array(document.utf8))
        guard case .appended(let positions) = try ControlLog(keys: keys).append([ControlChange(event, expected: .any)], connect()) else {
            throw LogError.unavailable("the change was not appended")
        }
        return positions[0]
    }

    /// Appends a notification; where it stands.
    @discardableResult
    func notify(_ topic: String = "orders.eu") throws -> Position {
        let message = try Envelope.admit(
            Array(#"{"topic":"\#(topic)","source_subject_id":"bob","data":1}"#.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 7, low: 1) })
        return try NotificationEntry(ValidationFailure(door: "http", message: message.entry, uuid: message.uuid, violations: [])).append(connect(), keys: keys)
    }

    // MARK: Looking

    /// The records of attempts, oldest first.
    func attempts(of webhook: String? = nil) throws -> [[String: String]] {
        (try connect().run("XRANGE", [keys.stream(.notifications), "-", "+"]).array ?? []).compactMap { entry in
            let fields = (entry.array?[1].pairs ?? [:]).compactMapValues(\.text)
            return fields["event"] == WebhookAttempt.event && (webhook == nil || fields["webhook_id"] == webhook) ? fields : nil
        }
    }

    func count(_ stream: StreamName) throws -> Int { try connect().run("XLEN", [keys.stream(stream)]).int ?? -1 }

    func results(of webhook: String? = nil) throws -> [String] { try attempts(of: webhook).map { $0["result"] ?? "" } }

    /// Deliveries that have not ended: by time, by content, by count.
    func left() throws -> [Int] {
        let session = try connect()
        return [
            try session.run("ZCARD", [keys.webhookDue]).int ?? -1, try session.run("HLEN", [keys.webhookDeliveries]).int ?? -1,
            try session.run("HLEN", [keys.webhookCounts]).int ?? -1,
        ]
    }

    /// Whether a request's signature is that of a version of a webhook's secret.
    func isGenuine(_ request: WebhookReceiver.Received, _ webhook: String, version: Int64 = 1) -> Bool {
        let now = Int64(Date().timeIntervalSince1970)
        return (try? WebhookKey.signature.verify(headers: request.headers, body: request.body, secret: key.secret(of: webhook, version: version), now: now))
            != nil
    }
}
