import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Web

/// The whole server on a real socket.
@Suite("Server", .timeLimit(.minutes(5)))
struct ServerTests {
    /// Runs a server on a free port, stops it after `body`, and waits for its end.
    static func withServer(_ body: @Sendable (Int, ServiceGroup) async throws -> Void) async throws {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        router.get("/hello") { _, _ in "hello" }
        router.post("/v1/messages") { request, _ in
            "slow " + String(buffer: try await request.body.collect(upTo: 100))
        }
        router.get("/items/{id}") { _, _ -> String in throw ProblemDocument("gone", status: 410, title: "Gone") }
        router.post("/items/latest") { _, _ in "latest" }
        router.get("/items/deep/{part}") { _, _ in "deep" }
        router.get("/broken") { _, _ -> String in throw CancellationError() }
        router.add(middleware: UnknownRouteMiddleware(after: router))
        let (ports, ready) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let application = Application(
            router: router,
            server: HTTPServerBuilder { MeshlogChannel(responder: $0, posts: RecordingLane(), webSockets: EchoRoutes()) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { ready.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            do {
                try await body(port, group)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Sends `pieces` on one connection and reads until the text so far satisfies `isEnough` or the server closes.
    static func exchange(_ port: Int, _ pieces: [String], until isEnough: @Sendable (String) -> Bool) async throws -> String {
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
        }
        return try await client.executeThenClose { inbound, outbound in
            for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
            var out = ""
            for try await bytes in inbound {
                out += String(buffer: bytes)
                if isEnough(out) { break }
            }
            return out
        }
    }

    /// Sends each piece once the text so far has what the one before waited for; all the text.
    static func converse(_ port: Int, _ steps: [(send: String, until: String)]) async throws -> String {
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) {
            channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
        }
        return try await client.executeThenClose { inbound, outbound in
            var out = ""
            var answers = inbound.makeAsyncIterator()
            for (send, until) in steps {
                try await outbound.write(ByteBuffer(string: send))
                while !out.contains(until), let bytes = try await answers.next() { out += String(buffer: bytes) }
            }
            return out
        }
    }

    static func get(_ path: String, method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    }

    @Test("One connection posts in the fast lane, leaves it and goes on with Hummingbird, in order")
    func both() async throws {
        try await Self.withServer { port, _ in
            let chunked = "POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
            let requests = FastLaneRig.post("one") + chunked + "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" + FastLaneRig.post("four")
            let out = try await Self.exchange(port, [requests]) { $0.contains("slow four") }
            let order = ["one", "slow two", "hello", "slow four"].map { out.firstRange(of: "\r\n\r\n" + $0)?.lowerBound }
            #expect(order.allSatisfy { $0 != nil })
            #expect(order.compactMap { $0 } == order.compactMap { $0 }.sorted())
        }
    }

    @Test(
        "Unknown paths, wrong methods, thrown problems and unexpected errors become problem documents",
        arguments: [
            ("/nothing", "GET", "404 Not Found", "urn:meshlog:problem:not-found"),
            ("/hello", "DELETE", "405 Method Not Allowed", "urn:meshlog:problem:method-not-allowed"),
            ("/items/7", "PUT", "405 Method Not Allowed", #""allow":["GET","HEAD"]"#),
            ("/items/7", "OPTIONS", "405 Method Not Allowed", "Allow: GET, HEAD\r\n"),
            ("/items/latest", "GET", "405 Method Not Allowed", #""allow":["POST"]"#),
            ("/items/7", "GET", "410 Gone", "urn:meshlog:problem:gone"),
            ("/items/deep/", "GET", "404 Not Found", "urn:meshlog:problem:not-found"),
            ("/items/deep/", "PUT", "405 Method Not Allowed", "Allow: GET, HEAD\r\n"),
            ("/broken", "GET", "500 Internal Server Error", "urn:meshlog:problem:internal"),
        ])
    func problems(_ path: String, _ method: String, _ status: String, _ text: String) async throws {
        try await Self.withServer { port, _ in
            let out = try await Self.exchange(port, [Self.get(path, method: method)]) { _ in false }
            #expect(out.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(out)")
            #expect(out.contains("application/problem+json") && out.contains(text), "\(out)")
            #expect(!out.contains("Cancellation"))
        }
    }

    @Test(
        "What is no HTTP is answered with a problem document, and the connection is closed",
        arguments: [
            ("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "Content-Length"),
            ("CONJURE /hello HTTP/1.1\r\nHost: a\r\n\r\n", "the method"), ("GET /hello HTTP/9.9\r\nHost: a\r\n\r\n", "version"),
            ("GET /hello HTTP/1.1\r\nHost: a\r\na b: c\r\n\r\n", "header"), ("\u{1}\u{2}\r\n\r\n", "the method"),
            ("GET /hello HTTP/1.1\r\n\r\n", "no Host"), ("GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "Host stands twice"),
            ("GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", "Host is none"),
            ("POST /v1/messages HTTP/1.1\r\nHost: a/b\r\nContent-Length: 1\r\n\r\nx", "Host is none"),
        ])
    func malformed(_ request: String, _ text: String) async throws {
        try await Self.withServer { port, _ in
            let out = try await Self.exchange(port, [request]) { _ in false }
            #expect(out.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(out)")
            #expect(out.contains("Content-Type: application/problem+json") && out.contains("urn:meshlog:problem:request-unreadable"), "\(out)")
            #expect(out.contains("Connection: close") && out.contains(text), "\(out)")
        }
    }

    @Test(
        "A body in another transfer coding than chunked is refused in its turn, and the connection is closed",
        arguments: ["gzip, chunked", "gzip\r\nTransfer-Encoding: chunked"])
    func codings(_ coding: String) async throws {
        try await Self.withServer { port, _ in
            let head = "POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(coding)\r\n\r\n"
            let requests = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" + head + "3\r\nabc\r\n0\r\n\r\n"
            let out = try await Self.exchange(port, [requests]) { _ in false }
            #expect(out.hasPrefix("HTTP/1.1 200 OK\r\n") && out.contains("helloHTTP/1.1 501 Not Implemented\r\n"), "\(out)")
            #expect(out.contains("urn:meshlog:problem:transfer-coding-unknown") && out.contains("Connection: close"), "\(out)")
            #expect(!out.contains("slow"), "\(out)")
        }
    }

    @Test("An answer to HEAD ends with its head, also when it tells of an error")
    func headOnly() async throws {
        try await Self.withServer { port, _ in
            let out = try await Self.exchange(port, ["HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get("/hello")]) { _ in false }
            #expect(out.hasPrefix("HTTP/1.1 404 Not Found\r\n") && out.contains("\r\n\r\nHTTP/1.1 200 OK\r\n") && out.hasSuffix("\r\n\r\nhello"), "\(out)")
        }
    }

    @Test(
        "Who waits for it is told to send the body, and not before the answers that come first",
        arguments: [
            "", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
        ])
    func continues(_ before: String) async throws {
        try await Self.withServer { port, _ in
            let head = "POST /v1/messages HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"
            let out = try await Self.converse(
                port, [(before + head, "HTTP/1.1 100 Continue\r\n\r\n"), ("two", "slow two"), (Self.get("/nothing"), "not-found")])
            let marks =
                (before.isEmpty ? [] : [before.hasPrefix("GET") ? "hello" : "slow one"]) + [
                    "HTTP/1.1 100 Continue\r\n\r\n", "slow two", "not-found",
                ]
            var rest = out[...]
            for mark in marks {
                let found = try #require(rest.firstRange(of: mark), "\(mark) in \(out)")
                rest = rest[found.upperBound...]
            }
        }
    }

    @Test(
        "A connection ends behind the answer to the last request, whatever says that it is the last",
        arguments: [
            "HTTP/1.1\r\nHost: a\r\nConnection: close", "HTTP/1.1\r\nHost: a\r\nConnection: Close",
            "HTTP/1.1\r\nHost: a\r\nConnection: close, TE",
            "HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nConnection: CLOSE", "HTTP/1.0", "HTTP/1.0\r\nHost: a\r\nConnection: keep-alive",
        ])
    func last(_ rest: String) async throws {
        try await Self.withServer { port, _ in
            let start = ContinuousClock.now
            let out = try await Self.exchange(port, ["GET /hello \(rest)\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"]) { _ in false }
            #expect(
                out.hasPrefix("\(rest.prefix(8)) 200 OK\r\n") && out.hasSuffix("\r\n\r\nhello")
                    && out.contains("\r\nConnection: close\r\n"), "\(out)")
            #expect(out.matches(of: /hello/).count == 1, "what stands behind the last request is not answered")
            #expect(ContinuousClock.now - start < .nanoseconds(WebLimits.idleTimeout.nanoseconds / 2))
        }
    }

    @Test("A shutdown ends idle connections, and WebSockets with 1001")
    func shutdown() async throws {
        try await Self.withServer { port, group in
            let (connected, signal) = AsyncStream.makeStream(of: Void.self)
            async let idle = Self.exchange(port, [FastLaneRig.post("one")]) { text in
                if text.hasSuffix("one") { signal.yield() }
                return false
            }
            async let socket = Self.exchange(port, [WebSocketTests.handshake]) { text in
                if text.hasSuffix("\r\n\r\n") { signal.yield() }
                return text.contains("the server stops")
            }
            var iterator = connected.makeAsyncIterator()
            await iterator.next()
            await iterator.next()
            await group.triggerGracefulShutdown()
            let (idleText, socketText) = try await (idle, socket)
            #expect(idleText.hasSuffix("\r\n\r\none"))
            #expect(socketText.contains("the server stops"))
        }
    }
}
