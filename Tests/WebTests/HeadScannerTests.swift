import Testing

@testable import Web

@Suite("Head scanner")
struct HeadScannerTests {
    static let scanner = HeadScanner(paths: ["/v1/messages", "/MESSAGES"], bodyBytesMax: 1_000)

    static func head(_ line: String = "POST /v1/messages HTTP/1.1", _ fields: String...) -> String {
        ([line, "Host: a"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }

    static func scan(_ text: String) -> HeadScan { scanner.scan(Array(text.utf8).span) }

    @Test(
        "A plain POST stays in the lane",
        arguments: [
            head("POST /v1/messages HTTP/1.1", "Content-Length: 12"),
            head("POST /v1/messages HTTP/1.1", "content-length:12", "CONTENT-TYPE: Application/JSON"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: \t12 \t", "Content-Type: application/json ; charset=UTF-8"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 12", "Connection: Keep-Alive", "User-Agent: curl/7.88 (x)", "Accept: */*"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 12", "X-Empty:"),
        ])
    func plain(_ text: String) {
        var expected = PostHead()
        expected.headBytes = text.utf8.count
        expected.bodyBytes = 12
        #expect(Self.scan(text) == .post(expected))
    }

    @Test("The second path has the second index")
    func path() {
        guard case .post(let head) = Self.scan(Self.head("POST /MESSAGES HTTP/1.1", "Content-Length: 0")) else {
            Issue.record("not a post")
            return
        }
        #expect(head.path == 1 && head.bodyBytes == 0)
    }

    @Test(
        "Everything that is not plain leaves the lane",
        arguments: [
            head("PUT /v1/messages HTTP/1.1", "Content-Length: 1"),
            head("HEAD /v1/messages HTTP/1.1"),
            head("GET v1/messages HTTP/1.1"),
            head("GET /v1/messages HTTP/1.0"),
            head("GET /v1/messages HTTP/1.1", "If-None-Match: \"0-1-0\""),
            head("GET /v1/messages HTTP/1.1", "if-modified-since: x"),
            head("GET /v1/messages HTTP/1.1", "Meshlog-Min-Position: 0-1-0"),
            head("GET /v1/messages HTTP/1.1", "Range: bytes=0-1"),
            head("GET /v1/messages HTTP/1.1", "Connection: close"),
            head("GET /v1/messages HTTP/1.1", "Content-Length: 0"),
            head("GET /v1/messages HTTP/1.1", "Transfer-Encoding: chunked"),
            head("GET /v1/messages HTTP/1.1", "Host: b"),
            head("POST /v1/messages?a=b HTTP/1.1", "Content-Length: 1"),
            head("POST /v1/messages/ HTTP/1.1", "Content-Length: 1"),
            head("POST http://a/v1/messages HTTP/1.1", "Content-Length: 1"),
            head("POST  /v1/messages HTTP/1.1", "Content-Length: 1"),
            head("POST /v1/messages HTTP/1.0", "Content-Length: 1"),
            head("POST /v1/messages HTTP/1.1 ", "Content-Length: 1"),
            head("post /v1/messages HTTP/1.1", "Content-Length: 1"),
            "\r\n" + head("POST /v1/messages HTTP/1.1", "Content-Length: 1"),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            head("POST /v1/messages HTTP/1.1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Content-Length: 1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1, 1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: +1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: -1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 01"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 0x1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1 1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: "),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1001"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 99999999999999999999"),
            head("POST /v1/messages HTTP/1.1", "Content-Length : 1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Host: b"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "transfer-ENCODING: identity"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Expect: 100-continue"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Content-Encoding: gzip"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Idempotency-Key: a"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Prefer: wait=1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "ce-id: 1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "CE-SpecVersion: 1.0"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Meshlog-Min-Position: 0-1-0"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Connection: close"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Connection: keep-alive, upgrade"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Upgrade: websocket"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Content-Type: application/x-ndjson"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Content-Type: application/json; charset=latin1"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Content-Type: application/json;"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Content-Type: application/jsonp"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "Content-Type: application/json", "Content-Type: text/plain"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", " folded"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "X: a", "\tfolded"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "X: \u{0}"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "X: a\rb"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "X: ä"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", ": a"),
            head("POST /v1/messages HTTP/1.1", "Content-Length: 1", "no colon"),
            "POST /v1/messages HTTP/1.1\nHost: a\nContent-Length: 1\n\n",
            "POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\n\r\n",
            "POST /v1/messages HTTP/1.1\r\nContent-Length: 1\r\n\r\n",
            "POST /v1/messages HTTP/1.1\r\nHost: a b\r\nContent-Length: 1\r\n\r\n",
            "GET /v1/messages HTTP/1.1\r\nHost: a b\r\n\r\n",
            "GET /v1/feed HTTP/1.1\r\nHost: a b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        ])
    func outside(_ text: String) {
        #expect(Self.scan(text) == .outside)
    }

    @Test(
        "A Host is a name or an address, and a port where need be",
        arguments: [
            ("a", true), ("", true), ("a.b-c_d:80", true), ("127.0.0.1:8080", true), ("[::1]", true), ("[::1]:80", true), ("a:", true), ("a%20b", true),
            ("a b", false), ("a/b", false), ("a:b", false), ("a@b", false), ("::1", false), ("[::1", false), ("[::1]x", false), ("ä", false),
        ])
    func host(_ text: String, _ isHost: Bool) {
        let bytes = Array(text.utf8)
        let found = HostField.isValid(bytes.span, bytes.indices)
        #expect(found == isHost)
    }

    @Test("Every proper beginning of a head is incomplete, never another request")
    func prefixes() {
        let text = Self.head("POST /v1/messages HTTP/1.1", "Content-Length: 12", "Content-Type: application/json")
        for length in 0..<text.utf8.count { #expect(Self.scan(String(decoding: text.utf8.prefix(length), as: UTF8.self)) == .incomplete, "at \(length)") }
    }

    @Test("A head above the bound leaves the lane, whole or not")
    func large() {
        let filler = "X: " + String(repeating: "a", count: WebLimits.headBytesMax)
        #expect(Self.scan(Self.head("POST /v1/messages HTTP/1.1", "Content-Length: 1", filler)) == .outside)
        #expect(Self.scan("POST " + filler) == .outside)
        #expect(Self.scan("POST " + filler.dropLast(100)) == .incomplete)
    }

    @Test(
        "A traceparent counts when it is well-formed and there once",
        arguments: [
            (["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
            (["00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], false),
            (["00-00000000000000000000000000000000-b7ad6b7169203331-01"], false),
            (["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"], false),
            (["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], false),
            (["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], false),
        ])
    func traceparent(_ values: [String], _ isKept: Bool) {
        let fields = values.map { "traceparent: \($0)" }.joined(separator: "\r\n")
        guard case .post(let head) = Self.scan(Self.head("POST /v1/messages HTTP/1.1", "Content-Length: 1", fields)) else {
            Issue.record("left the lane")
            return
        }
        #expect((head.traceparent != nil) == isKept)
    }

    @Test(
        "A GET stays when nothing but its target decides the answer",
        arguments: [
            "/", "/v1/constraints/a", "/v1/constraints/a?at=0-1-0", "/v1/%20",
        ])
    func get(_ target: String) {
        let text = Self.head("GET \(target) HTTP/1.1", "Accept: */*", "Connection: keep-alive", "User-Agent: x")
        #expect(Self.scan(text) == .get(GetHead(target: 4..<(4 + target.utf8.count), headBytes: text.utf8.count)))
        for count in 0..<text.utf8.count { #expect(Self.scan(String(decoding: text.utf8.prefix(count), as: UTF8.self)) == .incomplete, "\(count) bytes") }
    }

    @Test("A GET stays for an upgrade without a body")
    func upgrade() {
        let text = Self.head("GET /v1/feed?since=1 HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade")
        #expect(Self.scan(text) == .upgrade(headBytes: text.utf8.count))
        #expect(Self.scan(Self.head("GET /v1/feed HTTP/1.1", "Upgrade: websocket", "Content-Length: 1")) == .outside)
        #expect(Self.scan(Self.head("GET /v1 feed HTTP/1.1", "Upgrade: websocket")) == .outside)
    }

    @Test("Random bytes never trap the scanner", arguments: [UInt64.random(in: 0 ... .max)])
    func fuzz(_ seed: UInt64) {
        var random = Seeded(seed)
        let parts = [
            "POST ", "/v1/messages", " HTTP/1.1", "\r\n", "\n", "Host: a", "Content-Length: ", "7", ":", " ", "GET /", "Upgrade: x", "\u{0}", "é",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<20, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
            _ = Self.scan(text)
        }
    }
}
