import NIOCore
import NIOEmbedded
import Testing

@testable import Web

/// The tests' own end of a session.
private final class Recorder: WebSocketApplication {
    let session: WebSocketSession
    var calls: [String] = []
    var onText: (Recorder) -> Void = { _ in }
    var isOwing = false

    init(_ session: WebSocketSession) { self.session = session }

    func opened() { calls.append("opened") }
    func text(_ bytes: ByteBuffer) {
        calls.append("text \(String(buffer: bytes))")
        onText(self)
    }
    func binary(_ bytes: ByteBuffer) { calls.append("binary \(bytes.readableBytes)") }
    func writabilityChanged(_ writable: Bool) { calls.append("writable \(writable)") }
    func closed() { calls.append("closed") }
}

@Suite("WebSocket")
struct WebSocketTests {
    static let handshake =
        "GET /echo?a=b HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    static let accepted =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    @Test("A handshake after other requests, with frames right behind it, becomes a session")
    func upgrade() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
        var bytes = ByteBuffer(string: FastLaneRig.post("one") + Self.handshake)
        bytes.writeBytes(clientFrame(0x81, Array("hi".utf8)))
        try rig.channel.writeInbound(bytes)
        #expect(rig.ending == nil)
        rig.lane.answer(0)
        #expect(try rig.written() == FastLaneRig.answer("one") + Self.accepted + echoed("hi"))
        #expect(rig.ending == .webSocket)
    }

    /// What a text frame looks like in `FastLaneRig.written`, which reads it as UTF-8.
    private func echoed(_ text: String) -> String { String(decoding: [0x81, UInt8(text.utf8.count)] + Array(text.utf8), as: UTF8.self) }

    @Test("A handshake cut at every position is the same handshake")
    func split() throws {
        let bytes = Array(Self.handshake.utf8)
        for at in 0...bytes.count {
            let rig = try FastLaneRig()
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[..<at]))
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[at...]))
            #expect(try rig.written() == Self.accepted)
        }
    }

    @Test("Another version is answered with 426 and the right one, and the connection stays")
    func version() throws {
        let rig = try FastLaneRig()
        try rig.send(Self.handshake.replacing("Version: 13", with: "Version: 12") + FastLaneRig.post("one"))
        let out = try rig.written()
        #expect(out.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
        #expect(out.contains("\r\nSec-WebSocket-Version: 13\r\n"))
        #expect(out.hasSuffix(FastLaneRig.answer("one")))
    }

    @Test(
        "What is no handshake, or not to a WebSocket path, leaves the lane whole",
        arguments: [
            handshake.replacing("/echo", with: "/other"),
            handshake.replacing("WebSocket\r\nConn", with: "h2c\r\nConn"),
            handshake.replacing("keep-alive, Upgrade", with: "keep-alive"),
            handshake.replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "dGhlIHNhbXBsZSBub25j"),
            handshake.replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "!!!!IHNhbXBsZSBub25jZQ=="),
        ])
    func refused(_ text: String) throws {
        let rig = try FastLaneRig()
        try rig.send(text)
        #expect(rig.hasLeft)
        #expect(try rig.handedOn() == text)
    }

    @Test("The request tells path, query, fields and offered subprotocols")
    func request() throws {
        let head = Self.handshake.replacing("Host: a\r\n", with: "Host: a\r\nSec-WebSocket-Protocol: v2, v1\r\nsec-websocket-protocol: v0\r\n")
        let request = try #require(Handshake(head: head, remoteAddress: "x")).request
        #expect(request.path == "/echo" && request.query == "a=b" && request.remoteAddress == "x")
        #expect(request.subprotocols == ["v2", "v1", "v0"])
        #expect(request.header("host") == "a" && request.header("cookie") == nil)
    }

    // MARK: Sessions

    private struct Rig {
        let channel = EmbeddedChannel()
        let handler: WebSocketHandler
        let recorder: Recorder

        init() throws {
            let box = NIOLoopBoundBox<Recorder?>(nil, eventLoop: channel.embeddedEventLoop)
            handler = WebSocketHandler(
                accept: WebSocketAccept(messageBytesMax: 1_000) { session in
                    let recorder = Recorder(session)
                    box.value = recorder
                    return recorder
                }, timings: WebSocketTimings())
            try channel.pipeline.syncOperations.addHandler(handler)
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            handler.open()
            recorder = try #require(box.value)
        }

        func receive(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

        func sent() throws -> [UInt8] {
            channel.embeddedEventLoop.run()
            var out: [UInt8] = []
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { out += Array(bytes.readableBytesView) }
            return out
        }
    }

    @Test("A ping is answered with its payload, also between fragments")
    func ping() throws {
        let rig = try Rig()
        try rig.receive(clientFrame(0x01, [0x61]) + clientFrame(0x89, [7, 8]) + clientFrame(0x80, [0x62]))
        #expect(try rig.sent() == [0x8A, 2, 7, 8])
        #expect(rig.recorder.calls == ["opened", "text ab"])
    }

    @Test("The peer's close is answered with its code, then the connection closes")
    func peerCloses() throws {
        let rig = try Rig()
        try rig.receive(clientFrame(0x88, [0x03, 0xE9]) + clientFrame(0x81, [0x61]))
        #expect(try rig.sent() == [0x88, 2, 0x03, 0xE9])
        #expect(!rig.channel.isActive)
        #expect(rig.recorder.calls == ["opened", "closed"])
    }

    @Test("A broken rule is answered with its close code, and nothing after it is read")
    func failure() throws {
        let rig = try Rig()
        try rig.receive(clientFrame(0x81, [0xFF]) + clientFrame(0x81, [0x61]))
        let out = try rig.sent()
        #expect(out.starts(with: [0x88]) && out[2...3] == [0x03, 0xEF])
        #expect(rig.recorder.calls == ["opened", "closed"])
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(!rig.channel.isActive)
    }

    @Test("Our close waits for the peer's, but not for ever")
    func weClose() throws {
        let rig = try Rig()
        rig.recorder.session.close(code: .policyViolation, reason: "slow")
        #expect(try rig.sent() == [0x88, 6, 0x03, 0xF0] + Array("slow".utf8))
        rig.recorder.session.sendOnLoop(text: ByteBuffer(string: "late"))
        try rig.receive(clientFrame(0x81, [0x61]))
        #expect(try rig.sent() == [])
        #expect(rig.channel.isActive)
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        #expect(!rig.channel.isActive)
        rig.channel.pipeline.fireChannelInactive()
        #expect(rig.recorder.calls == ["opened", "closed"])
    }

    @Test("At shutdown the session closes with 1001")
    func quiesce() throws {
        let rig = try Rig()
        rig.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try rig.sent().starts(with: [0x88, 2 + 16, 0x03, 0xE9]))
        try rig.receive(clientFrame(0x88, [0x03, 0xE9]))
        rig.channel.embeddedEventLoop.run()
        #expect(!rig.channel.isActive)
    }

    @Test("The peer's close waits for the answers that are owed; what comes behind it is not delivered")
    func peerClosesWhileOwing() throws {
        let rig = try Rig()
        rig.recorder.onText = { $0.isOwing = true }
        try rig.receive(clientFrame(0x81, [0x61]) + clientFrame(0x88, [0x03, 0xE9]) + clientFrame(0x81, [0x62]))
        #expect(try rig.sent() == [])
        #expect(rig.channel.isActive)
        rig.recorder.session.sendOnLoop(text: ByteBuffer(string: "b"))
        rig.recorder.isOwing = false
        rig.recorder.session.settledOnLoop()
        #expect(try rig.sent() == [0x81, 1, 0x62, 0x88, 2, 0x03, 0xE9])
        #expect(!rig.channel.isActive)
        #expect(rig.recorder.calls == ["opened", "text a", "closed"])
    }

    @Test(
        "At shutdown the answers that are owed go out before the close frame, but are not waited for without end", arguments: [true, false])
    func quiesceWhileOwing(_ comes: Bool) throws {
        let rig = try Rig()
        rig.recorder.isOwing = true
        rig.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try rig.sent() == [])
        if comes {
            rig.recorder.session.sendOnLoop(text: ByteBuffer(string: "b"))
            rig.recorder.session.settledOnLoop()
        } else {
            rig.channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        }
        let close: [UInt8] = [0x88, 2 + 16, 0x03, 0xE9] + Array("the server stops".utf8)
        #expect(try rig.sent() == (comes ? [0x81, 1, 0x62] : []) + close)
        try rig.receive(clientFrame(0x88, [0x03, 0xE9]))
        rig.channel.embeddedEventLoop.run()
        #expect(!rig.channel.isActive)
        #expect(rig.recorder.calls == ["opened", "closed"])
    }

    @Test("A paused session delivers nothing until it resumes, and loses nothing")
    func pause() throws {
        let rig = try Rig()
        rig.recorder.onText = { $0.session.pauseReading() }
        try rig.receive(clientFrame(0x81, [0x61]) + clientFrame(0x81, [0x62]))
        try rig.receive(clientFrame(0x81, [0x63]))
        #expect(rig.recorder.calls == ["opened", "text a"])
        rig.recorder.onText = { _ in }
        rig.recorder.session.resumeReading()
        #expect(rig.recorder.calls == ["opened", "text a", "text b", "text c"])
    }

    @Test("A silent peer is pinged, and given up after a second silence")
    func silence() throws {
        let rig = try Rig()
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(40))
        #expect(try rig.sent() == [0x89, 0])
        try rig.receive(clientFrame(0x8A, []))
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(40))
        #expect(rig.channel.isActive)
        #expect(try rig.sent() == [0x89, 0])
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(!rig.channel.isActive)
    }

    @Test("Frames of every length form are written in order", arguments: [0, 125, 126, 65_535, 65_536, 100_000])
    func lengths(_ count: Int) throws {
        let rig = try Rig()
        rig.recorder.session.sendOnLoop(text: ByteBuffer(string: "a"))
        rig.recorder.session.sendOnLoop(binary: ByteBuffer(repeating: 9, count: count))
        rig.recorder.session.sendOnLoop(text: ByteBuffer(string: "b"))
        let header: [UInt8] =
            switch count {
            case 0...125: [0x82, UInt8(count)]
            case 126...65_535: [0x82, 126, UInt8(count >> 8), UInt8(count & 0xFF)]
            default: [0x82, 127, 0, 0, 0, 0, 0, UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
            }
        #expect(try rig.sent() == [0x81, 1, 0x61] + header + Array(repeating: 9, count: count) + [0x81, 1, 0x62])
    }
}
