internal import HTTPTypes
internal import Core
package import Log
internal import NIOConcurrencyHelpers
internal import NIOCore
package import Web

/// The fast lane of HTTP: one message per POST, answered from the connection's event loop.
package final class PublishLane: PostLane, AppendSink {
    private enum Form: Int {
        /// `/v1/messages`
        case native
        /// `/MESSAGES`, the reference's form.
        case reference
    }

    /// What a completion needs to answer its request.
    private final class Ticket: Sendable {
        let answer: PostAnswer
        let form: Form
        init(_ answer: PostAnswer, _ form: Form) {
            self.answer = answer
            self.form = form
        }
    }

    package let paths = ["/v1/messages", "/MESSAGES"]
    private let admission: Admission
    private let appender: Appender

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
        let form = Form(rawValue: request.path) ?? .native
        // Room for what admission adds behind the body: id, event, version, door and type.
        var body: [UInt8] = []
        body.reserveCapacity(request.body.readableBytes + 192)
        body.append(contentsOf: request.body.readableBytesView)
        do {
            let message =
                switch form {
                case .native: try admission.admit(body, door: .http, traceparent: request.traceparent)
                case .reference: try admission.admit(try ReferenceMessage.unwrap(body), door: .http, traceparent: request.traceparent)
                }
            try appender.submit([.message(message)], to: self, ticket: Ticket(answer, form))
        } catch {
            answer.completeOnLoop(PublishLane.refusal(error, form))
        }
    }

    /// Called on the appender's thread: one task per event loop for the whole batch.
    package func appended(_ completions: [AppendCompletion]) {
        var loops: [(loop: any EventLoop, completions: [AppendCompletion])] = []
        for completion in completions {
            admission.count(completion.outcome, door: .http)
            guard let ticket = completion.ticket as? Ticket else { continue }
            if let index = loops.firstIndex(where: { $0.loop === ticket.answer.eventLoop }) {
                loops[index].completions.append(completion)
            } else {
                loops.append((ticket.answer.eventLoop, [completion]))
            }
        }
        for (loop, completions) in loops {
            loop.execute {
                for completion in completions {
                    guard let ticket = completion.ticket as? Ticket else { continue }
                    ticket.answer.completeOnLoop(PublishLane.answer(completion, ticket.form))
                }
            }
        }
    }

    // MARK: Answers

    private static let created = AnswerHead(status: 201, reason: "Created", contentType: "application/json")
    private static let ok = AnswerHead(status: 200, reason: "OK", contentType: "application/json")

    private static func answer(_ completion: AppendCompletion, _ form: Form) -> Answer {
        guard let uuid = completion.uuid else { preconditionFailure("this lane submits messages only") }
        switch (form, completion.outcome) {
        case (.native, .appended(let position)):
            return acknowledged(created, position, Answers.acknowledgement(uuid, position, duplicate: false))
        case (.native, .duplicate(let position)):
            return acknowledged(ok, position, Answers.acknowledgement(uuid, position, duplicate: true))
        case (.native, .conflict(let position)): return problem(Answers.conflict(uuid, position))
        case (.native, .failed(let error)): return problem(Answers.problem(error))
        case (.reference, let outcome):
            let (status, position, body) = ReferenceMessage.answer(uuid, outcome)
            let head = status == 200 ? ok : errorHead(status, "application/json")
            guard let position else { return Answer(head, body: ByteBuffer(bytes: body)) }
            return acknowledged(head, position, body)
        }
    }

    private static func acknowledged(_ head: AnswerHead, _ position: Position, _ body: [UInt8]) -> Answer {
        var fields = ByteBuffer()
        fields.writeStaticString("Meshlog-Position: ")
        fields.writeString(position.description)
        fields.writeStaticString("\r\n")
        return Answer(head, fields: fields, body: ByteBuffer(bytes: body))
    }

    private static func refusal(_ error: any Error, _ form: Form) -> Answer {
        let document: ProblemDocument =
            switch error {
            case let refusal as Refusal: Answers.problem(refusal)
            case let error as LogError: Answers.problem(error)
            default: ProblemDocument("internal", status: 500, title: "Something went wrong here")
            }
        guard form == .reference else { return problem(document) }
        let (status, body) = ReferenceMessage.refusal(error)
        return Answer(errorHead(status, "application/json"), body: ByteBuffer(bytes: body))
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
