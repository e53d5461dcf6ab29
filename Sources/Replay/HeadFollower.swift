package import Core
internal import Foundation
internal import Logging
package import Log
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

    private let loop: StageLoop
    private let keys: LogKeys
    private let stream: StreamName
    private let read: Read
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
    ///   - position: of an entry.
    ///   - interval: how long entries are gathered between two writes at the head; asked each time.
    ///   - open: makes the sink, under the lease's epoch.
    package init(
        loop: StageLoop, keys: LogKeys, stream: StreamName, metrics: Metrics, read: @escaping Read, position: @escaping @Sendable (Sink.Entry) -> Position,
        interval: @escaping @Sendable () -> Duration = { .zero }, open: @escaping @Sendable (RedisSession, Int) throws -> Sink
    ) {
        self.interval = interval
        self.loop = loop
        self.keys = keys
        self.stream = stream
        self.read = read
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
        let entries = try work.isReadingAhead ? work.ahead.take() : read(work.sink.cursor, session)
        work.isReadingAhead = false
        guard let last = entries.last else {
            _ = try LogReader(keys: keys).awaitEntry(stream, after: work.sink.cursor, wait: .milliseconds(250), session)
            return
        }
        // A short batch means that the head is near: what comes next is better read when it has gathered.
        let left = work.written + interval() - .now
        if entries.count < Limits.readAheadMin && left > Duration.zero {
            Thread.sleep(forTimeInterval: min(left, .milliseconds(250)) / .seconds(1))
            return
        }
        if entries.count >= Limits.readAheadMin {
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
}
