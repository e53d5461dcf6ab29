internal import Client
internal import NIOCore

/// One connection that posts, waits for the answer, and posts again.
final class HTTPLoad: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A request made before the clock runs.
    struct Request {
        let bytes: ByteBuffer
        let messages: Int
    }
    private let full: Request
    private let last: Request?
    private var left: Int
    private let messageBytes: Int
    private let done: EventLoopPromise<LoadReport>
    private var report = LoadReport()
    private var scanner = AnswerScanner()
    private var sent = NIODeadline.now()
    private var underWay = 0
    private var isDone = false

    /// - Parameters:
    ///   - full: the request to send `fullCount` times, then `last` once.
    init(full: Request, fullCount: Int, last: Request?, messageBytes: Int, done: EventLoopPromise<LoadReport>) {
        self.full = full
        self.last = last
        left = fullCount + (last == nil ? 0 : 1)
        self.messageBytes = messageBytes
        self.done = done
        report.latencies.reserve(left)
    }

    func channelActive(context: ChannelHandlerContext) { send(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        scanner.take(unwrapInboundIn(data).readableBytesView)
        do {
            while let answer = try scanner.next() {
                count(answer)
                if answer.closes, left > 0 { return finish(context, fault: "the server closed the connection behind status \(answer.status)") }
                send(context)
            }
        } catch {
            finish(context, fault: "the answer is no HTTP")
        }
    }

    func channelInactive(context: ChannelHandlerContext) { finish(context, fault: "the server closed the connection") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(context, fault: "\(error)") }

    private func send(_ context: ChannelHandlerContext) {
        guard left > 0 else { return finish(context, fault: nil) }
        left -= 1
        let request = left == 0 ? last ?? full : full
        underWay = request.messages
        sent = .now()
        context.writeAndFlush(wrapOutboundOut(request.bytes), promise: nil)
    }

    private func count(_ answer: AnswerScanner.Answer) {
        report.latencies.add(nanoseconds: UInt64((NIODeadline.now() - sent).nanoseconds))
        var accepted = answer.status < 300 ? underWay : 0
        // A stream answers with counts; a single post, and an array of one, with its own status.
        if full.messages > 1 || last != nil, let summary = JSONSlice(Array(answer.body)), let count = summary["accepted"]?.int { accepted = count }
        report.acknowledged += accepted
        report.bytes += accepted * messageBytes
        report.refused += underWay - accepted
        if accepted < underWay, report.firstFault == nil {
            report.firstFault = "\(answer.status) \(DisplayText.cut(DisplayText.line(String(decoding: answer.body, as: UTF8.self)), to: 300))"
        }
        underWay = 0
    }

    private func finish(_ context: ChannelHandlerContext, fault: String?) {
        guard !isDone else { return }
        isDone = true
        if let fault {
            report.broken = 1
            report.firstFault = report.firstFault ?? fault
        }
        done.succeed(report)
        context.close(promise: nil)
    }
}
