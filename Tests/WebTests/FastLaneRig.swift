import NIOCore
import NIOEmbedded
import Synchronization

@testable import Web

/// Remembers the requests and answers them when told.
final class RecordingLane: PostLane {
    let paths = ["/v1/messages"]
    private let taken = Mutex<[(request: PostRequest, answer: PostAnswer)]>([])
    private let isImmediate: Bool

    /// As the product does with arrays.
    func takes(_ request: PostRequest) -> Bool { request.body.readableBytesView.first != UInt8(ascii: "[") }

    static let ok = AnswerHead(status: 201, reason: "Created", contentType: "application/json")

    init(isImmediate: Bool = true) { self.isImmediate = isImmediate }

    var bodies: [String] { taken.withLock { $0.map { String(buffer: $0.request.body) } } }
    var requests: [PostRequest] { taken.withLock { $0.map(\.request) } }

    func post(_ request: PostRequest, answer: PostAnswer) {
        taken.withLock { $0.append((request, answer)) }
        if isImmediate { answer.complete(Answer(Self.ok, body: request.body)) }
    }

    /// Answers the request of that number with its own body.
    func answer(_ number: Int) {
        let (request, answer) = taken.withLock { $0[number] }
        answer.complete(Answer(Self.ok, body: request.body))
    }
}

/// Answers `/here` and nothing else.
struct HereLane: ReadLane {
    static let ok = AnswerHead(status: 200, reason: "OK", contentType: "text/plain")

    func read(_ target: Span<UInt8>) -> Answer? {
        HeadScanner.equal(target, Array("/here".utf8)) ? Answer(Self.ok, fields: ByteBuffer(string: "X: y\r\n"), body: ByteBuffer(string: "here")) : nil
    }

    static let request = "GET /here HTTP/1.1\r\nHost: a\r\n\r\n"
    static let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX: y\r\nContent-Length: 4\r\n\r\nhere"
}

/// Accepts `/echo` and nothing else.
struct EchoRoutes: WebSocketRoutes {
    func accept(_ request: WebSocketRequest) -> WebSocketAccept? { EchoApplication.accept(request) }
}

/// A fast lane on an embedded channel, with a recorder in the place of the HTTP pipeline.
final class FastLaneRig {
    let channel = EmbeddedChannel()
    let lane: RecordingLane
    private(set) var hasLeft = false
    private(set) var ending: FastLane.Ending?

    init(lane: RecordingLane = RecordingLane(), configuration: FastLane.Configuration = .init()) throws {
        self.lane = lane
        let handler = FastLane(posts: lane, reads: HereLane(), webSockets: EchoRoutes(), configuration: configuration) { [unowned self] _ in
            hasLeft = true
        } ended: { [unowned self] ending in
            self.ending = ending
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    /// What the connection has written so far, with dates cut out.
    func written() throws -> String {
        channel.embeddedEventLoop.run()
        var out = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { out += String(buffer: bytes) }
        return out.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
    }

    /// What went on to the handlers behind the lane.
    func handedOn() throws -> String {
        var out = ""
        while let bytes = try channel.readInbound(as: ByteBuffer.self) { out += String(buffer: bytes) }
        return out
    }

    static func post(_ body: String, _ fields: String = "") -> String {
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static func answer(_ body: String, closing: Bool = false) -> String {
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\(closing ? "Connection: close\r\n" : "")"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}
