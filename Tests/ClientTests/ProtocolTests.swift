import Client
import Testing

@Suite struct ProtocolTests {
    @Test("Events are the same however the bytes are cut, with any line ending")
    func events() {
        let text =
            "\u{FEFF}: hello\nretry: 250\n\nid: 0-1-0\ndata: a\ndata: b\n\nevent: gap\ndata\n\nid: 0-2-0\r\ndata:c\r\n\r\ndata: d\r\r:\n\nid: 9\ndata: unfinished\n"
        let expected = [
            ServerEvent(id: "0-1-0", name: "message", data: Array("a\nb".utf8)), ServerEvent(id: "0-1-0", name: "gap", data: []),
            ServerEvent(id: "0-2-0", name: "message", data: Array("c".utf8)), ServerEvent(id: "0-2-0", name: "message", data: Array("d".utf8)),
        ]
        for size in 1...12 {
            var parser = EventStreamParser()
            var events: [ServerEvent] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                events += parser.take(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(events == expected)
            #expect(parser.retryMilliseconds == 250)
        }
    }

    @Test("A new connection forgets what was begun")
    func restart() {
        var parser = EventStreamParser()
        _ = parser.take(Array("id: 1\ndata: a\n\ndata: half".utf8))
        parser.restart()
        #expect(parser.take(Array("data: b\n\n".utf8)) == [ServerEvent(id: "1", name: "message", data: Array("b".utf8))])
    }

    @Test("Answers are taken out of any cut, with lengths and with chunks")
    func answers() throws {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\nX: y\r\n\r\nokHTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\nConnection: Close\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
        for size in 1...40 {
            var scanner = AnswerScanner()
            var seen: [String] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                scanner.take(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let answer = try scanner.next() { seen.append("\(answer.status) \(String(decoding: answer.body, as: UTF8.self))") }
            }
            #expect(seen == ["201 ok", "503 abcd"])
        }
        var scanner = AnswerScanner()
        scanner.take(Array("SSH-2.0-OpenSSH\r\n\r\n".utf8))
        #expect(throws: AnswerScanner.MalformedAnswer.self) { try scanner.next() }
    }

    @Test("A client's frame is masked; a server's is read in every length form", arguments: [0, 5, 125, 126, 65_535, 65_536])
    func frames(size: Int) {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        let masked = FrameScanner.masked(opcode: 1, payload, mask: mask)
        let head = masked.count - size
        #expect(masked[head...].enumerated().map { $0.element ^ mask[$0.offset & 3] } == payload)
        // The same frame without the mask is what a server sends.
        var server = masked
        server[1] &= 0x7F
        server.replaceSubrange((head - 4)..., with: payload)
        var scanner = FrameScanner()
        scanner.take(server.dropLast())
        if size > 0 { #expect(scanner.next() == nil) }
        scanner.take(server.suffix(1))
        let frame = scanner.next()
        #expect(frame?.opcode == 1)
        #expect(frame.map { Array($0.payload) } == payload)
    }

    @Test("A message of a load has exactly the size asked for")
    func loadMessage() throws {
        let message = try #require(LoadMessage.make(topic: "a.b", size: 220))
        #expect(message.count == 220)
        #expect(JSONSlice(message)?["topic"]?.string == "a.b")
        #expect(LoadMessage.make(topic: "a.b", size: 40) == nil)
    }

    @Test("A JSON value is looked into without being rebuilt")
    func slices() throws {
        let json = try #require(JSONSlice(Array(" {\"a\" : [1, {\"b\":\"\\u0041\"}, null], \"n\": -5, \"t\":true, \"e\":{}, \"l\":[]} ".utf8)))
        #expect(json["a"]?.elements.map(\.text) == ["1", "{\"b\":\"\\u0041\"}", "null"])
        #expect(json["a"]?.elements[1]["b"]?.string == "A")
        #expect(json["n"]?.int == -5)
        #expect(json["t"]?.bool == true)
        #expect(json["e"]?.members.count == 0)
        #expect(json["l"]?.elements.count == 0)
        #expect(json["missing"] == nil)
        #expect(JSONSlice(Array("{".utf8)) == nil)
    }

    @Test("A value on one line is the same value, whatever stood between its tokens")
    func oneLine() {
        let text = "{\"a\":\r\n[1,\n\t\"x\\ny\\r\"]\r}"
        #expect(String(decoding: JSONLine.folded(text.utf8), as: UTF8.self) == "{\"a\":  [1, \t\"x\\ny\\r\"] }")
    }

    @Test(
        "A status decides the exit code",
        arguments: [
            (200, 0), (400, 2), (403, 2), (404, 2), (405, 2), (409, 2), (410, 2), (412, 2), (413, 2), (415, 2), (422, 2), (408, 69), (429, 69), (301, 1),
            (500, 1), (503, 69),
        ])
    func exits(status: Int, code: Int32) { #expect(CommandExit(status: status).rawValue == code) }

    @Test("A failure says the problem's title and detail")
    func failure() {
        let failure = CommandFailure(status: 422, body: Array("{\"title\":\"T\",\"detail\":\"d\"}".utf8), asked: "GET /")
        #expect(failure == CommandFailure(.refused, "T: d"))
        #expect(CommandFailure(status: 302, body: [], asked: "GET /") == CommandFailure(.failed, "GET / was answered with status 302"))
    }
}
