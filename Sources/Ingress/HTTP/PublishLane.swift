internal import Core
internal import HTTPTypes
package import Log
internal import NIOConcurrencyHelpers
internal import NIOCore
package import Web

/// The fast lane of HTTP: one message per POST, answered from the connection's event loop.
package final class PublishLane: PostLane, AppendSink {
    package let paths = ["/v1/messages", "/MESSAGES"]
    private let admission: Admission
    private let appender: Appender
    /// One for each event loop, made when it brings its first request.
    private let turns = NIOLockedValueBox<[(loop: any EventLoop, turn: NIOLoopBound<LaneTurn>)]>([])

    package init(admission: Admission, appender: Appender) {
        self.admission = admission
        self.appender = appender
    }

    /// An array is several messages: the router's work.
    package func takes(_ request: PostRequest) -> Bool {
        for byte in request.body.readableBytesView {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            default: return byte != UInt8(ascii: "[")
            }
        }
        return true
    }

    package func post(_ request: PostRequest, answer: PostAnswer) {
        let form = LaneTurn.Form(rawValue: request.path) ?? .native
        var body: [UInt8] = []
        body.reserveCapacity(request.body.readableBytes + Envelope.roomBehind)
        body.append(contentsOf: request.body.readableBytesView)
        do throws(Refusal) {
            let message =
                switch form {
                case .native: try admission.admit(body, door: .http, traceparent: request.traceparent)
                case .reference: try admission.admit(try ReferenceMessage.unwrap(body), door: .http, traceparent: request.traceparent)
                }
            let turn = turn(of: answer.eventLoop)
            if turn.value.add(message, LaneTurn.Request(answer: answer, form: form)) { answer.eventLoop.execute { [self] in submit(turn.value) } }
            if turn.value.isFull { submit(turn.value) }
        } catch {
            answer.completeOnLoop(PublishLane.refusal(error, form))
        }
    }

    private func turn(of loop: any EventLoop) -> NIOLoopBound<LaneTurn> {
        turns.withLockedValue { turns in
            if let known = turns.first(where: { $0.loop === loop }) { return known.turn }
            let turn = NIOLoopBound(LaneTurn(loop, appender.batch()), eventLoop: loop)
            turns.append((loop, turn))
            return turn
        }
    }

    private func submit(_ turn: LaneTurn) {
        turn.end { batch, ticket in
            do throws(LogError) {
                try appender.submit(batch, to: self, ticket: ticket)
            } catch {
                admission.countUnavailable(ticket.requests.count, door: .http)
                for request in ticket.requests { request.answer.completeOnLoop(PublishLane.refusal(error, request.form)) }
            }
        }
    }

    /// Called on the appender's thread: one task per event loop for the whole batch.
    package func appended(_ completions: [AppendCompletion]) {
        var loops: [(loop: any EventLoop, completions: [AppendCompletion])] = []
        for completion in completions {
            admission.count(completion.outcome, door: .http)
            guard let ticket = completion.ticket as? LaneTurn.Ticket else { continue }
            if let index = loops.firstIndex(where: { $0.loop === ticket.eventLoop }) {
                loops[index].completions.append(completion)
            } else {
                loops.append((ticket.eventLoop, [completion]))
            }
        }
        for (loop, completions) in loops {
            loop.execute { [self] in
                let turn = turn(of: loop).value
                for completion in completions {
                    guard let ticket = completion.ticket as? LaneTurn.Ticket else { continue }
                    PublishLane.answer(completion, ticket.requests[completion.tag], &turn.text)
                }
            }
        }
    }

    // MARK: Answers

    private static let created = AnswerHead(status: 201, reason: "Created", contentType: "application/json")
    private static let ok = AnswerHead(status: 200, reason: "OK", contentType: "application/json")

    private static func answer(_ completion: AppendCompletion, _ request: LaneTurn.Request, _ text: inout [UInt8]) {
        guard let uuid = completion.uuid else { preconditionFailure("this lane submits messages only") }
        switch (request.form, completion.outcome) {
        case (.native, .appended(let position)):
            acknowledgement(uuid, position, duplicate: false, &text)
            request.answer.completeOnLoop(created, rest: text)
        case (.native, .duplicate(let position)):
            acknowledgement(uuid, position, duplicate: true, &text)
            request.answer.completeOnLoop(ok, rest: text)
        case (.native, .conflict(let position)): request.answer.completeOnLoop(problem(Answers.conflict(uuid, position)))
        case (.native, .failed(let error)): request.answer.completeOnLoop(problem(Answers.problem(error)))
        case (.reference, let outcome):
            let (status, position, body) = ReferenceMessage.answer(uuid, outcome)
            guard status == 200, let position else { return request.answer.completeOnLoop(referenceError(status, body)) }
            request.answer.completeOnLoop(
                Answer(ok, fields: ByteBuffer(string: "Meshlog-Position: \(position)\r\n"), body: ByteBuffer(bytes: body)))
        }
    }

    /// All that follows the head.
    private static func acknowledgement(_ uuid: MessageUUID, _ position: Position, duplicate: Bool, _ text: inout [UInt8]) {
        text.removeAll(keepingCapacity: true)
        Answers.append("Meshlog-Position: ", to: &text)
        let start = text.count
        position.append(to: &text)
        let length = Answers.acknowledgementBytes(position: text.count - start, duplicate: duplicate)
        Answers.append("\r\nContent-Length: ", to: &text)
        DecimalDigits.append(UInt64(length), to: &text)
        Answers.append("\r\n\r\n", to: &text)
        Answers.append(acknowledgement: uuid, position, duplicate: duplicate, to: &text)
    }

    private static func refusal(_ error: any Error, _ form: LaneTurn.Form) -> Answer {
        let document: ProblemDocument =
            switch error {
            case let refusal as Refusal: Answers.problem(refusal)
            case let error as LogError: Answers.problem(error)
            default: ProblemDocument("internal", status: 500, title: "Something went wrong here")
            }
        guard form == .reference else { return problem(document) }
        let (status, body) = ReferenceMessage.refusal(error)
        return referenceError(status, body)
    }

    private static func referenceError(_ status: Int, _ body: [UInt8]) -> Answer {
        let fields = status == 503 ? ByteBuffer(string: "Retry-After: \(Answers.retryAfterSeconds)\r\n") : ByteBuffer()
        return Answer(errorHead(status, "application/json"), fields: fields, body: ByteBuffer(bytes: body))
    }

    private static func problem(_ document: ProblemDocument) -> Answer {
        var fields = ByteBuffer()
        for field in document.headers { fields.writeString("\(field.name.canonicalName): \(field.value)\r\n") }
        return Answer(errorHead(document.statusCode, "application/problem+json"), fields: fields, body: ByteBuffer(bytes: document.json))
    }

    private static func errorHead(_ status: Int, _ type: StaticString) -> AnswerHead {
        let reason: StaticString =
            switch status {
            case 400: "Bad Request"
            case 413: "Content Too Large"
            case 422: "Unprocessable Content"
            case 503: "Service Unavailable"
            default: "Internal Server Error"
            }
        return AnswerHead(status: status, reason: reason, contentType: type)
    }
}
