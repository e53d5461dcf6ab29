package import NIOCore

/// Writes server-sent events.
///
/// - Source: WHATWG HTML, 9.2.6, "Interpreting an event stream".
package enum SSEWriter {
    package static let contentType = "text/event-stream"

    /// Appends one event.
    ///
    /// - Shape: `id` and `event` are single lines without NUL; `data` may have several lines, each becomes a `data:` line.
    package static func append(id: String? = nil, event: String? = nil, data: ByteBuffer, to out: inout ByteBuffer) {
        if let id { field("id: ", id, &out) }
        if let event { field("event: ", event, &out) }
        out.writeStaticString("data: ")
        let start = data.readerIndex
        var from = start
        var previous: UInt8 = 0
        for (offset, byte) in data.readableBytesView.enumerated() {
            let at = start + offset
            if byte == 0x0A, previous == 0x0D {
                from = at + 1
            } else if byte == 0x0A || byte == 0x0D {
                copy(data, from..<at, &out)
                out.writeStaticString("\ndata: ")
                from = at + 1
            }
            previous = byte
        }
        copy(data, from..<data.writerIndex, &out)
        out.writeStaticString("\n\n")
    }

    /// A comment that keeps the connection alive; clients ignore it.
    package static func appendHeartbeat(to out: inout ByteBuffer) { out.writeStaticString(":\n\n") }

    /// How long a client waits before it comes back.
    package static func appendRetry(milliseconds: Int, to out: inout ByteBuffer) { out.writeString("retry: \(milliseconds)\n\n") }

    private static func field(_ name: StaticString, _ value: String, _ out: inout ByteBuffer) {
        precondition(!value.utf8.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 }, "a field is one line")
        out.writeStaticString(name)
        out.writeString(value)
        out.writeStaticString("\n")
    }

    private static func copy(_ data: ByteBuffer, _ range: Range<Int>, _ out: inout ByteBuffer) {
        if let part = data.getSlice(at: range.lowerBound, length: range.count) { out.writeImmutableBuffer(part) }
    }
}
