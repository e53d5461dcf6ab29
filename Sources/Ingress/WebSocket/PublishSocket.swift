internal import Core
internal import Log
internal import NIOCore
internal import Web

/// Publishing over a WebSocket: every frame is a message, every answer a frame, in the order of the messages.
///
/// - Bounds: with `Limits.inFlightMax` answers outstanding nothing more is read.
final class PublishSocket: WebSocketApplication, Sendable {
    enum Form: Sendable {
        /// Meshlog's own form.
        case native
        /// Structured CloudEvents (subprotocol `cloudevents.json`).
        case cloudEvents
        /// The reference's form.
        case reference
    }

    /// Everything that changes; touched on the event loop only.
    private struct State {
        /// Admitted in this turn of the loop, to be submitted together.
        var admitted: [AdmittedMessage] = []
        /// Sequence of the first of them.
        var admittedFrom = 0
        var submitScheduled = false
        /// Answers from `first` on; nil where one is outstanding.
        var answers: CircularBuffer<ByteBuffer?> = []
        var first = 0
        var paused = false
        var closed = false
    }

    private let session: WebSocketSession
    private let admission: Admission
    private let appender: Appender
    private let form: Form
    private let traceparent: String?
    private let state: NIOLoopBoundBox<State>
    private let sink: SocketSink

    init(_ session: WebSocketSession, admission: Admission, appender: Appender, form: Form, traceparent: String?) {
        self.session = session
        self.admission = admission
        self.appender = appender
        self.form = form
        self.traceparent = traceparent
        state = NIOLoopBoundBox(State(), eventLoop: session.eventLoop)
        sink = SocketSink(session.eventLoop)
    }

    func opened() {}

    func text(_ bytes: ByteBuffer) {
        var body: [UInt8] = []
        body.reserveCapacity(bytes.readableBytes + 192)
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
            state.value.answers.append(refusalFrame(error))
            flushAnswers()
        }
    }

    /// The reference and Meshlog speak text; bytes that are UTF-8 JSON are taken all the same.
    func binary(_ bytes: ByteBuffer) { text(bytes) }

    func writabilityChanged(_ writable: Bool) {}

    func closed() { state.value.closed = true }

    // MARK: Appending

    private func enqueue(_ message: AdmittedMessage) {
        if state.value.admitted.isEmpty { state.value.admittedFrom = state.value.first + state.value.answers.count }
        state.value.admitted.append(message)
        state.value.answers.append(nil)
        if state.value.answers.count >= Limits.inFlightMax, !state.value.paused {
            state.value.paused = true
            session.pauseReading()
        }
        // A refusal in between ends the run, so that tags stay consecutive.
        guard !state.value.submitScheduled else { return }
        state.value.submitScheduled = true
        session.eventLoop.execute { [self] in submit() }
    }

    private func submit() {
        state.value.submitScheduled = false
        let admitted = state.value.admitted
        let from = state.value.admittedFrom
        state.value.admitted = []
        guard !admitted.isEmpty else { return }
        do throws(LogError) {
            try appender.submit(admitted.map { .message($0) }, to: sink, ticket: self, firstTag: from)
        } catch {
            for (index, message) in admitted.enumerated() { answer(from + index, message.uuid, .failed(error)) }
            flushAnswers()
        }
    }

    fileprivate func completed(_ completion: AppendCompletion) {
        guard let uuid = completion.uuid else { preconditionFailure("this door submits messages only") }
        answer(completion.tag, uuid, completion.outcome)
    }

    private func answer(_ sequence: Int, _ uuid: MessageUUID, _ outcome: AppendOutcome) {
        admission.count(outcome, door: .websocket)
        let bytes =
            switch form {
            case .reference: ReferenceMessage.answer(uuid, outcome).body
            case .native, .cloudEvents: Answers.result(uuid, outcome).json
            }
        state.value.answers[offset(sequence - state.value.first)] = ByteBuffer(bytes: bytes)
    }

    private func offset(_ distance: Int) -> CircularBuffer<ByteBuffer?>.Index {
        state.value.answers.index(state.value.answers.startIndex, offsetBy: distance)
    }

    /// Sends what is answered from the front on.
    fileprivate func flushAnswers() {
        guard !state.value.closed else { return }
        while let first = state.value.answers.first, let frame = first {
            state.value.answers.removeFirst()
            state.value.first += 1
            session.sendOnLoop(text: frame)
        }
        if state.value.paused, state.value.answers.count < Limits.inFlightMax / 2 {
            state.value.paused = false
            session.resumeReading()
        }
    }

    private func refusalFrame(_ refusal: Refusal) -> ByteBuffer {
        // What was admitted before is submitted now, so that its tags end here.
        submit()
        return ByteBuffer(bytes: form == .reference ? ReferenceMessage.refusal(refusal).body : Answers.problem(refusal).json)
    }
}

/// Brings the appender's answers to one connection's event loop, one task per batch.
private final class SocketSink: AppendSink {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func appended(_ completions: [AppendCompletion]) {
        eventLoop.execute {
            guard let socket = completions.first?.ticket as? PublishSocket else { return }
            for completion in completions { socket.completed(completion) }
            socket.flushAnswers()
        }
    }
}
