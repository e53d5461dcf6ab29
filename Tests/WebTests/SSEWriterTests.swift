import NIOCore
import Testing

@testable import Web

@Suite("Server-sent events")
struct SSEWriterTests {
    @Test(
        "Every line of the data becomes a data line, whatever ends it",
        arguments: [
            ("a", "data: a\n\n"), ("", "data: \n\n"), ("a\nb", "data: a\ndata: b\n\n"), ("a\r\nb", "data: a\ndata: b\n\n"),
            ("a\rb\n", "data: a\ndata: b\ndata: \n\n"), ("\n\n", "data: \ndata: \ndata: \n\n"),
        ])
    func lines(_ data: String, _ expected: String) {
        var out = ByteBuffer()
        SSEWriter.append(data: ByteBuffer(string: data), to: &out)
        #expect(String(buffer: out) == expected)
    }

    @Test("Id and event come before the data, and a heartbeat is a comment")
    func fields() {
        var out = ByteBuffer()
        SSEWriter.append(id: "0-1-0", event: "message", data: ByteBuffer(string: "{}"), to: &out)
        SSEWriter.appendHeartbeat(to: &out)
        SSEWriter.appendRetry(milliseconds: 500, to: &out)
        #expect(String(buffer: out) == "id: 0-1-0\nevent: message\ndata: {}\n\n:\n\nretry: 500\n\n")
    }
}
