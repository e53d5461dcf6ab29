internal import Foundation
internal import Logging
internal import NATSDriver
internal import Replay
internal import Stack
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite("Backbone")
struct BackboneTests {
    @Test("Each topic finds its way into the stream, and another process that repeats the batch adds nothing")
    func once() async throws {
        try await withBackboneServer { server in
            let batch = (1...400).map { outgoing($0, subject: "root\($0 % 300).a.b") } + [outgoing(401, subject: "alone")]
            let first = await Backbone(BackboneSettings(url: server.url)).publish(batch)
            #expect(first == (1...401).map { .stored(stream: "MESHLOG", sequence: UInt64($0), duplicate: false) })
            let other = Backbone(BackboneSettings(url: server.url))
            let second = await other.publish(batch)
            #expect(second == (1...401).map { .stored(stream: "MESHLOG", sequence: UInt64($0), duplicate: true) })
            #expect(try await other.recoverStored(100) == Set(batch.suffix(100).map(\.id)))
            let stored = try await onJetStream(server.url) { try $0.message("MESHLOG", sequence: 401) }
            #expect(stored.payload == batch[400].payload)
            #expect(stored.header("Meshlog-Position") == "0-401-0")
            #expect(stored.header("Meshlog-Message-Uuid") == "uuid-401")
            #expect(stored.header("Content-Type") == "application/json")
            #expect(try await onJetStream(server.url) { try $0.streamState("MESHLOG").messages } == 401)
        }
    }

    @Test("A stream of the user's that covers a topic stores it, and its root's other topics go to core NATS")
    func userStream() async throws {
        try await withBackboneServer { server in
            _ = try await onJetStream(server.url) { try $0.createStream(StreamConfiguration(name: "MINE", subjects: ["orders.eu.>"])) }
            let listener = try await onJetStream(server.url) { try NATSSubscription($0.connection, "orders.us") }
            let backbone = Backbone(BackboneSettings(url: server.url))
            let batch = [outgoing(1, subject: "orders.eu.1"), outgoing(2, subject: "orders.us"), outgoing(3, subject: "other")]
            let expected: [BackboneReceipt] = [
                .stored(stream: "MINE", sequence: 1, duplicate: false), .core, .stored(stream: "MESHLOG", sequence: 1, duplicate: false),
            ]
            #expect(await backbone.publish(batch) == expected)
            let heard = try await onJetStream(server.url) { _ in try listener.next(timeout: .seconds(5)) }
            #expect(heard?.payload == batch[1].payload)
            // Its tail counts as well, for a process that knows nothing.
            let again = await Backbone(BackboneSettings(url: server.url)).publish([batch[0]])
            #expect(again == [.stored(stream: "MINE", sequence: 1, duplicate: true)])
        }
    }

