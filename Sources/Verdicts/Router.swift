package import Control
internal import Core
internal import Foundation
package import Log
internal import Logging
internal import RedisDriver

/// Reads messages as the group `router`, decides, and writes verdict and acknowledgement in one step.
///
/// One process routes at a time; a verdict has its message's id, so a repeat after a crash writes nothing twice. `control` is folded up to
/// its head after each batch of messages was read: a rule whose acknowledgement came before a message was sent is in force for it.
package struct Router: Sendable {
    private let loop: StageLoop
    private let keys: LogKeys
    private let policy: PolicyFold
    private let control: ControlReader
    private let attemptsMax: Int
    private let limitsWritten: Int
    private let limitsInterval: Duration
    private let openSessionsMax: Int
    private let tail: DecidedTail
    private let batch: Histogram
    private let latency: Histogram
    private let age: Histogram
    private let decided: Counter
    private let outcomes: [Outcome: Counter]
    private let buried: Counter
    private let refused: Counter
    private let log = Logger(label: "meshlog.router")

    /// - Parameters:
    ///   - policy: as it stands at the start; it is folded further.
    ///   - limitsWritten: verdicts after which the state of limits is written down.
    ///   - limitsInterval: time after which it is, however few there are, and also when nothing comes any more.
    ///   - openSessionsMax: held messages that may wait at once; what would be one more is blocked.
    ///   - tail: takes what was decided, for the followers in this process.
    package init(
        loop: StageLoop, keys: LogKeys, policy: PolicyFold, attemptsMax: Int, limitsWritten: Int = Limits.limitsWrittenVerdicts,
        limitsInterval: Duration = .seconds(Limits.limitsWrittenSeconds), openSessionsMax: Int = Limits.openSessionsMax,
        tail: DecidedTail = DecidedTail(), metrics: Metrics
    ) {
        self.tail = tail
        self.limitsWritten = limitsWritten
        self.limitsInterval = limitsInterval
        self.openSessionsMax = openSessionsMax
        self.loop = loop
        self.keys = keys
        self.policy = policy
        control = ControlReader(keys: keys)
        self.attemptsMax = attemptsMax
        batch = metrics.sizes("meshlog_stage_batch_entries", help: "Entries in one step of a stage", ["stage": "router"])
        latency = metrics.latency("meshlog_stage_step_seconds", help: "One step of a stage", ["stage": "router"])
        age = metrics.latency("meshlog_stage_age_seconds", help: "From an entry's append to its passing the stage", ["stage": "router"])
        decided = metrics.counter("meshlog_stage_entries_total", help: "Entries that passed a stage", ["stage": "router"])
        outcomes = Dictionary(
            uniqueKeysWithValues: Outcome.allCases.map {
                ($0, metrics.counter("meshlog_verdicts_total", help: "Verdicts by outcome", ["outcome": $0.rawValue]))
            })
        refused = metrics.counter("meshlog_sessions_refused_total", help: "Messages that were blocked because too many sessions are open")
        buried = metrics.counter("meshlog_buried_entries_total", help: "Entries moved to rejected by a stage", ["stage": "router"])
    }

    /// Runs until shutdown.
    package func run() async {
        await WorkerThread.run("router") { [self] stop in
            let machine = RouterMachine(policy)
            var consumer = consumer
            // Read and not yet decided.
            var waiting: ArraySlice<GroupConsumer.Item> = []
            loop.run(
                stop,
                begin: { session, _, isGoing in
                    // Others may have decided meanwhile.
                    tail.forget()
                    var limits = LimiterLog(keys: keys, lease: keys.lease(loop.name), every: limitsWritten, interval: limitsInterval)
                    // Decided and not written is as good as not decided, also for the limits.
                    machine.limiter = try limits.restore(session, while: isGoing)
                    try control.fold(into: &machine.policy, session, stop: { !isGoing() })
                    consumer.startOver(countingDeliveries: nil)
                    waiting = []
                    return limits
                },
                step: { limits, session, epoch in
                    do {
                        try step(&consumer, &waiting, machine, &limits, session, epoch)
                        // This was the last step under this lease: who comes next need not read what is in the state already.
                        if stop.isRequested { try limits.write(machine.limiter, session, epoch) }
                    } catch {
                        waiting = []
                        // A read may break after Redis has delivered: then its entries are pending, older than anything new.
                        consumer.startOver(countingDeliveries: false)
                        throw error
                    }
                })
        }
    }

    private var consumer: GroupConsumer {
        GroupConsumer(stream: keys.stream(.messages), group: GroupName.router.rawValue, consumer: loop.instance, attemptsMax: attemptsMax)
    }

    private func step(
        _ consumer: inout GroupConsumer, _ waiting: inout ArraySlice<GroupConsumer.Item>, _ machine: RouterMachine, _ limits: inout LimiterLog,
        _ session: RedisSession, _ epoch: Int
    ) throws {
        tail.keep()
        if waiting.isEmpty { waiting = try consumer.read(session, count: Limits.routerBatchMax, wait: .milliseconds(250))[...] }
        try control.fold(into: &machine.policy, session)
        guard !waiting.isEmpty else { return try limits.keep(machine.limiter, session, epoch) }
        let start = ContinuousClock.now
        let (items, last) = try decide(waiting, machine, session, epoch)
        waiting = waiting.dropFirst(items.count)
        if let last {
            limits.add(items.count, through: last)
            try limits.keep(machine.limiter, session, epoch)
        }
        batch.record(items.count)
        latency.record(Int((ContinuousClock.now - start) / .microseconds(1)))
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        for item in items {
            if case .entry(let position, _) = item { age.record(Int(max(0, now - position.microseconds))) }
        }
    }

    /// Decides about the first messages, and about as many as fit a part of the lease: a step that outlived it could not be written, and would
    /// be begun again and again.
    ///
    /// - Returns: those, and the position of the last that has a verdict.
    private func decide(
        _ waiting: ArraySlice<GroupConsumer.Item>, _ machine: RouterMachine, _ session: RedisSession, _ epoch: Int
    ) throws -> (items: ArraySlice<GroupConsumer.Item>, last: Position?) {
        var verdicts: [Decided] = []
        var done = waiting.startIndex
        let end = ContinuousClock.now + loop.leaseTTL / 4
        while done < waiting.endIndex, done == waiting.startIndex || ContinuousClock.now < end {
            let item = waiting[done]
            done += 1
            switch item {
            case .entry(let position, let message):
                guard let uuid = message.uuid else { preconditionFailure("GroupConsumer checks the entry") }
                let verdict = machine.decide(position, message, uuid: uuid)
                verdicts.append(
                    Decided(
                        DecidedMessage(position: position, message: message, verdict: verdict),
                        session: SessionOpening(verdict, about: message, at: position)))
            case .unreadable(let position, let cause, let bytes):
                try bury(RejectedEntry(door: "router", reason: cause, bytes: bytes, position: position, attempts: 1), session, epoch)
            case .spent(let position, let attempts, let bytes):
                let reason = "delivered \(attempts) times to the router without being acknowledged"
                try bury(RejectedEntry(door: "router", reason: reason, bytes: bytes, position: position, attempts: attempts), session, epoch)
            }
        }
        guard let last = verdicts.last?.position else {
            show([], of: waiting[..<done])
            return (waiting[..<done], nil)
        }
        var command = RESPWriter()
        write(verdicts, epoch, to: &command)
        let answer = try session.pipeline(command)[0]
        if case .error(let text) = answer { throw LogError(.server(text)) }
        let notOpened = answer.array?.last?.int ?? 0
        let isAsDecided = answer.array?.first?.int == verdicts.count && notOpened == 0
        show(isAsDecided ? verdicts.map(\.message) : [], of: waiting[..<done])
        decided.add(verdicts.count)
        count(verdicts, notOpened: notOpened)
        return (waiting[..<done], last)
    }

    /// Tells the followers in this process what the log has taken. Where it holds anything else than that (a verdict that was there before, or in the place of
    /// another, or a message that was buried), they read it from there.
    private func show(_ decided: [DecidedMessage], of items: ArraySlice<GroupConsumer.Item>) {
        if decided.count == items.count { tail.append(decided) } else if let last = items.last { tail.restart(at: last.position) }
    }

    /// - Parameter notOpened: messages that were blocked instead of being held.
    private func count(_ verdicts: [Decided], notOpened: Int) {
        var left = notOpened
        for decided in verdicts {
            if left > 0, decided.session != nil {
                left -= 1
                outcomes[.block]?.add()
            } else {
                outcomes[decided.verdict.outcome]?.add()
            }
        }
        guard notOpened > 0 else { return }
        refused.add(notOpened)
        log.error("too many sessions are open; messages that would be held are blocked", metadata: ["blocked": "\(notOpened)", "open": "\(openSessionsMax)"])
    }

    private func bury(_ entry: RejectedEntry, _ session: RedisSession, _ epoch: Int) throws {
        try entry.bury(session, keys: keys, stream: .messages, group: .router, lease: keys.lease(loop.name), epoch: epoch)
        buried.add()
        log.error("buried an entry", metadata: ["position": "\(entry.position?.description ?? "")", "reason": "\(entry.reason)"])
    }

    /// A verdict, and the session that it opens. An object, so that lists of them are not copied part by part.
    private final class Decided {
        let message: DecidedMessage
        let session: SessionOpening?

        init(_ message: DecidedMessage, session: SessionOpening?) {
            self.message = message
            self.session = session
        }

        var position: Position { message.position }
        var verdict: VerdictEntry { message.verdict }

        /// When the session ends, as `meshlog_decide` takes it. A person's time begins with the opening, by Redis's clock.
        var end: String {
            guard let session else { return "" }
            switch session.kind {
            case .approval: return SessionOpening.timeoutMs(verdict).map { "+\($0 * 1_000)" } ?? ""
            case .delay: return session.expiresAt.map { String($0) } ?? ""
            }
        }

        /// The opening without its end, which stands beside it.
        var opening: [(name: StaticString, value: [UInt8])] {
            var opening = session
            opening?.expiresAt = nil
            return opening?.fields ?? []
        }
    }

    private func write(_ verdicts: [Decided], _ epoch: Int, to out: inout RESPWriter) {
        let all = verdicts.map { decided in
            (
                verdict: decided.verdict.loggedFields, opening: decided.opening,
                other: decided.session == nil ? [] : decided.verdict.withoutSession(openMax: openSessionsMax).loggedFields
            )
        }
        out.begin(3 + 6 + 3 + all.reduce(0) { $0 + 3 + 2 * $1.verdict.count + ($1.opening.isEmpty ? 0 : 2 + 2 * $1.opening.count + 2 * $1.other.count) })
        for word in ["FCALL", "meshlog_decide", "6", keys.stream(.verdicts), keys.stream(.messages), keys.lease(loop.name)] { out.argument(word) }
        for word in [keys.stream(.sessions), keys.openSessions, keys.dueSessions, String(epoch), GroupName.router.rawValue] { out.argument(word) }
        out.argument(openSessionsMax)
        for (decided, fields) in zip(verdicts, all) {
            out.argument(decided.position.streamID)
            out.argument(2 * fields.verdict.count)
            out.argument(2 * fields.opening.count)
            Router.write(fields.verdict, to: &out)
            guard !fields.opening.isEmpty else { continue }
            out.argument(decided.end)
            Router.write(fields.opening, to: &out)
            out.argument(2 * fields.other.count)
            Router.write(fields.other, to: &out)
        }
    }

    private static func write(_ fields: [(name: StaticString, value: [UInt8])], to out: inout RESPWriter) {
        for (name, value) in fields {
            out.argument(name)
            out.argument(value)
        }
    }
}
