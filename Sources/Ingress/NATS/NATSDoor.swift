internal import Core
package import Log
internal import Logging
package import NATSDriver
internal import Web

/// The door on a NATS subject: one message per publish; with a reply subject the acknowledgement goes there after the append.
///
/// Core NATS has no redelivery. What comes without a reply subject waits for room when too much is waiting; while the log is away, and behind
/// the subscription's bounds, it is lost to the log, as NATS's at-most-once says, and counted. Requests are answered with the position, or with the problem; those with the header `Meshlog-Wait: N` when the
/// message is decided, after N seconds at the latest.
package final class NATSDoor: AppendSink {
    private final class Ticket: Sendable {
        let reply: String?
        let message: NATSMessage
        let wait: WaitPreference?
        init(_ message: NATSMessage) {
            self.message = message
            reply = message.reply
            wait = message.header(NATSDoor.waitHeader).flatMap { WaitPreference(seconds: $0.trimmingBlanks) }
        }
    }

    /// Names are compared to the letter in NATS.
    private static let waitHeader = "Meshlog-Wait"
    private static let openingMax = Duration.seconds(5)

    private let subject: String
    private let options: NATSOptions
    private let admission: Admission
    private let appender: Appender
    private let verdicts: VerdictDesk
    private let replies = NATSReplies()
    /// Requests, and those of them that have their reply.
    private let asked = Counter()
    private let answered = Counter()
    /// Publishes that are in neither stream, and nobody could be told.
    private let lost = Counter()
    /// Those of them that have been told and counted.
    private let told = Counter()
    private let log = Logger(label: "meshlog.nats-door")

    package init(subject: String, options: NATSOptions, admission: Admission, appender: Appender, verdicts: VerdictDesk) {
        self.subject = subject
        self.options = options
        self.admission = admission
        self.appender = appender
        self.verdicts = verdicts
    }

    /// Runs until shutdown.
    package func run(_ opening: OpeningDoors) async {
        await WorkerThread.run("nats-door") { [self] stop in
            defer { opening.opened(.nats) }
            var backoff = Backoff()
            var said = false
            while !stop.isRequested {
                do {
                    let connection = try NATSConnection(options)
                    let subscription = try NATSCallbackSubscription(
                        connection, subject, queue: "meshlog", headers: .named(["traceparent", NATSDoor.waitHeader])
                    ) { [self] in
                        receive($0, stop)
                    }
                    // Only now does the server know of it.
                    try connection.flush(timeout: NATSDoor.openingMax)
                    log.info("listening", metadata: ["subject": "\(subject)"])
                    opening.opened(.nats)
                    backoff.reset()
                    said = false
                    try serve(connection, subscription, stop)
                    // What has come in by now is taken in and answered, as far as that goes in a moment.
                    try? subscription.drain(timeout: .seconds(2))
                    let end = ContinuousClock.now + .seconds(2)
                    while asked.current > answered.current || !replies.isEmpty, ContinuousClock.now < end { _ = replies.send(over: connection) }
                    tellLost()
                    try connection.flush(timeout: .seconds(2))
                    connection.close()
                } catch {
                    // One that is slow is about to listen.
                    if case .timedOut? = error as? NATSError {} else { opening.opened(.nats) }
                    if !said { log.warning("NATS is not reachable, will try again", metadata: ["reason": "\(error)"]) }
                    said = true
                    stop.wait(for: backoff.next())
                }
            }
        }
    }

    /// Until the stop: sends replies, and tells once a second what went wrong.
    private func serve(_ connection: NATSConnection, _ subscription: borrowing NATSCallbackSubscription, _ stop: StopSignal) throws(NATSError) {
        var dropped = 0
        var looked = ContinuousClock.now
        var failure: NATSError?
        while !stop.isRequested {
            // nats.c gives up for good when a server refuses the same credentials twice, which a rotated file mends a moment later.
            if connection.status == .closed { throw .unavailable(reason: "the connection was given up") }
            failure = replies.send(over: connection) ?? failure
            guard ContinuousClock.now - looked > .seconds(1) else { continue }
            looked = .now
            if let failure { log.warning("acknowledgements were not sent", metadata: ["reason": "\(failure)"]) }
            failure = nil
            lost.add(subscription.dropped - dropped)
            dropped = subscription.dropped
            tellLost()
        }
    }

    private func tellLost() {
        let count = lost.current - told.current
        guard count > 0 else { return }
        told.add(count)
        admission.countUnavailable(count, door: .nats)
        log.warning("publishes without reply subject were lost: the log is away or cannot keep up", metadata: ["count": "\(count)"])
    }

    private func receive(_ message: NATSMessage, _ stop: StopSignal) {
        if message.reply != nil { asked.add() }
        let trace = message.header("traceparent").flatMap { TraceParent.isValid($0.utf8) ? $0 : nil }
        do {
            let admitted = try admission.admit(message.payload, door: .nats, traceparent: trace)
            var batch = appender.batch()
            batch.add(admitted)
            try submit(batch, message, stop)
        } catch {
            switch error {
            case let refusal as Refusal:
                if message.reply == nil { keep(refusal, message, stop) }
                answer(message.reply, Answers.problem(refusal).json)
            case let error as LogError:
                if message.reply == nil { lost.add() } else { admission.countUnavailable(1, door: .nats) }
                answer(message.reply, Answers.problem(error).json)
            default: break
            }
        }
    }

    /// Who waits for a reply is told that there is no room; for the others the subscription waits, and what comes meanwhile stands in its buffer.
    ///
    /// - Parameter stop: ends the waiting; nil on the appender's own thread, which makes the room and must not wait for it.
    private func submit(_ batch: AppendBatch, _ message: NATSMessage, _ stop: StopSignal?) throws(LogError) {
        let ticket = Ticket(message)
        while true {
            do throws(LogError) {
                return try appender.submit(batch, to: self, ticket: ticket)
            } catch {
                guard let stop, message.reply == nil, case .overloaded = error, !stop.wait(for: .milliseconds(5)) else { throw error }
            }
        }
    }

    package func appended(_ completions: [AppendCompletion]) {
        for completion in completions {
            guard let ticket = completion.ticket as? Ticket else { continue }
            if ticket.reply == nil, case .conflict(let position) = completion.outcome {
                let refusal = Refusal(.conflict, "/message_uuid", "the id stands at \(position) with another content; a new message needs a new id")
                keep(refusal, ticket.message, nil)
            }
            guard let uuid = completion.uuid else {
                if case .failed = completion.outcome { lost.add() }
                continue
            }
            admission.count(completion.outcome, door: .nats)
            answer(ticket, uuid, completion.outcome)
        }
    }

    private func answer(_ ticket: Ticket, _ uuid: MessageUUID, _ outcome: AppendOutcome) {
        guard let reply = ticket.reply, let wait = ticket.wait else { return answer(ticket.reply, Answers.result(uuid, outcome).json) }
        switch outcome {
        case .appended(let position):
            verdicts.answer(uuid, position, duplicate: false, within: wait) { [self] in answer(reply, $0.json) }
        case .duplicate(let position):
            verdicts.answer(uuid, position, duplicate: true, within: wait) { [self] in answer(reply, $0.json) }
        case .conflict, .failed: answer(reply, Answers.result(uuid, outcome).json)
        }
    }

    /// Nobody can be told, so the log is.
    private func keep(_ refusal: Refusal, _ message: NATSMessage, _ stop: StopSignal?) {
        var batch = appender.batch()
        batch.add(RejectedEntry(door: Door.nats.rawValue, refusal: refusal, bytes: message.payload))
        do throws(LogError) { try submit(batch, message, stop) } catch { lost.add() }
    }

    private func answer(_ reply: String?, _ body: [UInt8]) {
        guard let reply else { return }
        replies.add(reply, body)
        answered.add()
    }
}