    @Test("A server without JetStream gets everything as core NATS")
    func withoutJetStream() async throws {
        let port = SharedStack.freePort()
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        server.arguments = ["nats-server", "-a", "127.0.0.1", "-p", "\(port)", "-l", "/dev/null"]
        server.environment = ProcessInfo.processInfo.environment.merging(["PATH": "/usr/sbin:/usr/local/bin:/usr/bin:/bin"]) { $1 }
        try server.run()
        defer {
            server.terminate()
            server.waitUntilExit()
        }
        let backbone = Backbone(BackboneSettings(url: "nats://127.0.0.1:\(port)"))
        #expect(
            await eventually(within: .seconds(30)) {
                try await backbone.connect(); return true
            })
        #expect(await backbone.publish([outgoing(1, subject: "a.b"), outgoing(2, subject: "c")]) == [.core, .core])
        #expect(try await backbone.recoverStored(10).isEmpty)
    }

    @Test("What NATS cannot take is refused for good with its reason, and the rest of the batch is stored")
    func refusals() async throws {
        try await withBackboneServer { server in
            let subjects = [
                "$SYS.x", "$JS.API.INFO", "_INBOX.a.b", "a..b", ".a", "a.", "a b", "a.*", "a.>", "", "a\tb",
                String(repeating: "x", count: 3_000),
            ]
            let batch =
                subjects.enumerated().map { outgoing($0.offset, subject: $0.element) } + [
                    outgoing(100, subject: "big", payload: [UInt8](repeating: 0, count: 2 << 20)), outgoing(101, subject: "fine.*x.\u{e9}"),
                ]
            let receipts = await Backbone(BackboneSettings(url: server.url)).publish(batch)
            for (message, receipt) in zip(batch, receipts).dropLast() {
                guard case .failed(let reason, false) = receipt else {
                    Issue.record("\(message.subject.prefix(20)): \(receipt)")
                    continue
                }
                #expect(!reason.isEmpty)
            }
            guard case .failed(let reason, _) = receipts[subjects.count] else { return }
            #expect(reason.contains("1048576"))
            #expect(receipts.last == .stored(stream: "MESHLOG", sequence: 1, duplicate: false))
        }
    }

    @Test("An account that is full holds its messages back, and stores them once there is room")
    func full() async throws {
        let accounts = """
            accounts {
              SMALL { users: [{ user: meshlog, password: secret }], jetstream: { max_file: 400KB, max_memory: 1MB } }
              SYS { users: [{ user: sys, password: sys }] }
            }
            system_account: SYS
            """
        try await withBackboneServer(local: accounts) { server in
            var settings = BackboneSettings(url: server.url)
            settings.credentials = .user("meshlog", password: "secret")
            let backbone = Backbone(settings)
            let batch = (1...10).map { outgoing($0, subject: "big.\($0)", payload: [UInt8](repeating: 0x31, count: 60_000)) }
            let first = await backbone.publish(batch)
            #expect(first[0] == .stored(stream: "MESHLOG", sequence: 1, duplicate: false))
            guard case .failed(let reason, true) = first[9] else { throw Unexpected(receipts: first) }
            #expect(reason.contains("resource limits exceeded"))
            #expect(first.allSatisfy { if case .failed(_, false) = $0 { false } else { true } })
            // More than all of it does not fit: what was stored makes room for the rest.
            try await onJetStream(server.url, settings.credentials) { _ = try $0.call("STREAM.PURGE.MESHLOG") }
            let second = await backbone.publish(batch)
            #expect(second.allSatisfy { if case .stored = $0 { true } else { false } }, "\(second)")
        }
    }

    @Test("Topics that the server does not let Meshlog publish to fail alone and for good, on JetStream and on core NATS")
    func notPermitted() async throws {
        let long = "secret." + String(repeating: "x", count: 300)
        let users = """
            authorization { users: [{
              user: meshlog, password: secret
              permissions: { publish: { deny: ["secret.>", "own.secret.>", "own.odd\\"\\\\\u{e9}"] } }
            }] }
            """
        try await withBackboneServer(local: users) { server in
            var settings = BackboneSettings(url: server.url)
            settings.credentials = .user("meshlog", password: "secret")
            settings.timeout = .seconds(60)
            // A part of "own" is a stream of the user's, so the rest of it goes to core NATS.
            try await onJetStream(server.url, settings.credentials) {
                _ = try $0.createStream(StreamConfiguration(name: "MINE", subjects: ["own.stored.>"]))
            }
            let subjects = [
                "fine.1", "secret.a", "own.core", "own.secret.a", "secret.b", "own.secret.b", long, "own.odd\"\\\u{e9}", "secret.a",
                "own.stored.1", "fine.2",
            ]
            let batch = subjects.enumerated().map { outgoing($0.offset, subject: $0.element) }
            let backbone = Backbone(settings)
            let start = ContinuousClock.now
            let receipts = await backbone.publish(batch)
            #expect(ContinuousClock.now - start < settings.timeout, "nobody waits for an acknowledgement that will not come")
            func refused(_ subject: String) -> BackboneReceipt {
                .failed(reason: "NATS refused: to publish to \(subject) is not permitted", retryable: false)
            }
            func stored(_ sequence: UInt64) -> BackboneReceipt { .stored(stream: "MESHLOG", sequence: sequence, duplicate: false) }
            #expect(
                receipts == [
                    stored(1), refused("secret.a"), .core, refused("own.secret.a"), refused("secret.b"), refused("own.secret.b"),
                    refused(long),
                    refused(subjects[7]), refused("secret.a"), .stored(stream: "MINE", sequence: 1, duplicate: false), stored(2),
                ])
            #expect(await backbone.publish([outgoing(20, subject: "fine.3"), outgoing(21, subject: "own.core")]) == [stored(3), .core])
        }
    }

    @Test("A stream that was deleted under way is made again, and nothing is lost")
    func deleted() async throws {
        try await withBackboneServer { server in
            let backbone = Backbone(BackboneSettings(url: server.url))
            _ = await backbone.publish([outgoing(1, subject: "a.b")])
            try await onJetStream(server.url) { try $0.deleteStream("MESHLOG") }
            #expect(await backbone.publish([outgoing(2, subject: "a.b")]).allSatisfy(\.isRetryable))
            #expect(await backbone.publish([outgoing(2, subject: "a.b")]) == [.stored(stream: "MESHLOG", sequence: 1, duplicate: false)])
        }
    }

    @Test("No server is a retryable failure, and the same object delivers once there is one")
    func later() async throws {
        try await withBackboneServer { server in
            let backbone = Backbone(BackboneSettings(url: server.url))
            await server.stop()
            #expect(await backbone.publish([outgoing(1, subject: "a")]).allSatisfy(\.isRetryable))
            #expect(await backbone.connectedURL == nil)
            try await server.start()
            #expect(await backbone.publish([outgoing(1, subject: "a")]) == [.stored(stream: "MESHLOG", sequence: 1, duplicate: false)])
        }
    }

    @Test("Killed servers and killed publishers: every message is stored once and in order, without the server's duplicate window")
    func killed() async throws {
        try await withBackboneServer { server in
            var settings = BackboneSettings(url: server.url)
            // As good as none: what is recognised here is recognised by the stream's tail.
            settings.duplicateWindow = .milliseconds(100)
            let total = 20_000
            let isDone = Flag()
            let fixed = settings
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [server] in
                    for _ in 0..<5 {
                        try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
                        if isDone.isSet { break }
                        await server.kill9()
                        try await server.start()
                    }
                }
                group.addTask {
                    var backbone = Backbone(fixed)
                    var next = 1
                    while next <= total {
                        let count = Int.random(in: 100...500)
                        let batch = (next..<min(total + 1, next + count)).map { outgoing($0, subject: "t\($0 % 5).x") }
                        // A publisher that crashed after sending, before anyone knew.
                        if Int.random(in: 0..<8) == 0 {
                            _ = await backbone.publish(batch)
                            backbone = Backbone(fixed)
                            continue
                        }
                        if await backbone.publish(batch).contains(where: \.isRetryable) {
                            try await Task.sleep(for: .milliseconds(20))
                            continue
                        }
                        next += batch.count
                    }
                    isDone.set()
                }
                try await group.waitForAll()
            }
            let ids = try await onJetStream(server.url) { jetStream in
                let state = try jetStream.streamState("MESHLOG")
                #expect(state.messages == UInt64(total))
                return try jetStream.tail("MESHLOG", count: 4_096, headers: ["Nats-Msg-Id"]).compactMap { $0.header("Nats-Msg-Id") }
            }
            #expect(ids == ((total - 4_095)...total).map { "log/0-\($0)-0" })
        }
    }
}

