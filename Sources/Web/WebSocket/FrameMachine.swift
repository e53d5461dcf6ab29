import NIOCore

/// Turns the client's bytes into messages and control frames, and knows every rule of RFC 6455 that a client can break.
///
/// NIO's own decoder hands on whole frames only. This one takes payloads as they arrive: invalid text fails in the middle of a
/// frame, a length above the bound fails before its first byte, and memory grows with what came, not with what was announced.
struct FrameMachine {
    /// What has been read.
    enum Event: Equatable {
        case text(ByteBuffer)
        case binary(ByteBuffer)
        case ping(ByteBuffer)
        case pong
        /// The peer's close frame; nil when it gives no code.
        case close(WebSocketCloseCode?)
    }

    /// The peer broke a rule; `code` goes into our close frame.
    struct Failure: Error, Equatable {
        let code: WebSocketCloseCode
        let reason: String
    }

    private struct Header {
        var isFinal: Bool
        var opcode: UInt8
        var left: Int
        /// The masking key, turned so that its first byte belongs to the next payload byte.
        var mask: UInt32
    }

    private enum State {
        case header
        case payload(Header)
    }

    private let messageBytesMax: Int
    private var state = State.header
    /// The message under way: 1 text, 2 binary, 0 none.
    private var kind: UInt8 = 0
    private var message = ByteBuffer()
    private var utf8 = UTF8Stream()

    init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    /// Consumes bytes up to the next event; nil when it needs more.
    mutating func next(_ input: inout ByteBuffer) throws(Failure) -> Event? {
        while true {
            switch state {
            case .header:
                guard let header = try readHeader(&input) else { return nil }
                state = .payload(header)
            case .payload(let header) where header.opcode & 0x8 != 0:
                guard let payload = Self.readControl(&input, header) else { return nil }
                state = .header
                return try control(header.opcode, payload)
            case .payload(let header):
                guard let rest = try readData(&input, header) else {
                    state = .header
                    guard header.isFinal else { continue }
                    return try finishMessage()
                }
                state = .payload(rest)
                return nil
            }
        }
    }

    // MARK: Header

    private mutating func readHeader(_ input: inout ByteBuffer) throws(Failure) -> Header? {
        let start = input.readerIndex
        guard let first = input.getInteger(at: start, as: UInt8.self), let second = input.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        let opcode = first & 0x0F
        let isFinal = first & 0x80 != 0
        try check(first: first, second: second)
        let lengthBytes = second & 0x7F == 126 ? 2 : second & 0x7F == 127 ? 8 : 0
        guard input.readableBytes >= 2 + lengthBytes + 4 else { return nil }
        let length = try Self.length(input, at: start + 2, short: second & 0x7F)
        if opcode & 0x8 == 0 {
            guard length <= UInt64(messageBytesMax - message.readableBytes) else {
                throw Failure(code: .messageTooBig, reason: "a message has at most \(messageBytesMax) bytes")
            }
            if opcode != 0 { begin(kind: opcode) }
        }
        input.moveReaderIndex(forwardBy: 2 + lengthBytes)
        let mask = input.readInteger(as: UInt32.self) ?? 0
        return Header(isFinal: isFinal, opcode: opcode, left: Int(length), mask: mask)
    }

    /// Everything that the first two bytes can break.
    private func check(first: UInt8, second: UInt8) throws(Failure) {
        let opcode = first & 0x0F
        let isFinal = first & 0x80 != 0
        guard first & 0x70 == 0 else { throw Failure(code: .protocolError, reason: "reserved bits are set") }
        guard second & 0x80 != 0 else { throw Failure(code: .protocolError, reason: "a client masks its frames") }
        switch opcode {
        case 0:
            if kind == 0 { throw Failure(code: .protocolError, reason: "a continuation without a message") }
        case 1, 2:
            if kind != 0 { throw Failure(code: .protocolError, reason: "a new message within a fragmented one") }
        case 8, 9, 10:
            if !isFinal { throw Failure(code: .protocolError, reason: "a control frame is not fragmented") }
            if second & 0x7F > WebLimits.controlPayloadBytesMax {
                throw Failure(code: .protocolError, reason: "a control frame has at most 125 bytes")
            }
        default:
            throw Failure(code: .protocolError, reason: "unknown opcode \(opcode)")
        }
    }

