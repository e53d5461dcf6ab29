internal import Core
internal import Hummingbird
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import ServiceLifecycle
internal import Web

/// One follower over server-sent events: `id:` is the position, `event:` is `message`.
final class EventSink: FeedSink {
    /// Lent to the task that follows; nobody else touches it until that has ended.
    private struct LentWriter: @unchecked Sendable {
        var writer: any ResponseBodyWriter
    }

    struct Stalled: Error {}

    private let lent: LentWriter
    /// Since when a write has not come back.
    private let writingSince = NIOLockedValueBox<ContinuousClock.Instant?>(nil)

    private let stallMax: Duration

    init(_ writer: any ResponseBodyWriter, stallMax: Duration) {
        lent = LentWriter(writer: writer)
        self.stallMax = stallMax
    }

    /// Runs `body`; ends it when the peer takes nothing for `stallMax`.
    ///
    /// - Throws: `Stalled`, which ends the connection in the middle of the body: an EventSource comes back with `Last-Event-ID`.
    func whileTaken(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask { [self] in
                while true {
                    try await Task.sleep(for: stallMax / 30)
                    guard let since = writingSince.withLockedValue({ $0 }) else { continue }
                    if ContinuousClock.now - since >= stallMax || Task.isShuttingDownGracefully { throw Stalled() }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Tells the client how long to wait before it comes back, and from where it would resume if nothing comes.
    func begin(_ start: Position) async throws {
        var out = ByteBuffer()
        SSEWriter.appendRetry(milliseconds: 1_000, to: &out)
        EventSink.appendSign(start, to: &out)
        try await write(out)
    }

    func take(_ entries: [FeedEntry]) async throws {
        var out = ByteBuffer()
        for entry in entries { SSEWriter.append(id: entry.position.description, event: "message", data: entry.frame(.native), to: &out) }
        try await write(out)
    }

    func heartbeat(_ cursor: Position) async throws {
        var out = ByteBuffer()
        EventSink.appendSign(cursor, to: &out)
        try await write(out)
    }

    /// A comment and an id without data: no event comes of it, but a client whose filter lets little through resumes from here.
    ///
    /// - Source: WHATWG HTML, 9.2.6: the id is set also when the data is empty.
    private static func appendSign(_ cursor: Position, to out: inout ByteBuffer) {
        SSEWriter.appendHeartbeat(to: &out)
        out.writeString("id: \(cursor)\n\n")
    }

    private func write(_ out: ByteBuffer) async throws {
        writingSince.withLockedValue { $0 = .now }
        defer { writingSince.withLockedValue { $0 = nil } }
        var writer = lent.writer
        try await writer.write(out)
    }
}
