internal import Core
internal import Foundation
internal import Logging
package import Log
internal import RedisDriver

/// Reads messages as the group `router`, decides, and writes verdict and acknowledgement in one step.
///
/// One process routes at a time; a verdict has its message's id, so a repeat after a crash writes nothing twice.
package struct Router: Sendable {
    private let loop: StageLoop
    private let keys: LogKeys
    private let machine: RouterMachine
    private let attemptsMax: Int
    private let batch: Histogram
    private let latency: Histogram
    private let age: Histogram
    private let decided: Counter
    private let buried: Counter
    private let log = Logger(label: "meshlog.router")

    package init(loop: StageLoop, keys: LogKeys, machine: RouterMachine, attemptsMax: Int, metrics: Metrics) {
        self.loop = loop
        self.keys = keys
        self.machine = machine
        self.attemptsMax = attemptsMax
        batch = metrics.sizes("meshlog_stage_batch_entries", help: "Entries in one step of a stage", ["stage": "router"])
        latency = metrics.latency("meshlog_stage_step_seconds", help: "One step of a stage", ["stage": "router"])
        age = metrics.latency("meshlog_stage_age_seconds", help: "From an entry's append to its passing the stage", ["stage": "router"])
        decided = metrics.counter("meshlog_stage_entries_total", help: "Entries that passed a stage", ["stage": "router"])
        buried = metrics.counter("meshlog_buried_entries_total", help: "Entries moved to rejected by a stage", ["stage": "router"])
    }

    /// Runs until shutdown.
    package func run() async {
        await WorkerThread.run("router") { [self] stop in
            var consumer = consumer
            loop.run(stop, begin: { _, _ in consumer.startOver(countingDeliveries: nil) }, step: { try step(&consumer, $1, $2) })
        }
    }

    private var consumer: GroupConsumer {
        GroupConsumer(stream: keys.stream(.messages), group: GroupName.router.rawValue, consumer: loop.instance, attemptsMax: attemptsMax)
    }

    private func step(_ consumer: inout GroupConsumer, _ session: RedisSession, _ epoch: Int) throws {
        let items: [GroupConsumer.Item]
        let start: ContinuousClock.Instant
        do {
            // A read may break after Redis has delivered: then its entries are pending, older than anything new.
            items = try consumer.read(session, count: Limits.routerBatchMax, wait: .milliseconds(250))
            guard !items.isEmpty else { return }
            start = .now
            try decide(items, session, epoch)
        } catch {
            consumer.startOver(countingDeliveries: false)
            throw error
        }
        batch.record(items.count)
        latency.record(Int((ContinuousClock.now - start) / .microseconds(1)))
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        for item in items {
            if case .entry(let position, _) = item { age.record(Int(max(0, now - position.microseconds))) }
        }
    }

    private func decide(_ items: [GroupConsumer.Item], _ session: RedisSession, _ epoch: Int) throws {
        var command = RESPWriter()
        var verdicts: [(Position, VerdictEntry)] = []
        for item in items {
            switch item {
            case .entry(let position, let message):
                guard let uuid = message.uuid else { preconditionFailure("GroupConsumer checks the entry") }
                verdicts.append((position, machine.decide(position, message, uuid: uuid)))
            case .unreadable(let position, let cause, let bytes):
                try bury(RejectedEntry(door: "router", reason: cause, bytes: bytes, position: position, attempts: 1), session, epoch)
            case .spent(let position, let attempts, let bytes):
                let reason = "delivered \(attempts) times to the router without being acknowledged"
                try bury(RejectedEntry(door: "router", reason: reason, bytes: bytes, position: position, attempts: attempts), session, epoch)
            }
        }
        guard !verdicts.isEmpty else { return }
        write(verdicts, epoch, to: &command)
        let written = try session.pipeline(command)[0]
        if case .error(let text) = written { throw LogError(.server(text)) }
        decided.add(verdicts.count)
    }

    private func bury(_ entry: RejectedEntry, _ session: RedisSession, _ epoch: Int) throws {
        try entry.bury(session, keys: keys, stream: .messages, group: .router, lease: keys.lease(loop.name), epoch: epoch)
        buried.add()
        log.error("buried an entry", metadata: ["position": "\(entry.position?.description ?? "")", "reason": "\(entry.reason)"])
    }

    private func write(_ verdicts: [(Position, VerdictEntry)], _ epoch: Int, to out: inout RESPWriter) {
        out.begin(3 + 3 + 2 + 10 * verdicts.count)
        for value in ["FCALL", "meshlog_decide", "3", keys.stream(.verdicts), keys.stream(.messages), keys.lease(loop.name), String(epoch)] {
            out.argument(value)
        }
        out.argument(GroupName.router.rawValue)
        var uuid: [UInt8] = []
        for (position, verdict) in verdicts {
            uuid.removeAll(keepingCapacity: true)
            verdict.messageUUID.append(to: &uuid)
            out.argument(position.streamID)
            out.argument(VerdictEntry.event)
            out.argument(VerdictEntry.version)
            out.argument(uuid)
            out.argument(verdict.outcome.rawValue)
            out.argument(verdict.rule)
            out.argument(verdict.reason)
            out.argument(verdict.policyRevision)
            out.argument(verdict.targetsJSON)
            out.argument(verdict.subject)
        }
    }
}
