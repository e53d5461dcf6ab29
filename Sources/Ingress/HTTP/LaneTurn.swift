internal import Core
internal import Log
internal import NIOCore
internal import Web

/// What the connections of one event loop bring within one turn of it: they go to the log as one submission, which costs one
/// lock and at most one wake-up for all of them. Touched on that loop only.
final class LaneTurn {
    /// In which form a request came, and is answered.
    enum Form: Int {
        /// `/v1/messages`
        case native
        /// `/MESSAGES`, the reference's form.
        case reference
    }

    struct Request: Sendable {
        let answer: PostAnswer
        let form: Form
    }

    /// The requests that one submission answers, by tag.
    final class Ticket: Sendable {
        let eventLoop: any EventLoop
        let requests: [Request]

        init(_ eventLoop: any EventLoop, _ requests: [Request]) {
            self.eventLoop = eventLoop
            self.requests = requests
        }
    }

    private let eventLoop: any EventLoop
    private var batch: AppendBatch
    private var requests: [Request] = []
    /// The text of one answer; its memory is used again.
    var text: [UInt8] = []

    init(_ eventLoop: any EventLoop, _ batch: AppendBatch) {
        self.eventLoop = eventLoop
        self.batch = batch
    }

    /// Takes a request in; true when it is the first of the turn, so that the turn's end must be scheduled.
    func add(_ message: AdmittedMessage, _ request: Request) -> Bool {
        batch.add(message)
        requests.append(request)
        return requests.count == 1
    }

    /// More would only make the log wait.
    var isFull: Bool { requests.count >= Limits.inFlightMax || batch.bytes >= Limits.messageBytesMax }

    /// Hands all of it to `submit`; afterwards the turn is empty.
    func end(_ submit: (AppendBatch, Ticket) -> Void) {
        guard !requests.isEmpty else { return }
        let ticket = Ticket(eventLoop, requests)
        requests = []
        submit(batch, ticket)
        batch.removeAll()
    }
}