    /// RFC 6455, 5.2: the shortest form that holds the length, and no top bit in the longest.
    private static func length(_ input: ByteBuffer, at index: Int, short: UInt8) throws(Failure) -> UInt64 {
        switch short {
        case 126:
            let length = input.getInteger(at: index, as: UInt16.self) ?? 0
            guard length > 125 else { throw Failure(code: .protocolError, reason: "a length in a longer form than it needs") }
            return UInt64(length)
        case 127:
            let length = input.getInteger(at: index, as: UInt64.self) ?? 0
            guard length > UInt64(UInt16.max), length >> 63 == 0 else {
                throw Failure(code: .protocolError, reason: "a length in a longer form than it needs")
            }
            return length
        default:
            return UInt64(short)
        }
    }

    // MARK: Payload

    private mutating func begin(kind: UInt8) {
        self.kind = kind
        message = ByteBuffer()
        utf8 = UTF8Stream()
    }

    /// Nil once the whole payload of the frame is in the message.
    private mutating func readData(_ input: inout ByteBuffer, _ header: Header) throws(Failure) -> Header? {
        let count = min(header.left, input.readableBytes)
        let start = message.writerIndex
        Self.unmask(&input, count: count, mask: header.mask, into: &message)
        if kind == 1, count > 0 {
            var check = utf8
            let isValid = check.accept(message.readableBytesUInt8Span.extracting((start - message.readerIndex)..<message.readableBytes))
            utf8 = check
            guard isValid else { throw Failure(code: .invalidPayload, reason: "text is UTF-8") }
        }
        guard header.left > count else { return nil }
        var rest = header
        rest.left -= count
        rest.mask = Self.turn(header.mask, by: count)
        return rest
    }

    private static func readControl(_ input: inout ByteBuffer, _ header: Header) -> ByteBuffer? {
        guard input.readableBytes >= header.left else { return nil }
        var payload = ByteBuffer()
        unmask(&input, count: header.left, mask: header.mask, into: &payload)
        return payload
    }

    /// Moves `count` bytes, eight at a time, in one access to either buffer: each costs as much as a few dozen bytes.
    private static func unmask(_ input: inout ByteBuffer, count: Int, mask: UInt32, into out: inout ByteBuffer) {
        guard count > 0, let masked = input.readSlice(length: count) else { return }
        let narrow = UInt64(UInt32(bigEndian: mask))
        let wide = narrow << 32 | narrow
        out.writeWithOutputRawSpan(minimumWritableBytes: count) { room in
            let bytes = masked.readableBytesUInt8Span
            var at = 0
            while at &+ 8 <= bytes.count {
                var word: UInt64 = 0
                for place in 0..<8 { word |= UInt64(bytes[at &+ place]) << UInt64(truncatingIfNeeded: place &* 8) }
                room.append((word ^ wide).littleEndian, as: UInt64.self)
                at &+= 8
            }
            while at < bytes.count {
                room.append(bytes[at] ^ UInt8(truncatingIfNeeded: wide >> UInt64(truncatingIfNeeded: (at & 7) &* 8)), as: UInt8.self)
                at &+= 1
            }
        }
    }

    private static func turn(_ mask: UInt32, by count: Int) -> UInt32 {
        let bits = UInt32(count % 4 * 8)
        return bits == 0 ? mask : mask << bits | mask >> (32 - bits)
    }

    // MARK: Events

    private mutating func finishMessage() throws(Failure) -> Event {
        let whole = message
        let isText = kind == 1
        kind = 0
        message = ByteBuffer()
        guard isText else { return .binary(whole) }
        guard utf8.isComplete else { throw Failure(code: .invalidPayload, reason: "text ends within a character") }
        return .text(whole)
    }

    private func control(_ opcode: UInt8, _ payload: ByteBuffer) throws(Failure) -> Event {
        switch opcode {
        case 9: return .ping(payload)
        case 10: return .pong
        default: return .close(try Self.closeCode(payload))
        }
    }

    private static func closeCode(_ payload: ByteBuffer) throws(Failure) -> WebSocketCloseCode? {
        guard payload.readableBytes > 0 else { return nil }
        var reason = payload
        guard let number = reason.readInteger(as: UInt16.self), WebSocketCloseCode(rawValue: number).mayBeSent else {
            throw Failure(code: .protocolError, reason: "not a close code that may be sent")
        }
        var utf8 = UTF8Stream()
        guard utf8.accept(reason.readableBytesUInt8Span), utf8.isComplete else {
            throw Failure(code: .invalidPayload, reason: "a close reason is UTF-8")
        }
        return WebSocketCloseCode(rawValue: number)
    }
}
