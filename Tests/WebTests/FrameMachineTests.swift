import NIOCore
import Testing

@testable import Web

/// Writes a frame as a client does, masked.
func clientFrame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]) -> [UInt8] {
    var out = [first]
    switch payload.count {
    case 0...125: out.append(0x80 | UInt8(payload.count))
    case 126...65_535: out += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: out += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    return out + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
}

@Suite("Frame machine")
struct FrameMachineTests {
    typealias Event = FrameMachine.Event

    /// Feeds pieces of `size` bytes; the events, and the failure with the number of bytes that were enough for it.
    static func run(_ bytes: [UInt8], size: Int, messageBytesMax: Int = 1 << 20) -> (events: [Event], failure: WebSocketCloseCode?, after: Int) {
        var machine = FrameMachine(messageBytesMax: messageBytesMax)
        var input = ByteBuffer()
        var events: [Event] = []
        var at = 0
        while at < bytes.count {
            let end = min(at + size, bytes.count)
            input.writeBytes(bytes[at..<end])
            at = end
            do {
                while let event = try machine.next(&input) { events.append(event) }
            } catch {
                return (events, error.code, at)
            }
        }
        return (events, nil, at)
    }

    @Test("Messages, fragments and the control frames between them come out whole, however they are cut", arguments: [1, 2, 3, 7, 13, 1_000_000])
    func whole(_ size: Int) {
        let long = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let bytes =
            clientFrame(0x81, Array("hello".utf8)) + clientFrame(0x01, Array("żó".utf8)) + clientFrame(0x89, [1, 2, 3])
            + clientFrame(0x00, []) + clientFrame(0x8A, []) + clientFrame(0x80, Array("łw".utf8)) + clientFrame(0x82, long)
            + clientFrame(0x82, []) + clientFrame(0x88, [0x03, 0xE8] + Array("bye".utf8))
        let result = Self.run(bytes, size: size)
        #expect(result.failure == nil)
        #expect(
            result.events == [
                .text(ByteBuffer(string: "hello")), .ping(ByteBuffer(bytes: [1, 2, 3])), .pong, .text(ByteBuffer(string: "żółw")),
                .binary(ByteBuffer(bytes: long)), .binary(ByteBuffer()), .close(.normal),
            ])
    }

    @Test("A character may be cut by a fragment's end")
    func cutCharacter() {
        let turtle = Array("🐢".utf8)
        let result = Self.run(clientFrame(0x01, Array(turtle[..<2])) + clientFrame(0x80, Array(turtle[2...])), size: 1)
        #expect(result.events == [.text(ByteBuffer(string: "🐢"))])
    }

    @Test("Invalid text fails in the middle of its frame")
    func invalidText() {
        let bytes = clientFrame(0x01, Array("ok".utf8)) + clientFrame(0x80, [0xED, 0xA0, 0x80] + Array(repeating: 0x41, count: 100))
        let result = Self.run(bytes, size: 1)
        #expect(result.failure == .invalidPayload)
        #expect(result.after == clientFrame(0x01, Array("ok".utf8)).count + 6 + 2)
    }

    @Test(
        "Every broken rule has its close code",
        arguments: [
            ("reserved bit", [0xC1, 0x80, 0, 0, 0, 0], WebSocketCloseCode.protocolError),
            ("unmasked", [0x81, 0x01, 0x41], .protocolError),
            ("unknown opcode", clientFrame(0x83, []), .protocolError),
            ("unknown control opcode", clientFrame(0x8B, []), .protocolError),
            ("fragmented ping", clientFrame(0x09, []), .protocolError),
            ("long ping", clientFrame(0x89, Array(repeating: 0, count: 126)), .protocolError),
            ("continuation of nothing", clientFrame(0x80, []), .protocolError),
            ("message within a message", clientFrame(0x01, []) + clientFrame(0x81, []), .protocolError),
            ("long form of a short length", [0x82, 0xFE, 0, 5, 0, 0, 0, 0], .protocolError),
            ("longest form of a short length", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0], .protocolError),
            ("negative length", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .protocolError),
            ("too large", [0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0], .messageTooBig),
            ("too large in fragments", clientFrame(0x02, Array(repeating: 0, count: 1 << 20)) + clientFrame(0x80, [0]), .messageTooBig),
            ("not UTF-8", clientFrame(0x81, [0xFF]), .invalidPayload),
            ("half a character", clientFrame(0x81, [0xC3]), .invalidPayload),
            ("half a close code", clientFrame(0x88, [3]), .protocolError),
            ("close 1005", clientFrame(0x88, [0x03, 0xED]), .protocolError),
            ("close 999", clientFrame(0x88, [0x03, 0xE7]), .protocolError),
            ("close 5000", clientFrame(0x88, [0x13, 0x88]), .protocolError),
            ("close reason not UTF-8", clientFrame(0x88, [0x03, 0xE8, 0xFF]), .invalidPayload),
        ] as [(String, [UInt8], WebSocketCloseCode)])
    func broken(_ name: String, _ bytes: [UInt8], _ code: WebSocketCloseCode) {
        for size in [1, bytes.count] { #expect(Self.run(bytes, size: size).failure == code, "\(name)") }
    }

    @Test("Random bytes never trap the machine", arguments: [UInt64.random(in: 0 ... .max)])
    func fuzz(_ seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1..<5, using: &random) {
                let first = [0x01, 0x00, 0x80, 0x81, 0x82, 0x88, 0x89, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
                bytes += clientFrame(first, (0..<Int.random(in: 0..<140, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            _ = Self.run(bytes, size: Int.random(in: 1...bytes.count, using: &random), messageBytesMax: 200)
        }
    }
}
