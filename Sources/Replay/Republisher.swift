package import Core
internal import Foundation
internal import Logging
package import Log
internal import RedisDriver

/// The sink that sends messages to the backbone and records what came of it; its cursor is the group's, moved in the same step.
package struct RepublishStage: ReplaySink {
    private let backbone: Backbone
    private let body: RepublishBody
    private let target: String
    private let session: RedisSession
    private let keys: LogKeys
    private let lease: String
    private let epoch: Int
    package private(set) var cursor: Position
    private let log = Logger(label: "meshlog.republish")

    init(
        backbone: Backbone, body: RepublishBody, target: String, session: RedisSession, keys: LogKeys, lease: String, epoch: Int, cursor: Position
    ) {
        self.backbone = backbone
        self.body = body
        self.target = target
        self.session = session
        self.keys = keys
        self.lease = lease
        self.epoch = epoch
        self.cursor = cursor
    }

    package mutating func write(_ batch: [DecidedMessage]) throws {
        guard let last = batch.last else { return }
        let due = batch.filter { $0.verdict.targets.contains(target) && ($0.verdict.outcome == .deliver || $0.verdict.outcome == .reroute) }
        let receipts = try send(due)
        try record(due, receipts, through: last.position, entries: batch.count)
        cursor = last.position
    }

    /// Sends until every message has its final receipt, or throws for the loop to begin anew.
    private func send(_ due: [DecidedMessage]) throws -> [BackboneReceipt] {
        guard !due.isEmpty else { return [] }
        let outgoing = due.map { decided in
            OutgoingMessage(
                id: "\(keys.prefix)/\(decided.position)", position: decided.position.description, uuid: decided.message.string(.messageUUID),
                subject: String(decoding: decided.verdict.subject, as: UTF8.self), payload: body.bytes(of: decided),
                contentType: body.contentType(of: decided), traceparent: decided.message.string(.traceparent))
        }
        let backbone = backbone
        let receipts = WorkerThread.wait { await backbone.publish(outgoing) }
        if case .failed(let reason, true)? = receipts.first(where: \.isRetryable) { throw LogError.unavailable("backbone '\(target)': \(reason)") }
        return receipts
    }

    private func record(_ due: [DecidedMessage], _ receipts: [BackboneReceipt], through: Position, entries: Int) throws {
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        let deliveries = zip(due, receipts).map { decided, receipt in
            var delivery = DeliveryEntry(
                position: decided.position, messageUUID: decided.verdict.messageUUID, target: target, subject: decided.verdict.subject, outcome: .core, ackTS: now)
            switch receipt {
            case .stored(let stream, let sequence, let duplicate):
                delivery.outcome = .stored
                delivery.stream = stream
                delivery.sequence = sequence
                delivery.duplicate = duplicate
            case .core: break
            case .failed(let reason, _):
                delivery.outcome = .failed
                delivery.reason = reason
                log.error("a message cannot be delivered", metadata: ["position": "\(decided.position)", "reason": "\(reason)"])
            }
            return delivery
        }
        var command = RESPWriter()
        let width = DeliveryEntry.fieldNames.count * 2
        command.begin(3 + 3 + 5 + deliveries.count * width)
        for value in [
            "FCALL", "meshlog_deliver", "3", keys.stream(.deliveries), keys.stream(.verdicts), lease, String(epoch), GroupName.republish.rawValue,
            through.streamID, String(entries), String(width),
        ] { command.argument(value) }
        for delivery in deliveries {
            for (name, value) in zip(DeliveryEntry.fieldNames, delivery.fieldValues) {
                command.argument(name)
                command.argument(value)
            }
        }
        if case .error(let text) = try session.pipeline(command)[0] { throw LogError(.server(text)) }
    }
}

/// Makes the follower that republishes to one backbone.
package enum Republishers {
    package static func follower(
        loop: StageLoop, keys: LogKeys, metrics: Metrics, backbone: Backbone, target: String, body: RepublishBody
    ) -> HeadFollower<RepublishStage> {
        let reader = LogReader(keys: keys)
        return HeadFollower(
            loop: loop, keys: keys, stream: .verdicts, metrics: metrics,
            read: { try reader.decided(after: $0, count: Limits.republishBatchMax, $1) }, position: { $0.position },
            open: { session, epoch in
                RepublishStage(
                    backbone: backbone, body: body, target: target, session: session, keys: keys, lease: keys.lease(loop.name), epoch: epoch,
                    cursor: try reader.cursor(.verdicts, group: .republish, session))
            })
    }
}
