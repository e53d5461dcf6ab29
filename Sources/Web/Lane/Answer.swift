package import NIOCore

/// The constant part of an answer, formatted once: status line and constant fields.
package struct AnswerHead: Sendable {
    let bytes: ByteBuffer

    /// - Shape: `status` is 200…599 and neither 204 nor 304, since every answer carries a length; field names and values are sent as given.
    package init(status: Int, reason: StaticString, contentType: StaticString, fields: [(StaticString, String)] = []) {
        precondition((200..<600).contains(status) && status != 204 && status != 304, "an answer of the fast lane has a body: \(status)")
        var bytes = ByteBuffer()
        bytes.writeString("HTTP/1.1 \(status) \(reason)\r\nContent-Type: \(contentType)\r\n")
        for (name, value) in fields { bytes.writeString("\(name): \(value)\r\n") }
        self.bytes = bytes
    }

    /// Appends what the lane knows: the head and its own fields.
    func write(to out: inout ByteBuffer, date: ByteBuffer, closing: Bool) {
        out.writeImmutableBuffer(bytes)
        out.writeImmutableBuffer(date)
        if closing { out.writeStaticString("Connection: close\r\n") }
    }
}

/// One answer of the fast lane.
package struct Answer: Sendable {
    let head: AnswerHead
    /// All behind the lane's own fields: further fields, length and body.
    let rest: ByteBuffer

    /// - Shape: `fields` are whole header lines, each with its CRLF (may be a slice of a larger buffer); the lane adds `Date`.
    package init(_ head: AnswerHead, fields: ByteBuffer = ByteBuffer(), body: ByteBuffer) {
        self.head = head
        var rest = fields
        rest.writeString("Content-Length: \(body.readableBytes)\r\n\r\n")
        rest.writeImmutableBuffer(body)
        self.rest = rest
    }

    init(_ head: AnswerHead, rest: [UInt8]) {
        self.head = head
        self.rest = ByteBuffer(bytes: rest)
    }

    /// Appends the answer as it goes over the wire.
    func write(to out: inout ByteBuffer, date: ByteBuffer, closing: Bool) {
        head.write(to: &out, date: date, closing: closing)
        out.writeImmutableBuffer(rest)
    }
}
