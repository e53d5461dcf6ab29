import NIOCore

/// The last handler of a WebSocket connection: frames, control frames, the closing handshake, back-pressure.
///
/// It reads only while the application wants messages and the peer takes what is sent, so neither side can fill our memory.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Opcode: UInt8 { case text = 1, binary = 2, close = 8, ping = 9, pong = 10 }

    private enum State {
        case open
        /// A close frame is due, and the application sends what it owes first; messages are no longer delivered.
        case settling
        /// Our close frame is out, the peer's is awaited; messages are no longer delivered.
        case closing
        /// The last byte is out; what still comes is thrown away until the peer hangs up.
        case draining
        case closed
    }

    /// Who ends the session.
    private enum Ending {
        case ours(WebSocketCloseCode, reason: String)
        /// With the code of the peer's close frame.
        case theirs(WebSocketCloseCode?)
    }

    private let accept: WebSocketAccept
    private let timings: WebSocketTimings
    private var machine: FrameMachine
    private var application: (any WebSocketApplication)?
    private var context: ChannelHandlerContext?
    private var state = State.open
    /// What follows `settling`.
    private var ending: Ending?
    private var input = ByteBuffer()
    private var staged = ByteBuffer()

    private var isPaused = false
    private var isProcessing = false
    private var isInRead = false
    private var isFlushScheduled = false
    private var isReadWithheld = false
    /// Whether anything came since the last turn of the ping timer, and how many turns have been silent.
    private var hasHeard = true
    private var silentTurns = 0
    private var pingTimer: Scheduled<Void>?
    private var closeTimer: Scheduled<Void>?
    private var settleTimer: Scheduled<Void>?

    init(accept: WebSocketAccept, timings: WebSocketTimings) {
        self.accept = accept
        self.timings = timings
        machine = FrameMachine(messageBytesMax: accept.messageBytesMax)
    }

    /// Starts the session; once, after the handshake's answer has been written.
    func open() {
        guard let context else { return }
        let session = WebSocketSession(eventLoop: context.eventLoop, handler: NIOLoopBound(self, eventLoop: context.eventLoop))
        application = accept.make(session)
        startPings(context)
        application?.opened()
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        hasHeard = true
        guard state == .open || state == .settling || state == .closing else { return }
        let bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.discardReadBytes()
            input.writeImmutableBuffer(bytes)
        }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        flush()
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadWithheld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if state == .open { application?.writabilityChanged(context.channel.isWritable) }
        process()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: close(.goingAway, reason: "the server stops")
        case ChannelEvent.inputClosed: hangUp()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Verbs of the session

    var isWritable: Bool { state == .open && context?.channel.isWritable == true }

    private var maySend: Bool { state == .open || state == .settling }

    func send(_ opcode: Opcode, _ payload: ByteBuffer) {
        guard maySend else { return }
        write(opcode, payload)
    }

    func send(_ opcode: Opcode, _ payload: [UInt8]) {
        guard maySend, let context else { return }
        guard payload.count <= WebLimits.webSocketCopiedBytesMax else { return write(opcode, ByteBuffer(bytes: payload)) }
        writeHeader(opcode, payload.count)
        staged.writeBytes(payload)
        if staged.readableBytes >= WebLimits.webSocketStagedBytesMax { writeStaged(context) }
        scheduleFlush(context)
    }

    func close(_ code: WebSocketCloseCode, reason: String) {
        guard state == .open else { return }
        conclude(.ours(code, reason: reason))
    }

    /// The application owes nothing any more.
    func settled() {
        guard state == .settling, let ending else { return }
        self.ending = nil
        settleTimer?.cancel()
        settleTimer = nil
        finish(ending)
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        process()
    }

    // MARK: In

    private var mayRead: Bool {
        switch state {
        case .open: !isPaused && context?.channel.isWritable == true
        // What the peer sends meanwhile is its own loss, and shall not fill our memory.
        case .settling: false
        case .closing, .draining, .closed: true
        }
    }

    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        do throws(FrameMachine.Failure) {
            while state == .closing || (state == .open && !isPaused) {
                guard let event = try machine.next(&input) else { break }
                take(event)
            }
        } catch {
            fail(error)
        }
        isProcessing = false
        if input.readableBytes == 0 || state == .draining || state == .closed { input = ByteBuffer() }
        if isReadWithheld, mayRead, let context {
            isReadWithheld = false
            context.read()
        }
    }

    private func take(_ event: FrameMachine.Event) {
        switch (event, state) {
        case (.text(let bytes), .open): application?.text(bytes)
        case (.binary(let bytes), .open): application?.binary(bytes)
        case (.ping(let payload), .open): write(.pong, payload)
        case (.close(let code), .open): conclude(.theirs(code))
        case (.close, _): hangUp()
        default: break
        }
    }

    // MARK: Out

    private func write(_ opcode: Opcode, _ payload: ByteBuffer) {
        guard let context else { return }
        writeHeader(opcode, payload.readableBytes)
        if payload.readableBytes <= WebLimits.webSocketCopiedBytesMax {
            staged.writeImmutableBuffer(payload)
            if staged.readableBytes >= WebLimits.webSocketStagedBytesMax { writeStaged(context) }
        } else {
            writeStaged(context)
            context.write(wrapOutboundOut(payload), promise: nil)
        }
        scheduleFlush(context)
    }

    private func writeHeader(_ opcode: Opcode, _ count: Int) {
        switch count {
        case 0...125:
            staged.writeMultipleIntegers(0x80 | opcode.rawValue, UInt8(count))
        case 126...Int(UInt16.max):
            staged.writeMultipleIntegers(0x80 | opcode.rawValue, UInt8(126), UInt16(count))
        default:
            staged.writeMultipleIntegers(0x80 | opcode.rawValue, UInt8(127), UInt64(count))
        }
    }

    private func writeClose(_ code: WebSocketCloseCode?, reason: String) {
        var payload = ByteBuffer()
        if let code {
            payload.writeInteger(code.rawValue)
            var room = WebLimits.controlPayloadBytesMax - 2
            for character in reason {
                room -= character.utf8.count
                guard room >= 0 else { break }
                payload.writeString(String(character))
            }
        }
        write(.close, payload)
    }

    private func writeStaged(_ context: ChannelHandlerContext) {
        guard staged.readableBytes > 0 else { return }
        context.write(wrapOutboundOut(staged), promise: nil)
        staged.clear()
    }

    private func scheduleFlush(_ context: ChannelHandlerContext) {
        guard !isFlushScheduled, !isInRead else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            flush()
        }
    }

    private func flush() {
        guard let context else { return }
        if staged.readableBytes > 0 {
            context.writeAndFlush(wrapOutboundOut(staged), promise: nil)
            if staged.capacity > WebLimits.outputBytesKept { staged = ByteBuffer() } else { staged.clear() }
        } else {
            context.flush()
        }
    }

    // MARK: Ends

    /// Begins the closing handshake, or goes on with the peer's: behind the answers that are still owed.
    ///
    /// - Source: RFC 6455, 5.5.1: an endpoint may delay its close frame until its message is sent.
    private func conclude(_ ending: Ending) {
        guard application?.isOwing == true, let context else { return finish(ending) }
        self.ending = ending
        state = .settling
        settleTimer = context.eventLoop.assumeIsolated().scheduleTask(in: timings.closeTimeout) { [self] in settled() }
    }

    private func finish(_ ending: Ending) {
        switch ending {
        case .ours(let code, let reason):
            writeClose(code, reason: reason)
            state = .closing
            armCloseTimer()
            process()
        case .theirs(let code):
            writeClose(code, reason: "")
            hangUp()
        }
    }

    /// The peer broke a rule: says so, and takes nothing more from it.
    ///
    /// Only our direction closes at first. Closing a socket with unread bytes resets it, and the peer would lose our close frame.
    private func fail(_ failure: FrameMachine.Failure) {
        guard state == .open, let context else { return hangUp() }
        writeClose(failure.code, reason: failure.reason)
        state = .draining
        endApplication()
        armCloseTimer()
        afterFlush(context) { $0.close(mode: .output, promise: nil) }
    }

    /// Closes once everything is out.
    private func hangUp() {
        guard state != .closed, let context else { return }
        state = .closed
        endApplication()
        armCloseTimer()
        afterFlush(context) { $0.close(promise: nil) }
    }

    private func afterFlush(_ context: ChannelHandlerContext, _ then: @escaping (ChannelHandlerContext) -> Void) {
        let last = staged
        staged = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(last)).assumeIsolated().whenComplete { _ in then(context) }
    }

    private func end() {
        state = .closed
        context = nil
        closeTimer?.cancel()
        closeTimer = nil
        settleTimer?.cancel()
        settleTimer = nil
        endApplication()
    }

    private func endApplication() {
        pingTimer?.cancel()
        pingTimer = nil
        let last = application
        application = nil
        last?.closed()
    }

    // MARK: Timers

    private func armCloseTimer() {
        guard closeTimer == nil, let context else { return }
        closeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: timings.closeTimeout) { context.close(promise: nil) }
    }

    private func startPings(_ context: ChannelHandlerContext) {
        pingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: timings.pingInterval) { [self] in
            guard state == .open else { return }
            // While we do not read, silence says nothing; but a peer that takes nothing for two turns is as good as gone.
            if hasHeard || (isPaused && context.channel.isWritable) { silentTurns = 0 } else { silentTurns += 1 }
            hasHeard = false
            guard silentTurns < 2 else {
                context.close(promise: nil)
                return
            }
            if silentTurns == 1 { write(.ping, ByteBuffer()) }
            startPings(context)
        }
    }
}
