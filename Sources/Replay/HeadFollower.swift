package import Core
internal import Foundation
package import Log
internal import Logging
package import RedisDriver

/// Where the engine hands its batches, with a cursor that is committed together with what was done.
package protocol ReplaySink: SendableMetatype {
    associatedtype Entry: Sendable
    /// Everything up to here is done.
    var cursor: Position { get }
    /// Does one batch and moves the cursor behind it, as one step.
    mutating func write(_ batch: [Entry]) throws
}

/// The replay engine at the head of the log: reads behind the sink's cursor, hands over batches, waits for more.
///
/// The cursor lies with the sink, so a crash anywhere repeats at most what was not committed.
package struct HeadFollower<Sink: ReplaySink>: Sendable {
    package typealias Read = @Sendable (_ after: Position, _ session: RedisSession) throws -> [Sink.Entry]

    /// What this process has in memory of the stream that is followed.
    package struct Shortcut: Sendable {
        package enum Answer: Sendable { case entries([Sink.Entry]), upToDate, elsewhere }

        let read: @Sendable (_ after: Position) -> Answer
        /// Waits for something behind a position; false when the log has to be asked.
        let wait: @Sendable (_ after: Position, _ wait: Duration) -> Bool
        let covers: @Sendable (Position) -> Bool
    }

    private let loop: StageLoop
    private let keys: LogKeys
    private let stream: StreamName
    private let read: Read
    private let shortcut: Shortcut?
    private let position: @Sendable (Sink.Entry) -> Position
    private let open: @Sendable (RedisSession, Int) throws -> Sink
    private let interval: @Sendable () -> Duration
    private let batch: Histogram
    private let latency: Histogram
    private let age: Histogram
    private let done: Counter

    /// - Parameters:
    ///   - stream: whose new entries wake the follower.
    ///   - read: the next batch behind a position; empty at the head.
    ///   - shortcut: asked before the log.
    ///   - position: of an entry.
    ///   - interval: how long entries are gathered between two writes at the head; asked each time.
    ///   - open: makes the sink, under the lease's epoch.
    package init(
        loop: StageLoop, keys: LogKeys, stream: StreamName, metrics: Metrics, read: @escaping Read, shortcut: Shortcut? = nil,
        position: @escaping @Sendable (Sink.Entry) -> Position,
        interval: @escaping @Sendable () -> Duration = { .zero }, open: @escaping @Sendable (RedisSession, Int) throws -> Sink
    ) {
        self.interval = interval
        self.loop = loop
        self.keys = keys
        self.stream = stream
        self.read = read
        self.shortcut = shortcut
        self.position = position
        self.open = open
        batch = metrics.sizes("meshlog_stage_batch_entries", help: "Entries in one step of a stage", ["stage": loop.name])
        latency = metrics.latency("meshlog_stage_step_seconds", help: "One step of a stage", ["stage": loop.name])
        age = metrics.latency("meshlog_stage_age_seconds", help: "From an entry's append to its passing the stage", ["stage": loop.name])
        done = metrics.counter("meshlog_stage_entries_total", help: "Entries that passed a stage", ["stage": loop.name])
    }

    /// Runs until shutdown.
    package func run() async {
        await WorkerThread.run(loop.name) { [self] stop in
            loop.run(
                stop,
                begin: { session, epoch, _ in
                    Work(sink: try open(session, epoch), ahead: ReadAhead("\(loop.name)-read", endpoint: loop.endpoint, read: read))
                },
                step: { work, session, _ in try step(&work, session) })
        }
    }

    /// What lives from one taking of the lease to the next.
    private struct Work {
        var sink: Sink
        let ahead: ReadAhead<Sink.Entry>
        /// The next batch is being read already.
        var isReadingAhead = false
        var written = ContinuousClock.now - .seconds(3_600)
    }

    private func step(_ work: inout Work, _ session: RedisSession) throws {
        let entries = try next(&work, session)
        guard let last = entries.last else { return }
        // A short batch means that the head is near: what comes next is better read when it has gathered.
        let left = work.written + interval() - .now
        if entries.count < Limits.readAheadMin && left > Duration.zero {
            Thread.sleep(forTimeInterval: min(left, .milliseconds(250)) / .seconds(1))
            return
        }
        if entries.count >= Limits.readAheadMin, shortcut?.covers(position(last)) != true {
            work.ahead.begin(after: position(last))
            work.isReadingAhead = true
        }
        let start = ContinuousClock.now
        try work.sink.write(entries)
        work.written = .now
        batch.record(entries.count)
        latency.record(Int((ContinuousClock.now - start) / .microseconds(1)))
        let now = Int64(Date().timeIntervalSince1970 * 1e6)
        for entry in entries { age.record(Int(max(0, now - position(entry).microseconds))) }
        done.add(entries.count)
    }

    /// The next batch behind the sink's cursor; empty at the head, after a wait for more.
    private func next(_ work: inout Work, _ session: RedisSession) throws -> [Sink.Entry] {
        if work.isReadingAhead {
            work.isReadingAhead = false
            return try work.ahead.take()
        }
        let cursor = work.sink.cursor
        var hasWaited = false
        if let shortcut {
            var answer = shortcut.read(cursor)
            if case .upToDate = answer {
                hasWaited = true
                if shortcut.wait(cursor, HeadFollower.wait) { answer = shortcut.read(cursor) }
            }
            if case .entries(let entries) = answer { return entries }
        }
        let entries = try read(cursor, session)
        if entries.isEmpty, !hasWaited { _ = try LogReader(keys: keys).awaitEntry(stream, after: cursor, wait: HeadFollower.wait, session) }
        return entries
    }

    private static var wait: Duration { .milliseconds(250) }
}

extension HeadFollower.Shortcut where Sink.Entry == DecidedMessage {
    /// - Parameter count: messages of a batch; asked each time.
    init(_ tail: DecidedTail, count: @escaping @Sendable () -> Int) {
        self.init(
            read: { cursor in
                switch tail.read(after: cursor, count: count()) {
                case .messages(let messages): .entries(messages)
                case .upToDate: .upToDate
                case .elsewhere: .elsewhere
                }
            },
            wait: { tail.wait(after: $0, $1) }, covers: { tail.covers($0) })
    }
}
