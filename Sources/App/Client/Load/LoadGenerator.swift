internal import Client
internal import NIOCore
internal import NIOPosix

/// What a load sends, and how.
enum LoadMode: String, CaseIterable, Sendable {
    /// One message a request.
    case http
    /// Requests of `LoadGenerator.linesPerRequest` lines.
    case ndjson
    /// One message a frame, `WebSocketLoad.window` of them on their way.
    case websocket
}

/// Puts a running Meshlog under load: connections on one thread, requests made beforehand.
struct LoadGenerator {
    let host: String
    let port: Int
    let path: String
    let mode: LoadMode
    let messages: Int
    let connections: Int
    let message: [UInt8]

    static let linesPerRequest = 1_000

    /// Runs the load to its end.
    ///
    /// - Throws: what the first connection says when none can be made.
    func run() async throws -> (report: LoadReport, elapsed: Duration) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let bootstrap = ClientBootstrap(group: loop).channelOption(.tcpOption(.tcp_nodelay), value: 1).connectTimeout(.seconds(5))
        // An address of IPv6 stands in brackets in a URL only.
        let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let start = ContinuousClock.now
        var futures: [EventLoopFuture<LoadReport>] = []
        for index in 0..<min(connections, messages) {
            let share = messages / connections + (index < messages % connections ? 1 : 0)
            let done = loop.makePromise(of: LoadReport.self)
            let connecting = bootstrap.channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler(share, done)) }
            }.connect(host: address, port: port)
            connecting.whenFailure { done.fail($0) }
            futures.append(done.futureResult)
        }
        let reports = try await EventLoopFuture.whenAllSucceed(futures, on: loop).get()
        let elapsed = ContinuousClock.now - start
        var total = LoadReport()
        for report in reports { total.merge(report) }
        return (total, elapsed)
    }

    private func handler(_ share: Int, _ done: EventLoopPromise<LoadReport>) -> any ChannelHandler {
        switch mode {
        case .http: return HTTPLoad(full: request(1), fullCount: share, last: nil, messageBytes: message.count, done: done)
        case .ndjson:
            let (whole, rest) = share.quotientAndRemainder(dividingBy: LoadGenerator.linesPerRequest)
            return HTTPLoad(
                full: request(whole > 0 ? LoadGenerator.linesPerRequest : rest), fullCount: whole > 0 ? whole : 1,
                last: whole > 0 && rest > 0 ? request(rest) : nil,
                messageBytes: message.count, done: done)
        case .websocket:
            let frame = ByteBuffer(bytes: FrameScanner.masked(opcode: 1, message, mask: [0x37, 0xFA, 0x21, 0x3D]))
            return WebSocketLoad(handshake: handshake, frame: frame, messageBytes: message.count, messages: share, done: done)
        }
    }

    private func request(_ lines: Int) -> HTTPLoad.Request {
        let type = mode == .http ? "application/json" : "application/x-ndjson"
        let size = mode == .http ? message.count : lines * (message.count + 1)
        var bytes = ByteBuffer()
        bytes.reserveCapacity(size + 160)
        bytes.writeString("POST \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nContent-Type: \(type)\r\nContent-Length: \(size)\r\n\r\n")
        for _ in 0..<lines {
            bytes.writeBytes(message)
            if mode == .ndjson { bytes.writeInteger(UInt8(0x0A)) }
        }
        return HTTPLoad.Request(bytes: bytes, messages: lines)
    }

    /// - Source: RFC 6455, 4.1; the key is its example, since nobody checks that it is random.
    private var handshake: ByteBuffer {
        ByteBuffer(
            string: "GET \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    }
}
