internal import Core
internal import Dispatch
internal import NATSDriver
internal import NIOConcurrencyHelpers

/// Replies on their way to NATS. The door's own thread sends them: the appender, which brings most of them, serves all doors and must not wait
/// for a server that hangs.
///
/// - Bounds: `Limits.natsRepliesMax` wait at most; beyond, the oldest are dropped, whose requests have timed out first.
final class NATSReplies: Sendable {
    private struct Reply {
        let subject: String
        let body: [UInt8]
    }

    private struct State {
        var waiting: [Reply] = []
        var isAsleep = false
    }

    private let state = NIOLockedValueBox(State())
    private let arrived = DispatchSemaphore(value: 0)

    var isEmpty: Bool { state.withLockedValue { $0.waiting.isEmpty } }

    func add(_ subject: String, _ body: [UInt8]) {
        let wasAsleep = state.withLockedValue { state in
            if state.waiting.count >= Limits.natsRepliesMax { state.waiting.removeFirst(Limits.natsRepliesMax / 8) }
            state.waiting.append(Reply(subject: subject, body: body))
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if wasAsleep { arrived.signal() }
    }

    /// Waits a moment when there is nothing to send, and sends what there is. A reply that cannot be sent keeps no other back: where it goes is the
    /// client's choice.
    ///
    /// - Returns: the last failure.
    func send(over connection: NATSConnection) -> NATSError? {
        var replies = take()
        if replies.isEmpty {
            _ = arrived.wait(timeout: .now() + .milliseconds(100))
            replies = take()
        }
        var failure: NATSError?
        for reply in replies {
            do throws(NATSError) { try connection.publish(subject: reply.subject, payload: reply.body) } catch { failure = error }
        }
        return failure
    }

    private func take() -> [Reply] {
        state.withLockedValue { state in
            defer { state.waiting = [] }
            state.isAsleep = state.waiting.isEmpty
            return state.waiting
        }
    }
}
