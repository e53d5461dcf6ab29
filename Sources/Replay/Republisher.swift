package import Core
internal import Foundation
package import Log
internal import Logging
internal import NATSDriver
package import RedisDriver

/// The sink that sends messages to the backbone and records what came of it; its cursor is the group's, moved in the same step.
package struct RepublishStage: ReplaySink {
    private let backbone: Backbone?
    /// Why nothing can be sent.
    private let fault: String
    private let body: RepublishBody
    private let names: BackboneNames
    /// Subjects of Meshlog's own doors there: what a rule reroutes to one would come in again, and be rejected.
    private let doors: Set<String>
    private let session: RedisSession
    private let keys: LogKeys
    private let group: GroupName
    private let lease: String
    private let epoch: Int
    package private(set) var cursor: Position
    private let log = Logger(label: "meshlog.republish")

    init(
        backbone: Backbone?, fault: String = "", body: RepublishBody, names: BackboneNames, doors: Set<String> = [], session: RedisSession, keys: LogKeys,
        group: GroupName, lease: String, epoch: Int, cursor: Position
    ) {
        self.backbone = backbone
        self.fault = fault
        self.group = group
        self.body = body
        self.names = names
        self.doors = doors
        self.session = session
        self.keys = keys
        self.lease = lease
        self.epoch = epoch
        self.cursor = cursor
    }

    package mutating func write(_ batch: [DecidedMessage]) throws {
        guard let last = batch.last else { return }
        let due = batch.filter { $0.verdict.goes(to: names) }
        let receipts = try send(due)
        try record(due, receipts, through: last.position, entries: batch.count)
        cursor = last.position
    }

    /// Sends until every message has its final receipt, or throws for the loop to begin anew.
    private func send(_ due: [DecidedMessage]) throws -> [BackboneReceipt] {
        guard !due.isEmpty else { return [] }
        guard let backbone else { return due.map { _ in .failed(reason: fault, retryable: false) } }
        let isDoor = due.map { doors.contains(String(decoding: $0.verdict.subject, as: UTF8.self)) }
        let outgoing = zip(due, isDoor).filter { !$1 }.map { decided, _ in
            OutgoingMessage(
                id: "\(keys.prefix)/\(decided.position)", position: decided.position.description, uuid: decided.message.string(.messageUUID),
                subject: String(decoding: decided.verdict.subject, as: UTF8.self), payload: body.bytes(of: decided),
                contentType: body.contentType(of: decided), traceparent: decided.message.string(.traceparent))
        }
        let receipts = WorkerThread.wait { await backbone.publish(outgoing) }
        if case .failed(let reason, true)? = receipts.first(where: \.isRetryable) {
            throw LogError.unavailable("backbone '\(names.name(in: due[0].verdict))': \(reason)")
        }
        var sent = receipts.makeIterator()
        return zip(due, isDoor).compactMap { decided, isDoor in
            guard isDoor else { return sent.next() }
            let subject = String(decoding: decided.verdict.subject, as: UTF8.self)
            return .failed(reason: "'\(subject)' is a door of Meshlog: it would come in again", retryable: false)
        }
    }

    private func record(_ due: [DecidedMessage], _ receipts: [BackboneReceipt], through: Position, entries: Int) throws {
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        let deliveries = zip(due, receipts).map { decided, receipt in
            var delivery = DeliveryEntry(
                position: decided.position, messageUUID: decided.verdict.messageUUID, target: names.name(in: decided.verdict), subject: decided.verdict.subject,
                outcome: .core,
                ackTS: now)
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
            "FCALL", "meshlog_deliver", "3", keys.stream(.deliveries), keys.stream(.verdicts), lease, String(epoch), group.rawValue,
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

extension VerdictEntry {
    /// Is the message to be sent to this backbone?
    fileprivate func goes(to backbone: BackboneNames) -> Bool {
        (outcome == .deliver || outcome == .reroute) && targets.contains(backbone.name(in: self))
    }
}

/// Makes the followers that republish.
package enum Republishers {
    /// To the backbone of the settings, which nearly everything goes to.
    ///
    /// - Parameters:
    ///   - tail: of the router in this process.
    ///   - doors: subjects of Meshlog's own doors on the same server, which nothing is sent to.
    package static func follower(
        loop: StageLoop, keys: LogKeys, tail: DecidedTail, metrics: Metrics, backbone: Backbone, target: String, doors: Set<String> = [],
        body: RepublishBody
    ) -> HeadFollower<RepublishStage> {
        let reader = LogReader(keys: keys)
        let names = BackboneNames(target)
        return HeadFollower(
            loop: loop, keys: keys, stream: .verdicts, metrics: metrics,
            read: { try reader.decided(after: $0, count: Limits.republishBatchMax, $1) },
            shortcut: .init(tail, count: { Limits.republishBatchMax }),
            position: { $0.position },
            open: { session, epoch in
                WorkerThread.wait { await backbone.doubt() }
                return RepublishStage(
                    backbone: backbone, body: body, names: names, doors: doors, session: session, keys: keys, group: .republish, lease: keys.lease(loop.name),
                    epoch: epoch,
                    cursor: try reader.cursor(.verdicts, group: .republish, session))
            })
    }

    /// To a backbone of the registry, which rules send some messages to: only those are read.
    package static func follower(
        loop: StageLoop, keys: LogKeys, metrics: Metrics, registered: RegisteredBackbone, backbone: Backbone?, body: RepublishBody
    ) -> HeadFollower<RepublishStage> {
        let reader = LogReader(keys: keys)
        let group = GroupName.republish(registered.id)
        let names = BackboneNames(registered.name)
        return HeadFollower(
            loop: loop, keys: keys, stream: .verdicts, metrics: metrics,
            read: { try reader.decided(after: $0, count: Limits.republishBatchMax, where: { $0.goes(to: names) }, $1) }, position: { $0.position },
            open: { session, epoch in
                if let backbone { WorkerThread.wait { await backbone.doubt() } }
                try names.learn(registered, keys, session)
                return RepublishStage(
                    backbone: backbone, fault: registered.fault ?? "", body: body, names: names, session: session, keys: keys, group: group,
                    lease: keys.lease(loop.name), epoch: epoch, cursor: try reader.cursor(.verdicts, group: group, session))
            })
    }

    /// To all backbones of the registry, each with its own follower.
    ///
    /// - Parameters:
    ///   - loop: of a stage of this name.
    ///   - settings: how to speak to a backbone, without its URL; the credentials of the settings' own backbone are nobody else's business.
    package static func fleet(
        endpoint: RedisEndpoint, keys: LogKeys, metrics: Metrics, body: RepublishBody, settings: BackboneSettings,
        loop: @escaping @Sendable (String) -> StageLoop,
        registered: @escaping @Sendable () -> BackboneFleet.Registry
    ) -> BackboneFleet {
        BackboneFleet(endpoint: endpoint, keys: keys, registered: registered) { one in
            var own = settings
            own.url = one.url
            own.credentials = .anonymous
            let backbone = one.fault == nil ? Backbone(own) : nil
            return (follower(loop: loop("republish.\(one.id)"), keys: keys, metrics: metrics, registered: one, backbone: backbone, body: body), backbone)
        }
    }
}
