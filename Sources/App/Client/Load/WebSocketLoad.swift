internal import Client
internal import NIOCore

/// One WebSocket that keeps a window of messages on their way; their answers come in order.
final class WebSocketLoad: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Messages without an answer: enough to hide a group commit, well below what the server lets a connection have.
    static let window = 256

    private let handshake: ByteBuffer
    private let frame: ByteBuffer
    private let messageBytes: Int
    private var left: Int
    private let done: EventLoopPromise<LoadReport>
    private var report = LoadReport()
    private var answers = AnswerScanner()
    private var frames = FrameScanner()
    private var isOpen = false
    private var isDone = false
    /// When the messages without an answer were sent.
    private var sent: CircularBuffer<NIODeadline> = []

    init(handshake: ByteBuffer, frame: ByteBuffer, messageBytes: Int, messages: Int, done: EventLoopPromise<LoadReport>) {
        self.handshake = handshake
        self.frame = frame
        self.messageBytes = messageBytes
        left = messages
        self.done = done
        report.latencies.reserve(messages)
    }

    func channelActive(context: ChannelHandlerContext) { context.writeAndFlush(wrapOutboundOut(handshake), promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if isOpen { frames.take(bytes.readableBytesView) } else { open(context, bytes) }
        while isOpen, let frame = frames.next() { take(frame, context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isOpen, !isDone { fill(context) }
    }

    func channelInactive(context: ChannelHandlerContext) { finish(context, fault: "the server closed the connection") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(context, fault: "\(error)") }

    private func open(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        answers.take(bytes.readableBytesView)
        guard let answer = try? answers.next() else { return }
        guard answer.status == 101 else {
            return finish(context, fault: "the upgrade was answered with \(answer.status) \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        }
        isOpen = true
        frames.take(answers.takeRest())
    }

    private func take(_ frame: FrameScanner.Frame, _ context: ChannelHandlerContext) {
        switch frame.opcode {
        case 1, 2: count(frame.payload)
        case 8: finish(context, fault: "the server closed with code \(frame.payload.prefix(2).reduce(0) { $0 << 8 | Int($1) })")
        case 9: context.write(wrapOutboundOut(ByteBuffer(bytes: FrameScanner.masked(opcode: 10, Array(frame.payload), mask: [1, 2, 3, 4]))), promise: nil)
        default: break
        }
    }

    private func count(_ payload: ArraySlice<UInt8>) {
        guard let began = sent.popFirst() else { return }
        report.latencies.add(nanoseconds: UInt64((NIODeadline.now() - began).nanoseconds))
        // An acknowledgement begins with the id, a problem document with its type.
        if payload.starts(with: "{\"message_uuid\"".utf8) {
            report.acknowledged += 1
            report.bytes += messageBytes
        } else {
            report.refused += 1
            report.firstFault = report.firstFault ?? DisplayText.cut(DisplayText.line(String(decoding: payload, as: UTF8.self)), to: 300)
        }
    }

    /// Sends what the window has room for, once half of it is free, so that frames go in runs.
    private func fill(_ context: ChannelHandlerContext) {
        if left == 0 {
            if sent.isEmpty { finish(context, fault: nil) }
            return
        }
        let room = min(left, WebSocketLoad.window - sent.count)
        guard room == left || room >= WebSocketLoad.window / 2 else { return }
        var run = context.channel.allocator.buffer(capacity: room * frame.readableBytes)
        let now = NIODeadline.now()
        for _ in 0..<room {
            run.writeImmutableBuffer(frame)
            sent.append(now)
        }
        left -= room
        context.writeAndFlush(wrapOutboundOut(run), promise: nil)
    }

    private func finish(_ context: ChannelHandlerContext, fault: String?) {
        guard !isDone else { return }
        isDone = true
        isOpen = false
        if let fault {
            report.broken = 1
            report.firstFault = report.firstFault ?? fault
        }
        done.succeed(report)
        context.close(promise: nil)
    }
}
