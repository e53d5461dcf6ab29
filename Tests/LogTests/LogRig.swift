import Core
import Foundation
import Log
import Logging
import RedisDriver
import Stack
import Synchronization
import TestSupport

/// A log of its own on a real Redis, for one test.
struct LogRig: Sendable {
    let endpoint: RedisEndpoint
    let keys: LogKeys
    let catalog: StreamCatalog

    var setup: LogSetup { LogSetup(catalog: catalog, keys: keys) }

    func connect() throws -> RedisSession { try RedisSession(endpoint, name: "test") }

    func codec(windowMs: UInt64 = 60_000) -> EntryCodec { EntryCodec(keys: keys, dedupeWindowMs: windowMs) }

    /// Runs `body` with a log whose streams and groups are there, and removes its keys on both paths.
    static func with<Value>(
        redis: EmbeddedServer? = nil, isolation: isolated (any Actor)? = #isolation, _ body: (LogRig) async throws -> Value
    ) async throws -> Value {
        try await OwnLog.with("log", redis: redis) { log in try await body(LogRig(endpoint: log.endpoint, keys: log.keys, catalog: log.catalog)) }
    }

    /// The same on a server that belongs to this test alone.
    static func withOwnRedis(isolation: isolated (any Actor)? = #isolation, _ body: (EmbeddedServer, LogRig) async throws -> Void)
        async throws
    {
        try await withTemporaryFolder { folder in
            var configuration = EmbeddedStack.Configuration(dataFolder: folder)
            configuration.servers = [.redis]
            configuration.ports = [:]
            let stack = try await EmbeddedStack.start(configuration, logger: quietLogger)
            try await LogRig.with(redis: stack.redis) { rig in try await body(stack.redis, rig) }
            await stack.stop()
        }
    }

    /// Runs `body` with an appender that serves, and stops it on both paths.
    func withAppender<Value>(
        metrics: Metrics = Metrics(), windowMs: UInt64 = 60_000, isolation: isolated (any Actor)? = #isolation, _ body: (Appender) async throws -> Value
    ) async throws -> Value {
        let appender = Appender(endpoint: endpoint, setup: setup, codec: codec(windowMs: windowMs), metrics: metrics)
        let service = Task { await appender.run() }
        do {
            let value = try await body(appender)
            service.cancel()
            await service.value
            return value
        } catch {
            service.cancel()
            await service.value
            throw error
        }
    }

    // MARK: Looking

    func length(_ stream: StreamName) throws -> Int { try connect().run("XLEN", [keys.stream(stream)]).int ?? -1 }

    func ids(_ stream: StreamName) throws -> [String] {
        try (connect().run("XRANGE", [keys.stream(stream), "-", "+"]).array ?? []).compactMap { $0.array?.first?.text }
    }

    /// Entries of a stream: id and fields.
    func entries(_ stream: StreamName) throws -> [(id: String, fields: [String: RedisValue])] {
        try (connect().run("XRANGE", [keys.stream(stream), "-", "+"]).array ?? []).map { entry in
            (entry.array?[0].text ?? "", entry.array?[1].pairs ?? [:])
        }
    }

    func pending(_ stream: StreamName, _ group: GroupName) throws -> Int {
        try connect().run("XPENDING", [keys.stream(stream), group.rawValue]).array?.first?.int ?? -1
    }

    // MARK: Writing

    /// Adds a message's entry at this id, without an appender.
    func add(_ id: String = "*", topic: String = "a.b", data: String = "{}", to session: RedisSession) throws -> Position {
        let message = try admitted(#"{"topic":"\#(topic)","data":\#(data)}"#)
        let fields = MessageField.allCases.flatMap { [$0.name.description, message.entry.string($0)] }
        let reply = try session.run("XADD", [keys.stream(.messages), id] + fields)
        guard let text = reply.text, let position = Position(streamID: text) else { throw RedisError.unexpectedReply("XADD") }
        return position
    }

    /// Adds a verdict at the id of its message.
    func decide(_ position: Position, to session: RedisSession) throws {
        let verdict = VerdictEntry(
            messageUUID: MessageUUID(high: 1, low: 2), outcome: .deliver, rule: "default", reason: "", policyRevision: "0-0-0", targets: ["default"],
            subject: Array("a.b".utf8))
        try session.run(
            "XADD",
            [
                keys.stream(.verdicts), position.streamID, "event", VerdictEntry.event, "v", VerdictEntry.version, "message_uuid",
                verdict.messageUUID.description,
                "outcome", "deliver", "rule", "default", "reason", "", "policy_revision", "0-0-0", "targets", #"["default"]"#, "subject", "a.b",
            ])
    }
}

private let freshIDs = Atomic<UInt64>(1)

/// A message as admission makes it.
func admitted(_ text: String) throws -> AdmittedMessage {
    try Envelope.admit(
        Array(text.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 0x7000, low: freshIDs.add(1, ordering: .relaxed).newValue) })
}

/// Remembers the answers that an appender gives.
final class Answers: AppendSink {
    private let taken = Mutex<[AppendCompletion]>([])

    func appended(_ completions: [AppendCompletion]) { taken.withLock { $0.append(contentsOf: completions) } }

    var all: [AppendCompletion] { taken.withLock { $0 } }
    var tags: [Int] { all.map(\.tag) }
}

extension AppendOutcome {
    var position: Position? {
        switch self {
        case .appended(let position), .duplicate(let position), .conflict(let position): position
        case .failed: nil
        }
    }

    var word: String {
        switch self {
        case .appended: "appended"
        case .duplicate: "duplicate"
        case .conflict: "conflict"
        case .failed(.unavailable): "unavailable"
        case .failed(.overloaded): "overloaded"
        case .failed: "failed"
        }
    }
}

extension RedisValue {
    /// The text of a refusal by the server.
    var refusal: String? { if case .error(let text) = self { text } else { nil } }
}

/// Says nothing below a warning.
let quietLogger: Logger = {
    var logger = Logger(label: "stack")
    logger.logLevel = .warning
    return logger
}()
