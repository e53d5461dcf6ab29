internal import Control
internal import Core
internal import Foundation
internal import Hummingbird
internal import HummingbirdCore
internal import Ingress
internal import Interventions
internal import Log
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PostgreSQLDriver
internal import Projections
internal import RedisDriver
internal import Replay
internal import ServiceLifecycle
internal import Stack
internal import TestSupport
internal import Testing
internal import Web
internal import WhatIf

@testable internal import Views

/// The views on a log and an archive of their own, behind a real socket.
final class ViewsRig: Sendable {
    let keys: LogKeys
    let endpoint: RedisEndpoint
    let databaseURL: String
    let hub: FeedHub
    let port: Int

    private init(keys: LogKeys, endpoint: RedisEndpoint, databaseURL: String, hub: FeedHub, port: Int) {
        self.keys = keys
        self.endpoint = endpoint
        self.databaseURL = databaseURL
        self.hub = hub
        self.port = port
    }

    /// - Parameters:
    ///   - projections: those that are materialized.
    ///   - redis: a server of the test's own, which it may stop; it runs when the body ends.
    static func run(
        stallMax: Duration = ViewLimits.feedStallMax, projections: [String] = [], redis: EmbeddedServer? = nil,
        _ body: @escaping @Sendable (ViewsRig) async throws -> Void
    ) async throws {
        let template = try await SharedStack.template("views") { url in
            try await onThread {
                _ = try Migrator(folder: Repository.root + "/migrations").apply(on: PostgreSQLSession(conninfo: url, applicationName: "tests"))
            }
        }
        let server: EmbeddedServer
        if let redis { server = redis } else { server = try await SharedStack.shared.redis }
        let endpoint = RedisEndpoint(host: "127.0.0.1", port: server.port)
        try await SharedStack.withDatabase(template: template) { url in
            try await serve(LogKeys(prefix: SharedStack.unique("views")), endpoint, url, stallMax, projections, body)
        }
    }