private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

private func outgoing(_ number: Int, subject: String, payload: [UInt8]? = nil) -> OutgoingMessage {
    OutgoingMessage(
        id: "log/0-\(number)-0", position: "0-\(number)-0", uuid: "uuid-\(number)", subject: subject,
        payload: payload ?? Array("{\"n\":\(number)}".utf8), contentType: "application/json", traceparent: "00-ab-cd-01")
}

private struct Unexpected: Error {
    let receipts: [BackboneReceipt]
}

/// - Parameter local: what its configuration has beside Meshlog's own.
private func withBackboneServer(local: String = "", _ body: (EmbeddedServer) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        var configuration = EmbeddedStack.Configuration(dataFolder: folder)
        configuration.servers = [.nats]
        configuration.ports = [:]
        configuration.natsPayloadBytesMax = 1 << 20
        var logger = Logger(label: "nats")
        logger.logLevel = .warning
        try FileManager.default.createDirectory(atPath: folder + "/nats", withIntermediateDirectories: true)
        try local.write(toFile: folder + "/nats/local.conf", atomically: true, encoding: .utf8)
        let stack = try await EmbeddedStack.start(configuration, logger: logger)
        do {
            try await body(stack.nats)
            await stack.stop()
        } catch {
            await stack.stop()
            throw error
        }
    }
}

/// Runs blocking calls on a thread of their own, with a connection of their own.
private func onJetStream<Value: Sendable>(
    _ url: String, _ credentials: NATSCredentials = .anonymous, _ body: @escaping @Sendable (JetStream) throws -> Value
) async throws -> Value {
    try await onThread { try body(JetStream(NATSConnection(NATSOptions(url: url, credentials: credentials)))) }
}
