import NIOCore

/// The first handler of every connection: serves plain POSTs, GETs of what lies in memory and WebSocket upgrades from the bytes themselves.
///
/// It consumes only whole requests that it understood to the last byte. At the first other one it leaves: once the answers that
/// are still due have been written, `leave` builds the usual HTTP/1 pipeline behind it, which gets every unconsumed byte.
final class FastLane: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bounds of one connection.
    struct Configuration: Sendable {
        var bodyBytesMax = WebLimits.bodyBytesMax
        var pipelinedMax = WebLimits.pipelinedMax
        var idleTimeout = WebLimits.idleTimeout
        var webSocket = WebSocketTimings()
    }

    /// What the connection does with the next byte.
    private enum Phase {
        case head
        case body(PostHead, traceparent: String?, authorization: String?)
        /// Waits for the answers that are due, then becomes something else.
        case leaving
        case upgrading(WebSocketRequest, WebSocketAccept, acceptKey: String)
        case gone
    }

    private let posts: any PostLane
    private let reads: (any ReadLane)?
    private let webSockets: any WebSocketRoutes
    private let scanner: HeadScanner
    private let configuration: Configuration
    private let leave: (any Channel) throws -> Void
    private let ended: (Ending) -> Void

    private var context: ChannelHandlerContext?
    private var phase = Phase.head
    private var pending = ByteBuffer()
    private var outgoing = ByteBuffer()
    private var queue: AnswerQueue<Answer>
    private var date = DateLine()

    private var isProcessing = false
    private var isInRead = false
    private var isFlushScheduled = false
    private var isReadWithheld = false
    private var isQuiescing = false
    private var isInputClosed = false
    /// Whether a request was taken, or its body grew, since the last look of the idle timer.
    private var hasProgressed = true
    private var bodyBytesSeen = 0
    private var timer: Scheduled<Void>?

    /// What became of the connection when the lane did not leave for HTTP.
    enum Ending { case webSocket, closed }

    /// - Parameters:
    ///   - leave: adds the HTTP/1 pipeline behind this handler; called at most once.
    ///   - ended: called at most once, and not when `leave` has been.
    init(
        posts: any PostLane, reads: (any ReadLane)?, webSockets: any WebSocketRoutes, configuration: Configuration,
        leave: @escaping (any Channel) throws -> Void, ended: @escaping (Ending) -> Void
    ) {
        self.posts = posts
        self.reads = reads
        self.webSockets = webSockets
        self.configuration = configuration
        self.leave = leave
        self.ended = ended
        scanner = HeadScanner(paths: posts.paths, bodyBytesMax: configuration.bodyBytesMax)
        queue = AnswerQueue(capacity: configuration.pipelinedMax)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        startTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { disappear(.closed) }

    func channelInactive(context: ChannelHandlerContext) {
        disappear(.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.context != nil else { return }
        isInRead = true
        keep(unwrapInboundIn(data))
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        if case .gone = phase {
            context.fireChannelReadComplete()
        } else {
            flush()
        }
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadWithheld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        process()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            isQuiescing = true
            process()
        case ChannelEvent.inputClosed:
            isInputClosed = true
            process()
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Requests

    private func keep(_ bytes: ByteBuffer) {
        bodyBytesSeen += bytes.readableBytes
        guard pending.readableBytes > 0 else {
            pending = bytes
            return
        }
        // Consumed bytes go now: a connection that always has half a request waiting must not grow.
        if pending.readerIndex > 0 {
            var fresh = ByteBuffer()
            fresh.reserveCapacity(pending.readableBytes + bytes.readableBytes)
            fresh.writeImmutableBuffer(pending)
            pending = fresh
        }
        pending.writeImmutableBuffer(bytes)
    }

    /// Reads on as long as the lane has bytes, room for answers and a peer that takes them.
    private func process() {
        guard !isProcessing, let context else { return }
        isProcessing = true
        while step(context) {}
        isProcessing = false
        guard self.context != nil else { return }
        if pending.readableBytes == 0 { pending = ByteBuffer() }
        closeIfDone(context)
        if isReadWithheld, mayRead {
            isReadWithheld = false
            context.read()
        }
    }

    /// One move; false when it must wait for something.
    private func step(_ context: ChannelHandlerContext) -> Bool {
        switch phase {
        case .head:
            guard mayTakeRequest, pending.readableBytes > 0, !isQuiescing else { return false }
            return stepHead(context)
        case .body(let head, let traceparent, let authorization):
            guard mayTakeRequest, let body = pending.getSlice(at: pending.readerIndex + head.headBytes, length: head.bodyBytes) else { return false }
            let request = PostRequest(path: head.path, body: body, traceparent: traceparent, authorization: authorization)
            guard posts.takes(request) else {
                phase = .leaving
                return true
            }
            pending.moveReaderIndex(forwardBy: head.headBytes + head.bodyBytes)
            phase = .head
            hasProgressed = true
            let answer = PostAnswer(
                eventLoop: context.eventLoop, lane: NIOLoopBound(self, eventLoop: context.eventLoop), sequence: queue.open())
            posts.post(request, answer: answer)
            return true
        case .leaving:
            if queue.count == 0 { leaveLane(context) }
            return false
        case .upgrading(let request, let accept, let acceptKey):
            if queue.count == 0 { upgrade(context, request, accept, acceptKey) }
            return false
        case .gone:
            return false
        }
    }

    private func stepHead(_ context: ChannelHandlerContext) -> Bool {
        switch scanner.scan(pending.readableBytesUInt8Span) {
        case .incomplete:
            return false
        case .outside:
            phase = .leaving
        case .post(let head):
            let traceparent = text(head.traceparent)
            let authorization = text(head.authorization)
            // The head stays in front of its body until the lane takes the request: what it does not take, leaves whole.
            bodyBytesSeen = 0
            phase = .body(head, traceparent: traceparent, authorization: authorization)
        case .get(let head):
            guard let answer = reads?.read(pending.readableBytesUInt8Span.extracting(head.target)) else {
                phase = .leaving
                break
            }
            pending.moveReaderIndex(forwardBy: head.headBytes)
            hasProgressed = true
            complete(queue.open(), with: answer)
        case .upgrade(let headBytes):
            hasProgressed = true
            decideUpgrade(context, headBytes: headBytes)
        }
        return true
    }

    private func decideUpgrade(_ context: ChannelHandlerContext, headBytes: Int) {
        let head = pending.getString(at: pending.readerIndex, length: headBytes) ?? ""
        let remote = context.channel.remoteAddress?.description
        guard let handshake = Handshake(head: head, remoteAddress: remote), let accept = webSockets.accept(handshake.request) else {
            phase = .leaving
            return
        }
        pending.moveReaderIndex(forwardBy: headBytes)
        if handshake.isVersionSupported {
            phase = .upgrading(handshake.request, accept, acceptKey: handshake.acceptKey)
        } else {
            complete(queue.open(), with: Handshake.versionRefusal)
        }
    }

    private func text(_ range: Range<Int>?) -> String? {
        range.flatMap { pending.getString(at: pending.readerIndex + $0.lowerBound, length: $0.count) }
    }

    private var mayTakeRequest: Bool { !queue.isFull && context?.channel.isWritable == true }

    private var mayRead: Bool {
        switch phase {
        case .head, .body: mayTakeRequest
        case .leaving, .upgrading: false
        case .gone: true
        }
    }

    // MARK: Answers

    /// Takes the answer of one request and writes what is now in order. On the event loop.
    func complete(_ sequence: Int, with answer: Answer) {
        guard context != nil else { return }
        let date = date.line()
        let closing = isLastAnswer
        queue.complete(sequence, with: answer) { $0.write(to: &outgoing, date: date, closing: closing) }
        scheduleFlush()
    }

    /// The same, for an answer that need not be kept when its turn has come.
    func complete(_ sequence: Int, _ head: AnswerHead, rest: [UInt8]) {
        guard context != nil else { return }
        guard queue.isDue(sequence) else { return complete(sequence, with: Answer(head, rest: rest)) }
        let date = date.line()
        let closing = isLastAnswer
        head.write(to: &outgoing, date: date, closing: closing)
        outgoing.writeBytes(rest)
        queue.passed { $0.write(to: &outgoing, date: date, closing: closing) }
        scheduleFlush()
    }

    private var isLastAnswer: Bool {
        if case .head = phase { isQuiescing && queue.count == 1 } else { false }
    }

    /// Flushes at the end of the read that is under way, or with the next turn of the loop: once for all answers until then.
    private func scheduleFlush() {
        guard !isFlushScheduled, !isInRead, let context else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            flush()
            process()
        }
    }

    private func flush() {
        guard outgoing.readableBytes > 0, let context else { return }
        context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
        if outgoing.capacity > WebLimits.outputBytesKept { outgoing = ByteBuffer() } else { outgoing.clear() }
    }

    // MARK: Endings

    /// Closes a connection that will bring nothing more and owes nothing. What it brought whole is taken first, once the peer takes answers
    /// again; at a stop nothing is waited for, a body that is still coming neither.
    private func closeIfDone(_ context: ChannelHandlerContext) {
        guard queue.count == 0 else { return }
        switch phase {
        case .head where isQuiescing || (isInputClosed && mayTakeRequest), .body where isQuiescing || (isInputClosed && mayTakeRequest):
            closeAfterFlush(context)
        default: break
        }
    }

    private func closeAfterFlush(_ context: ChannelHandlerContext) {
        let last = outgoing
        disappear(.closed)
        context.writeAndFlush(wrapOutboundOut(last)).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    private func leaveLane(_ context: ChannelHandlerContext) {
        flush()
        do {
            try leave(context.channel)
        } catch {
            context.close(promise: nil)
            return
        }
        handOver(context)
    }

    private func upgrade(_ context: ChannelHandlerContext, _ request: WebSocketRequest, _ accept: WebSocketAccept, _ acceptKey: String) {
        flush()
        let handler = WebSocketHandler(accept: accept, timings: configuration.webSocket)
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        } catch {
            context.close(promise: nil)
            return
        }
        context.writeAndFlush(wrapOutboundOut(Handshake.answer(acceptKey: acceptKey, subprotocol: accept.subprotocol)), promise: nil)
        ended(.webSocket)
        handler.open()
        handOver(context)
    }

    /// Gives the rest of the connection to the handlers behind this one, and goes.
    private func handOver(_ context: ChannelHandlerContext) {
        let rest = pending
        let wasReadWithheld = isReadWithheld
        phase = .gone
        retire()
        if rest.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(rest))
            context.fireChannelReadComplete()
        }
        if isInputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        if isQuiescing { context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        let channel = context.channel
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        if wasReadWithheld { channel.read() }
    }

    private func disappear(_ ending: Ending) {
        if case .gone = phase { return }
        phase = .gone
        retire()
        ended(ending)
    }

    private func retire() {
        context = nil
        timer?.cancel()
        timer = nil
        pending = ByteBuffer()
        outgoing = ByteBuffer()
    }

    // MARK: Idle timer

    private func startTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.idleTimeout) { [self] in
            guard self.context != nil else { return }
            if case .body = phase, bodyBytesSeen >= WebLimits.bodyProgressBytesMin { hasProgressed = true }
            guard hasProgressed || queue.count > 0 else {
                context.close(promise: nil)
                return
            }
            hasProgressed = false
            bodyBytesSeen = 0
            startTimer(context)
        }
    }
}
