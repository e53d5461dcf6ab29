internal import Core
internal import Log
internal import NIOCore
internal import Web

/// Publishing over a WebSocket: every frame is a message, every answer a frame, in the order of the messages.
///
/// - Bounds: with `Limits.inFlightMax` answers outstanding nothing more is read.
final class PublishSocket: WebSocketApplication {
    enum Form: Sendable {
        /// Meshlog's own form.
        case native
        /// Structured CloudEvents (subprotocol `cloudevents.json`).
        case cloudEvents
        /// The reference's form.
        case reference
    }

    /// What is asked when answers come with the verdict.
    struct Waiting: Sendable {
        let desk: VerdictDesk
        let time: WaitPreference
    }

    private let session: WebSocketSession
    private let admission: Admission
    private let appender: Appender
    private let form: Form
    private let traceparent: String?
    private let waiting: Waiting?
    /// Admitted in this turn of the loop, to be submitted together; the last of `answers` are theirs.
    private var batch: AppendBatch
    private var isSubmitScheduled = false
    private var answers = AnswerLine()
    private var isPaused = false
    private var isClosed = false

    init(_ session: WebSocketSession, admission: Admission, appender: Appender, form: Form, traceparent: String?, waiting: Waiting?) {
        self.session = session
        self.admission = admission
        self.appender = appender
        self.form = form
        self.traceparent = traceparent
        self.waiting = waiting
        batch = appender.batch()
    }

    func opened() {}

    func text(_ bytes: ByteBuffer) {
        var body: [UInt8] = []
        body.reserveCapacity(bytes.readableBytes + Envelope.roomBehind)
        body.append(contentsOf: bytes.readableBytesView)
        do throws(Refusal) {
            let message: AdmittedMessage =
                switch form {
                case .native: try admission.admit(body, door: .websocket, traceparent: traceparent)
                case .cloudEvents: try admission.admit(try CloudEvent.read(body), door: .websocket, traceparent: traceparent)
                case .reference: try admission.admit(try ReferenceMessage.unwrapFrame(body), door: .websocket, traceparent: traceparent)
                }
            enqueue(message)
        } catch {
            // What was admitted before is submitted now, so that its tags end here.
            submit()
            answers.append(form == .reference ? ReferenceMessage.refusal(error).body : Answers.problem(error).json)
            pauseIfFull()
            flushAnswers()
        }
    }

    /// The reference and Meshlog speak text; bytes that are UTF-8 JSON are taken all the same.
    func binary(_ bytes: ByteBuffer) { text(bytes) }

    func writabilityChanged(_ writable: Bool) {}

    var isOwing: Bool { answers.count > 0 }

    func closed() { isClosed = true }

    // MARK: Appending

    private func enqueue(_ message: AdmittedMessage) {
        batch.add(message)
        answers.appendOutstanding()
        pauseIfFull()
        guard !isSubmitScheduled else { return }
        isSubmitScheduled = true
        let socket = NIOLoopBound(self, eventLoop: session.eventLoop)
        session.eventLoop.execute {
            socket.value.isSubmitScheduled = false
            socket.value.submit()
        }
    }

    /// Refusals count too: they stand behind answers that wait for their verdict.
    private func pauseIfFull() {
        guard answers.count >= Limits.inFlightMax, !isPaused else { return }
        isPaused = true
        session.pauseReading()
    }

    private func submit() {
        guard !batch.isEmpty else { return }
        let from = answers.end - batch.count
        let sink = SocketSink(self, session.eventLoop)
        do throws(LogError) {
            try appender.submit(batch, to: sink, ticket: sink, firstTag: from)
            batch.removeAll()
        } catch {
            let refused = (0..<batch.count).map { batch.uuid(at: $0) }
            // Before the answers: with them reading may go on at once, and bring the next messages.
            batch.removeAll()
            for (index, uuid) in refused.enumerated() {
                if let uuid { answer(from + index, uuid, .failed(error)) }
            }
            flushAnswers()
        }
    }

    fileprivate func completed(_ completions: [AppendCompletion]) {
        for completion in completions {
            guard let uuid = completion.uuid else { preconditionFailure("this door submits messages only") }
            answer(completion.tag, uuid, completion.outcome)
        }
        flushAnswers()
    }

    private func answer(_ sequence: Int, _ uuid: MessageUUID, _ outcome: AppendOutcome) {
        admission.count(outcome, door: .websocket)
        if let waiting {
            switch outcome {
            case .appended(let position): return ask(waiting, sequence, uuid, position, duplicate: false)
            case .duplicate(let position): return ask(waiting, sequence, uuid, position, duplicate: true)
            case .conflict, .failed: break
            }
        }
        switch form {
        case .reference: answers.complete(sequence, ReferenceMessage.answer(uuid, outcome).body)
        case .native, .cloudEvents: answers.complete(sequence, Answers.result(uuid, outcome).json)
        }
    }

    /// The answer's place is kept until the message is decided.
    private func ask(_ waiting: Waiting, _ sequence: Int, _ uuid: MessageUUID, _ position: Position, duplicate: Bool) {
        let socket = NIOLoopBound(self, eventLoop: session.eventLoop)
        waiting.desk.answer(uuid, position, duplicate: duplicate, within: waiting.time) { [eventLoop = session.eventLoop] answer in
            eventLoop.execute {
                socket.value.answers.complete(sequence, answer.json)
                socket.value.flushAnswers()
            }
        }
    }

    /// Sends what is answered from the front on.
    private func flushAnswers() {
        guard !isClosed else { return }
        while let text = answers.takeFirst() { session.sendOnLoop(text: text) }
        if !isOwing { session.settledOnLoop() }
        if isPaused, answers.count < Limits.inFlightMax / 2 {
            isPaused = false
            session.resumeReading()
        }
    }
}

/// Answers in the order of their messages; some are still outstanding.
private struct AnswerLine {
    private var texts: CircularBuffer<[UInt8]?> = []
    private var first = 0

    var count: Int { texts.count }
    /// The sequence of the next message.
    var end: Int { first + texts.count }

    mutating func append(_ text: [UInt8]) { texts.append(text) }

    mutating func appendOutstanding() { texts.append(nil) }

    mutating func complete(_ sequence: Int, _ text: [UInt8]) { texts[offset: sequence - first] = text }

    /// The first answer, when it is there.
    mutating func takeFirst() -> [UInt8]? {
        guard let text = texts.first, let text else { return nil }
        texts.removeFirst()
        first += 1
        return text
    }
}

/// Brings the appender's answers to one connection's event loop, one task per batch. Made for each submission: the connection does not
/// keep what keeps the connection.
private final class SocketSink: AppendSink {
    private let socket: NIOLoopBound<PublishSocket>
    private let eventLoop: any EventLoop

    init(_ socket: PublishSocket, _ eventLoop: any EventLoop) {
        self.socket = NIOLoopBound(socket, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    func appended(_ completions: [AppendCompletion]) {
        eventLoop.execute { [socket] in socket.value.completed(completions) }
    }
}