    private static func serve(
        _ keys: LogKeys, _ endpoint: RedisEndpoint, _ url: String, _ stallMax: Duration, _ projections: [String],
        _ body: @escaping @Sendable (ViewsRig) async throws -> Void
    ) async throws {
        let catalog = try StreamCatalog.load(Repository.root + "/streams")
        try LogSetup(catalog: catalog, keys: keys).apply(RedisSession(endpoint, name: "tests"))
        let metrics = Metrics()
        let stores = Stores(
            redis: .init(name: "redis-reads", width: 2) { try RedisSession(endpoint, name: "tests-reads") },
            postgresql: .init(name: "archive-reads", width: 2) { try PostgreSQLSession(conninfo: url, applicationName: "tests-reads") })
        let hub = FeedHub(endpoint: endpoint, keys: keys, stores: stores, live: LiveConfig(), metrics: metrics, stallMax: stallMax)
        let live = LiveConfig()
        let control = ControlFollower(endpoint: endpoint, keys: keys, live: live)
        let writer = ControlWriter(redis: stores.redis, keys: keys, follower: control, machine: ControlMachine(rules: try DocumentForms(catalog).rules))
        let place = ProjectionPlace(keys: keys, endpoint: endpoint, instance: "tests", poll: .milliseconds(50), metrics: metrics) {
            (name: String) throws(PostgreSQLError) in try PostgreSQLSession(conninfo: url, applicationName: name)
        }
        let pulse = Pulse(
            servers: [.redis(endpoint), .postgresql(place.connect), Probe(name: "nats") { throw LogError.unavailable("there is none") }],
            gauges: [
                LogGauges.groups(stores, keys: keys, metrics: metrics), LogGauges.archive(stores, metrics: metrics),
                LogGauges.sessions(stores, keys: keys, metrics: metrics),
            ])
        let folds = BlockingPool<ProjectionPlace>(name: "folds", width: 1) { place }
        let appender = Appender(
            endpoint: endpoint, setup: LogSetup(catalog: catalog, keys: keys), codec: EntryCodec(keys: keys, dedupeWindowMs: 1_000), metrics: metrics)
        let notifications = NotificationWriter(appender: appender, metrics: metrics)
        let admission = Admission(ids: IDSource(), doorSubjects: [], live: live, metrics: metrics) { notifications.append(NotificationEntry($0)) }
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        ViewRoutes(
            .init(
                stores: stores, keys: keys, catalog: catalog, metrics: metrics, hub: hub, pulse: pulse, control: control, writer: writer,
                configDefaults: [.messageBytesMax: Array("1048576".utf8)], projections: .standard, place: place, folds: folds,
                policy: try PolicyTools(defaultTarget: "default"),
                sessions: SessionDesk(redis: stores.redis, postgresql: stores.postgresql, keys: keys) {
                    (message: MessageEntry, uuid: MessageUUID) throws(Refusal) in
                    try admission.check(edited: message, uuid: uuid)
                },
                webhookKey: WebhookKey(Array(repeating: 7, count: 32)))
        ).add(to: router)
        router.add(middleware: UnknownRouteMiddleware(after: router))
        let sockets = CombinedSockets([FeedSockets(hub: hub)])
        let (ports, ready) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        let application = Application(
            router: router,
            server: HTTPServerBuilder { MeshlogChannel(responder: $0, posts: NoPosts(), reads: DocumentLane(follower: control), webSockets: sockets) },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)), onServerRunning: { ready.yield($0.localAddress?.port ?? 0) }, logger: logger)
        func part(_ body: @escaping @Sendable () async -> Void) -> Part { Part(body: body) }
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    part { await stores.redis.serve() }, part { await stores.postgresql.serve() }, part { await hub.run() }, part { await pulse.run() },
                    part { await control.run() }, part { await folds.serve() }, part { await appender.run() }, application,
                ]
                    + ProjectionCatalog.standard.runtimes.filter { projections.contains($0.definition.name) }.map { runtime in
                        part { await runtime.materialize(place) }
                    },
                logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let rig = ViewsRig(keys: keys, endpoint: endpoint, databaseURL: url, hub: hub, port: port)
            // As a process says that it is up: before that a follower is told to come again.
            #expect(await eventually { hub.hasBegun })
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(rig))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
        let session = try RedisSession(endpoint, name: "tests")
        for name in StreamName.allCases { try session.run("DEL", [keys.stream(name)]) }
        try session.run("DEL", [keys.controlVersions, keys.openSessions, keys.dueSessions])
    }

    private struct Part: Service {
        let body: @Sendable () async -> Void
        func run() async { await body() }
    }

    private struct NoPosts: PostLane {
        let paths: [String] = []
        func takes(_ request: PostRequest) -> Bool { false }
        func post(_ request: PostRequest, answer: PostAnswer) { preconditionFailure("no path is served") }
    }

    // MARK: What stands in the stores

    /// Position of the `number`th message.
    static func position(_ number: Int) -> Position { Position(ms: 1_700_000_000_000 + UInt64(number) * 1000, seq: 0) }
    static func uuid(_ number: Int) -> MessageUUID { MessageUUID(high: 0xAAAA_BBBB_CCCC_4DDD, low: 0x8000_0000_0000_0000 | UInt64(number)) }

    static func decided(_ number: Int, payload: Int = 0) -> DecidedMessage {
        let topic = ["orders.eu", "orders.us", "news"][number % 3]
        let entry = message(
            uuid: uuid(number), topic: topic, data: payload > 0 ? "\"" + String(repeating: "x", count: payload) + "\"" : "{\"n\": \(number)}",
            source: number % 2 == 0 ? "alice" : "bob", destinations: #"["carol"]"#, type: number % 5 == 0 ? "question" : "statement")
        return DecidedMessage(
            position: position(number), message: entry,
            verdict: VerdictEntry(
                messageUUID: uuid(number), outcome: number % 10 == 9 ? .hold : .deliver, rule: "default", reason: "", policyRevision: "0-0-0",
                targets: ["default"], subject: Array(topic.utf8)))
    }

    /// Writes messages and verdicts into the log.
    func log(_ numbers: ClosedRange<Int>, payload: Int = 0) async throws {
        try await onThread { [self] in
            let session = try RedisSession(endpoint, name: "tests")
            for number in numbers {
                let one = ViewsRig.decided(number, payload: payload)
                var fields: [String] = []
                for field in MessageField.allCases { fields += [field.name.description, one.message.string(field)] }
                try session.run("XADD", [keys.stream(.messages), one.position.streamID] + fields)
                let verdict = one.verdict
                try session.run(
                    "XADD",
                    [
                        keys.stream(.verdicts), one.position.streamID, "event", VerdictEntry.event, "v", "1", "message_uuid", verdict.messageUUID.description,
                        "outcome", verdict.outcome.rawValue, "rule", verdict.rule, "reason", "", "policy_revision", verdict.policyRevision,
                        "targets", #"["default"]"#, "subject", String(decoding: verdict.subject, as: UTF8.self),
                    ])
            }
        }
    }

    /// Writes messages and verdicts into the archive.
    func archive(_ numbers: ClosedRange<Int>) async throws {
        try await onThread { [self] in
            let session = try PostgreSQLSession(conninfo: databaseURL, applicationName: "tests")
            let sink = try ArchiveSink<DecidedMessage>(session: session, name: "archive", partition: 0)
            _ = try sink.write(numbers.map { ViewsRig.decided($0) })
        }
    }

    static func archive(_ messages: [DecidedMessage], _ url: String) throws {
        let session = try PostgreSQLSession(conninfo: url, applicationName: "tests")
        _ = try ArchiveSink<DecidedMessage>(session: session, name: "archive", partition: 0).write(messages)
    }

    /// Takes everything before the `number`th message out of the log.
    func trim(before number: Int) async throws {
        try await redis { [keys] session in
            for name in [StreamName.messages, .verdicts] { try session.run("XTRIM", [keys.stream(name), "MINID", ViewsRig.position(number).streamID]) }
        }
    }

    func redis(_ body: @escaping @Sendable (RedisSession) throws -> Void) async throws {
        try await onThread { [endpoint] in try body(RedisSession(endpoint, name: "tests")) }
    }

    // MARK: HTTP

    struct Answer: Sendable {
        let status: Int
        let head: String
        let body: String

        var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]) ?? [:] }

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }.map {
                $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
            }
        }
    }

    func get(_ path: String, method: String = "GET", _ headers: [String: String] = [:], body: String = "") async throws -> Answer {
        let lines = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        let text = try await exchange("\(method) \(path) HTTP/1.1\r\nHost: a\r\n\(lines)Connection: close\r\n\r\n\(body)") { _ in false }
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let status = Int(parts[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        return Answer(status: status, head: String(parts[0]), body: parts.count > 1 ? String(parts[1]) : "")
    }

    func send(_ method: String, _ path: String, _ body: String = "", _ headers: [String: String] = [:]) async throws -> Answer {
        var headers = headers
        headers["Content-Length"] = String(body.utf8.count)
        return try await get(path, method: method, headers, body: body)
    }

    /// Sends `request` and reads until `isEnough` or the server closes.
    func exchange(_ request: String, until isEnough: @Sendable (String) async throws -> Bool) async throws -> String {
        var out = ""
        try await read(request) { bytes in
            // Frames of a WebSocket have bytes that are no text; the tests look at the text between.
            out += String(decoding: bytes.readableBytesView, as: UTF8.self)
            return try await isEnough(out)
        }
        return out
    }

    /// Sends `request` and hands on what comes, until `take` says that it is enough or the server closes.
    private func read(_ request: String, _ take: (ByteBuffer) async throws -> Bool) async throws {
        // A small window, so that a reader who pauses is noticed by the server soon.
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelOption(.socketOption(.so_rcvbuf), value: 32 << 10)
        let client = try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
        }
        try await client.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            for try await bytes in inbound {
                if try await take(bytes) { break }
            }
        }
    }

    /// Follows the feed until `count` messages have come; their positions.
    func follow(_ query: String, count: Int, webSocket: Bool = false, path: String = "/v1/feed", onOpen: @escaping @Sendable () async throws -> Void = {})
        async throws -> [Int]
    {
        let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        var scanner = NumberScanner()
        var head = ""
        try await read("GET \(path)\(query) HTTP/1.1\r\nHost: a\r\n\(webSocket ? upgrade : "")\r\n") { bytes in
            scanner.feed(bytes.readableBytesView)
            let sign = webSocket ? "\r\n\r\n" : "retry:"
            if !head.contains(sign) {
                head += String(decoding: bytes.readableBytesView, as: UTF8.self)
                if head.contains(sign) { try await onOpen() }
            }
            return scanner.numbers.count >= count
        }
        return scanner.numbers
    }

    /// The numbers of all messages in a text, by their ids.
    static func numbers(_ text: String) -> [Int] {
        var scanner = NumberScanner()
        scanner.feed(text.utf8)
        return scanner.numbers
    }
}

/// Finds the numbers of messages in a text that comes in pieces.
struct NumberScanner {
    private static let mark = Data("\"message_uuid\":\"aaaabbbb-cccc-4ddd-8000-".utf8)
    private(set) var numbers: [Int] = []
    private var rest = Data()

    mutating func feed(_ bytes: some Sequence<UInt8>) {
        rest.append(contentsOf: bytes)
        while let found = rest.range(of: Self.mark), rest.endIndex - found.upperBound >= 12 {
            let end = found.upperBound + 12
            if let number = Int(String(decoding: rest[found.upperBound..<end], as: UTF8.self), radix: 16) { numbers.append(number) }
            rest = Data(rest[end...])
        }
        if rest.range(of: Self.mark) == nil { rest = Data(rest.suffix(Self.mark.count)) }
    }
}

/// Is true once.
final class Once: Sendable {
    private let counter = Counter()

    var isOpen: Bool { counter.current == 0 }

    func first() -> Bool {
        defer { counter.add() }
        return counter.current == 0
    }
}
