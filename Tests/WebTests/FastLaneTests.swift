import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite("Fast lane")
struct FastLaneTests {
    @Test("Pipelined requests are answered in their order, though they complete in another")
    func pipelined() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
        try rig.send(FastLaneRig.post("one") + FastLaneRig.post("two") + FastLaneRig.post("three"))
        rig.lane.answer(2)
        #expect(try rig.written() == "")
        rig.lane.answer(0)
        #expect(try rig.written() == FastLaneRig.answer("one"))
        rig.lane.answer(1)
        #expect(try rig.written() == FastLaneRig.answer("two") + FastLaneRig.answer("three"))
    }

    @Test("Requests split at every position are the same requests")
    func split() throws {
        let bodies = ["one", "", #"{"a":"ü"}"#]
        let bytes = Array(bodies.map { FastLaneRig.post($0) }.joined().utf8)
        let expected = bodies.map { FastLaneRig.answer($0) }.joined()
        for at in 0...bytes.count {
            let rig = try FastLaneRig()
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[..<at]))
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[at...]))
            #expect(rig.lane.bodies == bodies, "split at \(at)")
            #expect(try rig.written() == expected, "split at \(at)")
        }
        let rig = try FastLaneRig()
        for byte in bytes { try rig.channel.writeInbound(ByteBuffer(bytes: [byte])) }
        #expect(rig.lane.bodies == bodies)
        #expect(try rig.written() == expected)
    }

    @Test("The poster sees traceparent and authorization")
    func fields() throws {
        let rig = try FastLaneRig()
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try rig.send(FastLaneRig.post("x", "Traceparent: \(trace)\r\nAuthorization: Bearer t\r\n"))
        #expect(rig.lane.requests.first?.traceparent == trace)
        #expect(rig.lane.requests.first?.authorization == "Bearer t")
    }

    @Test("Reads are answered in the order of the requests, between POSTs whose answers take their time, wherever the bytes are split")
    func reads() throws {
        let bytes = Array((HereLane.request + FastLaneRig.post("one") + HereLane.request + HereLane.request + FastLaneRig.post("two")).utf8)
        for at in 0...bytes.count {
            let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[..<at]))
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[at...]))
            #expect(try rig.written() == HereLane.answer)
            rig.lane.answer(1)
            rig.lane.answer(0)
            #expect(try rig.written() == FastLaneRig.answer("one") + HereLane.answer + HereLane.answer + FastLaneRig.answer("two"), "split at \(at)")
            #expect(!rig.hasLeft)
            let other = "GET /there HTTP/1.1\r\nHost: a\r\n\r\n"
            try rig.send(HereLane.request + other + HereLane.request)
            #expect(try rig.written() == HereLane.answer)
            #expect(rig.hasLeft)
            #expect(try rig.handedOn() == other + HereLane.request)
        }
    }

    @Test("Leaving keeps every byte, wherever the reads end")
    func leaving() throws {
        let other = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + FastLaneRig.post("later")
        let first = FastLaneRig.post("one")
        let bytes = Array((first + other).utf8)
        for at in 0...bytes.count {
            let rig = try FastLaneRig()
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[..<at]))
            try rig.channel.writeInbound(ByteBuffer(bytes: bytes[at...]))
            #expect(rig.hasLeft)
            #expect(try rig.handedOn() == other, "split at \(at)")
            #expect(try rig.written() == FastLaneRig.answer("one"))
            try rig.send("and on")
            #expect(try rig.handedOn() == "and on")
        }
    }

    @Test("Leaving waits for the answers that are due, and reads nothing meanwhile")
    func leavingWaits() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
        try rig.send(FastLaneRig.post("one") + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(!rig.hasLeft)
        rig.lane.answer(0)
        #expect(try rig.written() == FastLaneRig.answer("one"))
        #expect(rig.hasLeft)
        #expect(try rig.handedOn() == "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    }

    @Test("A connection with too many unanswered requests is read no further until they are answered")
    func bounded() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false), configuration: .init(pipelinedMax: 4))
        try rig.send((0..<10).map { FastLaneRig.post("\($0)") }.joined())
        #expect(rig.lane.bodies == ["0", "1", "2", "3"])
        for number in 0..<10 {
            rig.lane.answer(number)
            rig.channel.embeddedEventLoop.run()
        }
        #expect(rig.lane.bodies.count == 10)
        #expect(try rig.written() == (0..<10).map { FastLaneRig.answer("\($0)") }.joined())
    }

    @Test("An answer for a connection that has gone is dropped")
    func gone() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
        try rig.send(FastLaneRig.post("one"))
        rig.channel.pipeline.fireChannelInactive()
        #expect(rig.ending == .closed)
        rig.lane.answer(0)
        #expect(try rig.written() == "")
    }

    @Test("At shutdown an idle connection closes")
    func quiesceIdle() throws {
        let rig = try FastLaneRig()
        rig.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        rig.channel.embeddedEventLoop.run()
        #expect(rig.ending == .closed)
        #expect(!rig.channel.isActive)
    }

    @Test("At shutdown a request under way is answered, with the word that the connection closes")
    func quiesceBusy() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
        try rig.send(FastLaneRig.post("one"))
        rig.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(rig.channel.isActive)
        rig.lane.answer(0)
        #expect(try rig.written() == FastLaneRig.answer("one", closing: true))
        #expect(!rig.channel.isActive)
    }

    @Test("At shutdown a body that is still coming is not waited for")
    func quiesceHalfBody() throws {
        let rig = try FastLaneRig()
        try rig.send("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        rig.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        rig.channel.embeddedEventLoop.run()
        #expect(rig.ending == .closed)
        #expect(!rig.channel.isActive)
    }

    @Test("A client that half-closes and reads slowly gets an answer to every whole request before the connection closes")
    func halfCloseUnwritable() throws {
        let rig = try FastLaneRig()
        rig.channel.isWritable = false
        try rig.send(FastLaneRig.post("one") + FastLaneRig.post("two"))
        rig.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        rig.channel.embeddedEventLoop.run()
        #expect(rig.channel.isActive && rig.lane.bodies == [])
        rig.channel.isWritable = true
        rig.channel.pipeline.fireChannelWritabilityChanged()
        #expect(try rig.written() == FastLaneRig.answer("one") + FastLaneRig.answer("two"))
        #expect(!rig.channel.isActive)
    }

    @Test("A client that half-closes gets its answers before the connection closes")
    func halfClose() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
        try rig.send(FastLaneRig.post("one") + "POST /v1")
        rig.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(rig.channel.isActive)
        rig.lane.answer(0)
        #expect(try rig.written() == FastLaneRig.answer("one"))
        #expect(!rig.channel.isActive)
    }

    @Test("A connection closes when it brings no whole request in time, however it trickles")
    func slow() throws {
        let rig = try FastLaneRig(configuration: .init(idleTimeout: .seconds(60)))
        let bytes = Array(FastLaneRig.post("one").utf8)
        for byte in bytes.prefix(5) {
            try rig.channel.writeInbound(ByteBuffer(bytes: [byte]))
            rig.channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        }
        #expect(rig.channel.isActive)
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(!rig.channel.isActive)
        #expect(rig.ending == .closed)
    }

    @Test("A connection that waits for us does not time out")
    func waiting() throws {
        let rig = try FastLaneRig(lane: RecordingLane(isImmediate: false))
        try rig.send(FastLaneRig.post("one"))
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(600))
        #expect(rig.channel.isActive)
        rig.lane.answer(0)
        #expect(try rig.written() == FastLaneRig.answer("one"))
    }

    @Test(
        "The date is written as RFC 9110 wants it",
        arguments: [
            (0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"), (784_111_777, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
            (1_709_210_096, "Date: Thu, 29 Feb 2024 12:34:56 GMT\r\n"),
        ])
    func date(_ seconds: Int, _ line: String) { #expect(DateLine.format(seconds) == line) }
}
