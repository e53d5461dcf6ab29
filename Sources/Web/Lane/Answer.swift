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
}

/// One answer of the fast lane.
package struct Answer: Sendable {
    let head: AnswerHead
    let fields: ByteBuffer
    let body: ByteBuffer

    /// - Shape: `fields` are whole header lines, each with its CRLF (may be a slice of a larger buffer); the lane adds `Date` and `Content-Length`.
    package init(_ head: AnswerHead, fields: ByteBuffer = ByteBuffer(), body: ByteBuffer) {
        self.head = head
        self.fields = fields
        self.body = body
    }

    /// Appends the answer as it goes over the wire.
    func write(to out: inout ByteBuffer, date: ByteBuffer, closing: Bool) {
        out.writeImmutableBuffer(head.bytes)
        out.writeImmutableBuffer(fields)
        out.writeImmutableBuffer(date)
        if closing { out.writeStaticString("Connection: close\r\n") }
        out.writeStaticString("Content-Length: ")
        out.writeString(String(body.readableBytes))
        out.writeStaticString("\r\n\r\n")
        out.writeImmutableBuffer(body)
    }
}
