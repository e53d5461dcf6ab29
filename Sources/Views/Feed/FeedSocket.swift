internal import Core
internal import NIOCore
internal import Web

/// One follower over a WebSocket: each message is one text frame.
///
/// - Bounds: while the peer does not take what was sent, nothing more is pulled; after the hub's `stallMax` the session ends
///   with 1013 and the position from which to resume.
final class FeedSocket: WebSocketApplication, FeedSink {
    /// Everything that changes; touched on the event loop only.
    private struct State {
        var id: Int?
        var isClosed = false
        var last: Position
        var waiting: CheckedContinuation<Bool, Never>?
        var stall: Scheduled<Void>?
    }

    private let session: WebSocketSession
    private let hub: FeedHub
    private let form: FeedForm
    private let filter: MessageFilter
    private let start: Position
    private let fromNow: Bool
    private let state: NIOLoopBoundBox<State>

    init(_ session: WebSocketSession, hub: FeedHub, form: FeedForm, asked: FeedRequest, now: Position) {
        self.session = session
        self.hub = hub
        self.form = form
        filter = asked.filter
        start = asked.since ?? now
        fromNow = asked.since == nil
        state = NIOLoopBoundBox(State(last: start), eventLoop: session.eventLoop)
    }

    // MARK: Session

    func opened() {
        guard let id = hub.join() else { return session.close(code: .tryAgainLater, reason: "too many follow the feed") }
        state.value.id = id
        let follower = FeedFollower(hub: hub, id: id, filter: filter, sink: self)
        let isTaken = hub.run { [hub, session, start, fromNow] in
            try? await follower.run(after: start, fromNow: fromNow)
            hub.leave(id)
            session.close(code: .goingAway, reason: "the feed ends; resume with since=")
        }
        if !isTaken {
            hub.leave(id)
            session.close(code: .goingAway, reason: "the feed is not running")
        }
    }

    /// The feed goes one way.
    func text(_ bytes: ByteBuffer) {}
    func binary(_ bytes: ByteBuffer) {}

    func writabilityChanged(_ writable: Bool) { if writable { resume(true) } }

    func closed() {
        state.value.isClosed = true
        if let id = state.value.id { hub.leave(id) }
        resume(false)
    }

    // MARK: Sink

    private struct Gone: Error {}

    func take(_ entries: [FeedEntry]) async throws {
        let goesOn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                session.eventLoop.execute { [self] in send(entries, continuation) }
            }
        } onCancel: {
            session.close(code: .goingAway)
        }
        if !goesOn { throw Gone() }
    }

    /// Pings of the session itself keep it alive.
    func heartbeat(_ cursor: Position) async throws {}

    private func send(_ entries: [FeedEntry], _ continuation: CheckedContinuation<Bool, Never>) {
        guard !state.value.isClosed else { return continuation.resume(returning: false) }
        for entry in entries { session.sendOnLoop(text: entry.frame(form)) }
        state.value.last = entries.last?.position ?? state.value.last
        guard !session.isWritable else { return continuation.resume(returning: true) }
        state.value.waiting = continuation
        state.value.stall = session.eventLoop.scheduleTask(in: .nanoseconds(Int64(hub.stallMax / .nanoseconds(1)))) { [self] in
            session.close(code: .tryAgainLater, reason: "slow consumer: resume with since=\(state.value.last)")
            resume(false)
        }
    }

    private func resume(_ goesOn: Bool) {
        state.value.stall?.cancel()
        state.value.stall = nil
        let waiting = state.value.waiting
        state.value.waiting = nil
        waiting?.resume(returning: goesOn)
    }
}
