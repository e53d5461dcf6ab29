import Core
import Log
import Logging
import PostgreSQLDriver
import RedisDriver

/// The stage of one projection: whoever holds its lease keeps the serving generation's rows up to date.
struct Materializer<P: Projection> {
    let projection: P
    let place: ProjectionPlace
    private let log: Logger
    private let events: Counter
    private let batch: Histogram
    private let latency: Histogram

    init(_ projection: P, _ place: ProjectionPlace) {
        self.projection = projection
        self.place = place
        let name = projection.definition.name
        log = Logger(label: "meshlog.projection:\(name)")
        events = place.metrics.counter("meshlog_projection_entries_total", help: "Entries that passed a projection", ["projection": name])
        batch = place.metrics.sizes("meshlog_projection_commit_entries", help: "Entries of one commit of a projection", ["projection": name])
        latency = place.metrics.latency("meshlog_projection_step_seconds", help: "One step of a projection, waiting excluded", ["projection": name])
    }

    private struct State {
        let session: PostgreSQLSession
        let epoch: Int
        /// Nil while the generation stands still.
        var work: Materialization<P>?
        var looked = ContinuousClock.now
    }

    /// Runs until the stop.
    func run(_ stop: StopSignal) {
        let loop = StageLoop(
            name: "projection:\(projection.definition.name)", instance: place.instance, endpoint: place.endpoint, keys: place.keys, leaseTTL: place.leaseTTL)
        loop.run(
            stop,
            begin: { control, epoch, _ in
                let session = try place.postgresql("projection-\(projection.definition.name)")
                // Rows and checkpoint are lost together or not at all, and then folded again: nothing waits for the disk.
                _ = try session.execute("SET synchronous_commit = off")
                return State(session: session, epoch: epoch, work: try open(session, control, epoch))
            },
            step: { state, control, _ in
                if state.work == nil {
                    stop.wait(for: min(place.poll, place.leaseTTL / 4))
                    state.work = try open(state.session, control, state.epoch)
                } else {
                    try step(&state, control)
                }
            })
    }

    // MARK: Beginning

    /// The work there is; nil when the generation stands still, or belongs to another version of the code.
    private func open(_ session: PostgreSQLSession, _ control: RedisSession, _ epoch: Int) throws -> Materialization<P>? {
        let definition = projection.definition
        let row = try GenerationTable.start(definition, on: session)
        guard row.version == definition.version else {
            // Rows of another version are not touched: a newer one is built beside them, an older process leaves them alone.
            if row.version < definition.version { try ProjectionRequests.upgrade(definition, on: session) }
            return nil
        }
        guard row.status == .serving else { return nil }
        do throws(ProjectionError) {
            return try work(on: row, session, control, epoch)
        } catch {
            guard error.isPermanent else { throw error }
            try GenerationTable.end(row, epoch: epoch, .stopped, failure: error.description, at: nil, on: session)
            log.error("stopped", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    private func work(on row: GenerationRow, _ session: PostgreSQLSession, _ control: RedisSession, _ epoch: Int) throws(ProjectionError)
        -> Materialization<P>
    {
        if row.epoch > epoch {
            // Another process acts by now; or the log was lost and counts epochs anew, and the next try is above.
            try redis { () throws(RedisError) in try Lease.raiseEpoch("projection:\(row.name)", above: row.epoch, keys: place.keys, control) }
        }
        let ordinals = try ProjectionGroups(projection.definition, keys: place.keys).open(at: row.position, control)
        return try Materialization(
            projection, row, epoch: epoch, session: session, control: control, place: place, ordinals: ordinals, tail: place.tail)
    }

    // MARK: Steps

    private func step(_ state: inout State, _ control: RedisSession) throws {
        guard let work = state.work else { return }
        do throws(ProjectionError) {
            let isDue = ContinuousClock.now - state.looked >= place.poll
            if isDue { state.looked = .now }
            try step(work, looking: isDue, control)
        } catch {
            if case .fenced = error {
                // Another generation serves by now, or somebody stopped this one: look again. Whoever holds the lease ends up alone.
                state.work = nil
                state.work = try open(state.session, control, state.epoch)
                return
            }
            guard error.isPermanent else { throw error }
            state.work = nil
            try GenerationTable.end(work.committed, epoch: state.epoch, .stopped, failure: error.description, at: error.position, on: state.session)
            log.error("stopped", metadata: ["reason": "\(error)"])
        }
    }

    /// - Parameter looking: also for what was asked of the projection meanwhile.
    private func step(_ work: Materialization<P>, looking: Bool, _ control: RedisSession) throws(ProjectionError) {
        let before = work.committed
        if let committed = try work.step(wait: min(.milliseconds(250), place.leaseTTL / 8), control: control) {
            try moved(from: before, to: committed, work, control)
        }
        guard looking, work.isAtHead else { return }
        guard try work.isCurrent() else { throw .fenced("\(before.name): generation \(before.generation) is not served any more") }
        if try work.retryParked(control) > 0 { log.info("parked events tried again") }
    }

    private func moved(from before: GenerationRow, to committed: GenerationRow, _ work: Materialization<P>, _ control: RedisSession) throws(ProjectionError) {
        let count = Int(committed.entries - before.entries)
        events.add(count)
        batch.record(count)
        try ProjectionGroups(projection.definition, keys: place.keys).move(to: committed.position, ordinals: work.ordinals, control)
    }
}

extension ProjectionError {
    /// Nobody but a person can help: the projection stands still with this reason.
    var isPermanent: Bool {
        switch self {
        case .damaged, .refused, .gap, .status: true
        case .database(let error): !error.isRetryable
        default: false
        }
    }

    /// Of the event that is in the way.
    var position: Position? {
        if case .refused(let position, _) = self { position } else { nil }
    }
}
