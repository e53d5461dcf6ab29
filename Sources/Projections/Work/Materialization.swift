package import Core
package import Log
package import PostgreSQLDriver
package import RedisDriver

/// One generation at work: events from its streams are folded, and what changes is committed to its table.
///
/// At the head every chunk is committed at once; on the way there many chunks share a commit. Belongs to one thread.
package final class Materialization<P: Projection> {
    private var fold: Fold<P>
    /// All rows are in memory: a row that is not there does not exist.
    private var isComplete: Bool
    private let source: EventSource
    private let writer: GenerationWriter
    private let session: PostgreSQLSession
    private let table: String
    private let policy: FaultPolicy
    /// Events which somebody decided to pass over.
    private let passOver: Set<Position>
    private let head: StreamHead
    private let rowsHeldMax: Int

    private var pending = GenerationPending()
    /// Read up to the last event that is done.
    private var entries: Int64
    private var target: Position
    private var targetEntries: Int64
    private var pace = Pace()
    private var committedAt = ContinuousClock.now
    private var reportedAt = ContinuousClock.now

    /// - Parameters:
    ///   - row: the generation to go on with, from its checkpoint.
    ///   - control: a connection for looking at the streams, of the same thread.
    ///   - tail: where messages are looked for before the log is asked.
    package init(
        _ projection: P, _ row: GenerationRow, epoch: Int, session: PostgreSQLSession, control: RedisSession, place: ProjectionPlace,
        passOver: Set<Position> = [],
        ordinals: [StreamName: Int64] = [:], tail: DecidedTail? = nil, rowsHeldMax: Int = ProjectionLimits.rowsHeldMax
    ) throws(ProjectionError) {
        writer = try GenerationWriter(row, epoch: epoch, on: session)
        let row = writer.row
        guard let digest = StateDigest(hex: row.digest) else { throw .damaged(projection: row.name, key: "*", detail: "the checkpoint's digest is none") }
        fold = Fold(projection, position: row.position, events: row.events, count: row.rows, digest: digest)
        isComplete = row.position == .zero
        self.session = session
        table = ProjectionNames(row.name).table(row.generation)
        policy = projection.definition.onFault
        self.passOver = row.passOver.map { passOver.union([$0]) } ?? passOver
        self.rowsHeldMax = rowsHeldMax
        entries = row.entries
        head = StreamHead(projection.definition.streams, keys: place.keys)
        (target, targetEntries) = try head.read(control)
        guard row.position <= target else {
            // Not for good: a log that was lost takes in entries again, and their ids pass the checkpoint sooner or later. The reason stays the same while
            // it waits, so that it is said once.
            throw .log(
                .unexpectedReply(
                    "the log ends before \(row.position), the checkpoint of \(row.name): a part of it was lost, or it is another log. The projection goes on"
                        + " once the log's ids have passed that"))
        }
        source = try EventSource(
            streams: projection.definition.streams, after: row.position, ordinals: ordinals, tail: tail, name: "projection-\(row.name)",
            place: place)
    }

    package var position: Position { fold.position }
    /// As committed.
    package var committed: GenerationRow { writer.row }
    /// Nothing is left to read or to commit.
    package var isAtHead: Bool { source.isAtHead && pending.isEmpty }
    var ordinals: [StreamName: Int64] { source.ordinals }

    /// Folds the next chunk, or waits for one; commits when it is time to.
    ///
    /// - Returns: what was committed; nil when nothing was.
    /// - Throws: `.fenced` when the generation is no longer this writer's; `.refused` for an event that stops the projection: what comes
    ///   before it is committed.
    package func step(wait: Duration, control: RedisSession) throws(ProjectionError) -> GenerationRow? {
        let events = try source.next()
        if events.isEmpty {
            if !pending.isEmpty { return try commit() }
            pace.reset()
            try source.await(wait)
            return nil
        }
        try fold(events)
        if source.isAtHead || isFull { return try commit() }
        try report(control)
        return nil
    }

    // MARK: Folding

    private func fold(_ events: [LogEvent]) throws(ProjectionError) {
        if isComplete {
            for event in events {
                do throws(ProjectionFault) { try fold.apply(event) } catch { try refuse(event, error) }
                passed(event)
            }
        } else {
            // One look-up for the rows of the whole chunk.
            var keys: [[String]?] = []
            keys.reserveCapacity(events.count)
            var missing: [String] = []
            for event in events {
                let found = try? fold.keys(of: event)
                keys.append(found)
                if let found, !found.isEmpty { missing.append(contentsOf: fold.missing(found)) }
            }
            try fold.look(up: missing, in: table, on: session)
            for (event, keys) in zip(events, keys) {
                do throws(ProjectionFault) {
                    if let keys { try fold.apply(event, keys: keys) } else { try fold.apply(event) }
                } catch {
                    try refuse(event, error)
                }
                passed(event)
            }
        }
        pace.add(events.count)
    }

    private func passed(_ event: LogEvent) {
        entries += 1
        pending.events += 1
        pending.bytes += event.byteCount
        pending.passed = event.position
    }

    private func refuse(_ event: LogEvent, _ fault: ProjectionFault) throws(ProjectionError) {
        if passOver.contains(event.position) {
            pending.parked.append(.init(event: event, reason: fault.detail, isDiscarded: true))
            return
        }
        switch policy {
        case .skip: pending.skipped += 1
        case .park:
            guard writer.row.parked + Int64(pending.parked.count) < ProjectionLimits.parkedMax else {
                try stop(event, ProjectionFault("\(ProjectionLimits.parkedMax) events are parked already; \(fault.detail)"))
            }
            pending.parked.append(.init(event: event, reason: fault.detail, isDiscarded: false))
        case .stop: try stop(event, fault)
        }
    }

    /// Commits what lies before the event; two events of the same position are committed together or not at all.
    private func stop(_ event: LogEvent, _ fault: ProjectionFault) throws(ProjectionError) -> Never {
        if let passed = pending.passed, passed < event.position, passed > writer.row.position { _ = try commit(at: passed) }
        throw .refused(event.position, fault)
    }

    // MARK: Committing

    private var isFull: Bool {
        fold.touched >= ProjectionLimits.commitRows || pending.events >= ProjectionLimits.commitEvents || pending.bytes >= ProjectionLimits.commitBytes
            || ContinuousClock.now - committedAt >= ProjectionLimits.commitInterval
    }

    private func commit(at position: Position? = nil, applied: [GenerationWriter.Applied] = []) throws(ProjectionError) -> GenerationRow {
        let changes = fold.commit()
        let isQuiet = source.isAtHead
        if isQuiet {
            target = max(target, fold.position)
            targetEntries = max(targetEntries, entries)
        }
        let step = GenerationWriter.Step(
            position: position ?? fold.position, entries: entries, events: fold.events, rows: fold.count, digest: fold.digest, target: target,
            targetEntries: targetEntries, pace: isQuiet ? 0 : pace.perSecond, begins: source.begins, skipped: pending.skipped, parked: pending.parked,
            applied: applied,
            isComplete: isComplete, recordsDigest: !applied.isEmpty || writer.isDigestDue(events: fold.events, isQuiet: isQuiet))
        try writer.commit(changes, step)
        pending = GenerationPending()
        committedAt = .now
        reportedAt = .now
        if fold.held > rowsHeldMax {
            fold.forget()
            isComplete = false
        }
        return writer.row
    }

    private func report(_ control: RedisSession) throws(ProjectionError) {
        guard ContinuousClock.now - reportedAt > .milliseconds(500) else { return }
        reportedAt = .now
        (target, targetEntries) = try head.read(control)
        guard try writer.report(folded: entries, target: target, targetEntries: targetEntries, pace: pace.perSecond) else {
            throw .fenced("\(writer.row.name): generation \(writer.row.generation) is not to be written any more")
        }
    }

    /// Whether the row still says what this writer has committed.
    func isCurrent() throws(ProjectionError) -> Bool {
        try writer.report(folded: writer.row.entries, target: target, targetEntries: targetEntries, pace: 0)
    }

    // MARK: Parked events

    /// Tries parked events again for which that was asked; they are applied out of turn, behind the present checkpoint.
    ///
    /// - Returns: how many were tried.
    func retryParked(_ control: RedisSession) throws(ProjectionError) -> Int {
        guard pending.isEmpty else { return 0 }
        let name = writer.row.name
        let generation = Int32(writer.row.generation)
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                """
                SELECT position_ms, position_seq, stream, entry FROM projection_parked WHERE name = $1 AND generation = $2 AND status = 'retry'
                ORDER BY position_ms, position_seq, stream LIMIT \(ProjectionLimits.parkedPage)
                """, [.text(name), .int4(generation)])
        }
        if answer.rowCount == 0 { return 0 }
        var applied: [GenerationWriter.Applied] = []
        for row in 0..<answer.rowCount {
            let position = Position(ms: UInt64(clamping: answer.int64(row, 0) ?? 0), seq: UInt64(clamping: answer.int64(row, 1) ?? 0))
            let stream = answer.string(row, 2) ?? ""
            let event =
                try head.event(StreamName(rawValue: stream) ?? .control, position, control)
                ?? LogEvent(kept: answer.bytes(row, 3) ?? [], stream: StreamName(rawValue: stream) ?? .control, position: position)
            var fault: String?
            do throws(ProjectionFault) {
                let keys = try fold.keys(of: event)
                if !isComplete { try lookUp(keys) }
                try fold.applyAgain(event)
            } catch {
                fault = error.detail
            }
            if let lookUpFailure { throw lookUpFailure }
            applied.append(.init(stream: stream, position: position, fault: fault, events: fold.events))
        }
        _ = try commit(applied: applied)
        return applied.count
    }

    private var lookUpFailure: ProjectionError?

    private func lookUp(_ keys: [String]) throws(ProjectionFault) {
        do throws(ProjectionError) {
            try fold.look(up: fold.missing(keys), in: table, on: session)
        } catch {
            lookUpFailure = error
            throw ProjectionFault("its rows could not be read")
        }
    }
}

/// What was folded since the last commit, besides rows.
struct GenerationPending {
    var events = 0
    var bytes = 0
    var skipped: Int64 = 0
    var parked: [GenerationWriter.Parked] = []
    /// The last event that is done.
    var passed: Position?

    var isEmpty: Bool { events == 0 }
}
