internal import Core
package import Log
internal import Logging
package import PostgreSQLDriver
internal import RedisDriver
internal import Replay

/// Ends sessions whose time has come: delayed messages go on, and what nobody decided about goes the way its rule says.
///
/// The time is Redis's own, which is the log's. Every ending is one atomic step that also checks the time, so that a process that was
/// killed or paused between its steps ends nothing twice and nothing early, whoever holds the lease.
package struct SessionClock: Sendable {
    private let loop: StageLoop
    private let log: SessionLog
    private let held: HeldMessages
    private let connect: @Sendable () throws(PostgreSQLError) -> PostgreSQLSession
    private let ended: Counter
    private let logger = Logger(label: "meshlog.sessions")

    /// - Parameter connect: to the archive; called when the log has let a held message go.
    package init(
        loop: StageLoop, keys: LogKeys, metrics: Metrics, connect: @escaping @Sendable () throws(PostgreSQLError) -> PostgreSQLSession
    ) {
        self.loop = loop
        log = SessionLog(keys: keys)
        held = HeldMessages(keys: keys)
        self.connect = connect
        ended = metrics.counter("meshlog_stage_entries_total", help: "Entries that passed a stage", ["stage": loop.name])
    }

    /// Runs until shutdown; one process acts at a time.
    package func run() async {
        await WorkerThread.run(loop.name) { [self] stop in
            loop.run(
                stop,
                begin: { session, _, isGoing in
                    if let found = try log.restoreIfLost(session, while: isGoing), found > 0 {
                        logger.notice("open sessions were put back from the stream", metadata: ["sessions": "\(found)"])
                    }
                    return Work()
                },
                step: { work, session, _ in
                    let pause = try step(&work, session)
                    if pause > .zero { stop.wait(for: pause) }
                })
        }
    }

    /// What lives from one taking of the lease to the next.
    private struct Work {
        /// Due sessions at the front that cannot be ended now, since the archive is away.
        var skip = 0
        var archive: PostgreSQLSession?
        var archiveAwayUntil = ContinuousClock.now
    }

    /// Ends some of what is due.
    ///
    /// - Returns: how long there is nothing to do.
    private func step(_ work: inout Work, _ session: RedisSession) throws -> Duration {
        let (ids, now) = try log.due(count: Limits.sessionBatchMax, skip: work.skip, session)
        guard !ids.isEmpty else {
            // What had to be left is tried again.
            if work.skip > 0 {
                work.skip = 0
                return SessionClock.pauseMax
            }
            guard let next = try log.nextDue(session) else { return SessionClock.pauseMax }
            return min(SessionClock.pauseMax, max(SessionClock.pauseMin, .microseconds(next - now)))
        }
        var endings: [(closing: SessionClosing, digest: String, message: MessageEntry?)] = []
        let openings = try log.open(ids, session)
        let wanted = openings.compactMap { opening in opening.flatMap { SessionClock.releases($0) ? $0.position : nil } }
        let found = try held.inLog(wanted, session)
        for opening in openings.compactMap(\.self) {
            if let ending = ending(opening, found[opening.position], &work) { endings.append(ending) }
        }
        let outcomes = endings.isEmpty ? [] : try log.end(endings, by: .time, session)
        let done = outcomes.count { if case .ended = $0 { true } else { false } }
        ended.add(done)
        work.skip += ids.count - outcomes.count
        return .zero
    }

    /// Without work: bounds how late a session that was opened meanwhile ends, and keeps two clocks from racing to the microsecond.
    private static let pauseMax = Duration.milliseconds(100)
    private static let pauseMin = Duration.milliseconds(1)
    private static let archivePause = Duration.seconds(1)

    private static func releases(_ opening: SessionOpening) -> Bool { opening.kind == .delay || opening.onExpiry == .deliver }

    /// How a session ends whose time has come; nil when that cannot be said now.
    private func ending(
        _ opening: SessionOpening, _ inLog: DecidedMessage?, _ work: inout Work
    ) -> (closing: SessionClosing, digest: String, message: MessageEntry?)? {
        guard SessionClock.releases(opening) else {
            return (SessionClosing(opening.position, .expired(.block, reason: "")), opening.digest, nil)
        }
        var fault = "neither the log nor the archive has the message any more"
        do {
            if let message = try inLog ?? archived(opening.position, &work) {
                if let other = HeldMessages.fault(message, opening) {
                    fault = other
                } else {
                    let release = Release(
                        opening.kind == .delay ? .delay : .expire, session: opening.sessionID, origin: opening.position, passed: opening.passed)
                    let cause: SessionClosing.Cause = opening.kind == .delay ? .released : .expired(.deliver, reason: "")
                    return (SessionClosing(opening.position, cause), opening.digest, ReleasedMessage.entry(message.message, release))
                }
            }
        } catch {
            return nil
        }
        logger.error("a held message cannot be released", metadata: ["session": "\(opening.sessionID)", "reason": "\(fault)"])
        return (SessionClosing(opening.position, .expired(.block, reason: fault)), opening.digest, nil)
    }

    /// - Throws: when the archive cannot be asked now.
    private func archived(_ position: Position, _ work: inout Work) throws -> DecidedMessage? {
        guard ContinuousClock.now >= work.archiveAwayUntil else { throw ArchiveError.database(.unavailable("the archive is away")) }
        do {
            let session: PostgreSQLSession
            if let known = work.archive, !known.isBroken { session = known } else { session = try connect() }
            work.archive = session
            return try HeldMessages.inArchive(position, session)
        } catch {
            work.archive = nil
            work.archiveAwayUntil = .now + SessionClock.archivePause
            logger.warning("held messages wait for the archive", metadata: ["reason": "\(error)"])
            throw error
        }
    }
}
