internal import Core
internal import Logging
package import Log
package import NATSDriver
internal import NIOConcurrencyHelpers
internal import Web

/// The door on a NATS subject: one message per publish; with a reply subject the acknowledgement goes there after the append.
///
/// Core NATS has no redelivery: what comes without a reply subject and cannot be appended is lost to the log, as NATS's
/// at-most-once says. Requests are answered with the position, or with the problem; those with the header `Meshlog-Wait: N` when the
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

    private let subject: String
    private let options: NATSOptions
    private let admission: Admission
    private let appender: Appender
    private let verdicts: VerdictDesk
    private let connection = NIOLockedValueBox<NATSConnection?>(nil)
    private let log = Logger(label: "meshlog.nats-door")

    package init(subject: String, options: NATSOptions, admission: Admission, appender: Appender, verdicts: VerdictDesk) {
        self.subject = subject
        self.options = options
        self.admission = admission
        self.appender = appender
        self.verdicts = verdicts
    }

    /// Runs until shutdown.
    package func run() async {
        await WorkerThread.run("nats-door") { [self] stop in
            var backoff = Backoff()
            var said = false
            while !stop.isRequested {
                do {
                    let connection = try NATSConnection(options)
                    self.connection.withLockedValue { $0 = connection }
                    let subscription = try NATSCallbackSubscription(connection, subject, queue: "meshlog", headers: .named(["traceparent", NATSDoor.waitHeader])) { [self] in
                        receive($0)
                    }
                    log.info("listening", metadata: ["subject": "\(subject)"])
                    backoff.reset()
                    stop.wait(for: .seconds(1 << 30))
                    try subscription.drain()
                    try connection.drain(timeout: .seconds(2))
                } catch {
                    if !said { log.warning("NATS is not reachable, will try again", metadata: ["reason": "\(error)"]) }
                    said = true
                    stop.wait(for: backoff.next())
                }
            }
        }
    }

    private func receive(_ message: NATSMessage) {
        let trace = message.header("traceparent").flatMap { TraceParent.isValid($0.utf8) ? $0 : nil }
        do {
            let admitted = try admission.admit(message.payload, door: .nats, traceparent: trace)
            var batch = appender.batch()
            batch.add(admitted)
            try appender.submit(batch, to: self, ticket: Ticket(message))
        } catch {
            switch error {
            case let refusal as Refusal:
                if message.reply == nil { keep(refusal, message) }
                answer(message.reply, Answers.problem(refusal).json)
            case let error as LogError:
                answer(message.reply, Answers.problem(error).json)
            default: break
            }
        }
    }

    package func appended(_ completions: [AppendCompletion]) {
        for completion in completions {
            guard let ticket = completion.ticket as? Ticket else { continue }
            if ticket.reply == nil, case .conflict(let position) = completion.outcome {
                let refusal = Refusal(.conflict, "/message_uuid", "the id stands at \(position) with another content; a new message needs a new id")
                keep(refusal, ticket.message)
            }
            guard let uuid = completion.uuid else { continue }
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
    private func keep(_ refusal: Refusal, _ message: NATSMessage) {
        do throws(LogError) {
            var batch = appender.batch()
            batch.add(RejectedEntry(door: Door.nats.rawValue, refusal: refusal, bytes: message.payload))
            try appender.submit(batch, to: self, ticket: Ticket(message))
        } catch {
            log.error("a refused message could not be kept", metadata: ["reason": "\(error)"])
        }
    }

    private func answer(_ reply: String?, _ body: [UInt8]) {
        guard let reply, let connection = connection.withLockedValue({ $0 }) else { return }
        do {
            try connection.publish(subject: reply, payload: body)
        } catch {
            log.warning("an acknowledgement was not sent", metadata: ["reason": "\(error)"])
        }
    }
}
