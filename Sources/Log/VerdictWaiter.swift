package import Core
internal import Foundation
internal import Logging
internal import NIOConcurrencyHelpers
package import RedisDriver

/// Tells those who wait for it what was decided about a message.
///
/// One connection and one thread for the whole process, at rest while nobody waits. A verdict has the id of its message, and verdicts come in
/// the order of their ids: so a message at or before the last verdict is looked up once, and is either decided or never will be.
/// - Bounds: `Limits.verdictWaitersMax` wait at once; who comes beyond is answered at once, as if the time was up.
package final class VerdictWaiter: Sendable {
    /// Gets the verdict, or nil when there was none within the time. Called once, on the waiter's thread or the caller's: it must not block.
    package typealias Answer = @Sendable (VerdictEntry?) -> Void

    private struct Waiting {
        let position: Position
        let end: ContinuousClock.Instant
        let answer: Answer
    }

    private struct State {
        /// Not yet taken by the thread.
        var arrived: [Waiting] = []
        /// All that have no answer yet.
        var count = 0
        var isAsleep = false
        var isClosed = false
    }

    private let state = NIOLockedValueBox(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let endpoint: RedisEndpoint
    private let keys: LogKeys
    private let log = Logger(label: "meshlog.verdict-waiter")
    private let depth: Gauge

    package init(endpoint: RedisEndpoint, keys: LogKeys, metrics: Metrics) {
        self.endpoint = endpoint
        self.keys = keys
        depth = metrics.gauge("meshlog_verdict_waiters", help: "Messages whose verdict somebody waits for")
    }

    /// How long one look at Redis waits: a verdict that was there before it was asked for is told this much later at most.
    private static let look = Duration.milliseconds(10)
    /// For connecting and for each answer: with a Redis that hangs, "no verdict" comes this much late at most.
    private static let timeout = Duration.seconds(1)
    /// Entries asked for in one pipeline.
    private static let pipelineMax = 256

    // MARK: Waiting

    /// Answers as soon as the message at `position` is decided, at the latest after `time`.
    ///
    /// - Returns (to `answer`): nil also when the message will have no verdict in the log (it was buried, or both were trimmed), when too many
    ///   wait already, and when the process shuts down.
    package func wait(for position: Position, within time: Duration, _ answer: @escaping Answer) {
        let waiting = Waiting(position: position, end: .now + time, answer: answer)
        let (isTaken, wakes) = state.withLockedValue { state in
            guard !state.isClosed, state.count < Limits.verdictWaitersMax else { return (false, false) }
            state.arrived.append(waiting)
            state.count += 1
            depth.set(state.count)
            defer { state.isAsleep = false }
            return (true, state.isAsleep)
        }
        if !isTaken { return answer(nil) }
        if wakes { arrived.signal() }
    }

    /// The same for asynchronous callers.
    package func verdict(at position: Position, within time: Duration) async -> VerdictEntry? {
        await withCheckedContinuation { continuation in
            wait(for: position, within: time) { continuation.resume(returning: $0) }
        }
    }

    // MARK: The thread

    /// Serves until shutdown; who waits then is answered without a verdict.
    package func run() async {
        await WorkerThread.run("verdict-waiter") { [self] stop in serve(stop) }
    }

    private func serve(_ stop: StopSignal) {
        var waiting: [Waiting] = []
        var session: RedisSession?
        var backoff = Backoff(first: .milliseconds(20), most: .milliseconds(200))
        var failing = false
        while take(&waiting, stop) {
            do throws(RedisError) {
                let open: RedisSession
                if let session { open = session } else { open = try RedisSession(endpoint, name: "meshlog-verdicts", timeout: VerdictWaiter.timeout) }
                session = open
                try look(&waiting, open)
                failing = false
                backoff.reset()
            } catch {
                session = nil
                if !failing { log.warning("verdicts cannot be read; who waits for one is answered without", metadata: ["reason": "\(error)"]) }
                failing = true
                expire(&waiting)
                stop.wait(for: backoff.next())
            }
            expire(&waiting)
        }
        state.withLockedValue { state in
            state.isClosed = true
            waiting += state.arrived
            state.arrived = []
        }
        settle(waiting.map { ($0, nil) })
    }

    /// Takes in who has come; waits while there is nobody. False when it is time to stop.
    private func take(_ waiting: inout [Waiting], _ stop: StopSignal) -> Bool {
        while !stop.isRequested {
            let isIdle = waiting.isEmpty
            waiting += state.withLockedValue { state in
                let taken = state.arrived
                state.arrived = []
                state.isAsleep = taken.isEmpty && isIdle
                return taken
            }
            if !waiting.isEmpty { return true }
            _ = arrived.wait(timeout: .now() + .milliseconds(100))
        }
        return false
    }

    /// Answers all that are decided; when some are left, waits a while for the next verdict.
    private func look(_ waiting: inout [Waiting], _ session: RedisSession) throws(RedisError) {
        let newest = try newest(session)
        let split = waiting.partition { $0.position <= newest }
        var due = waiting[split...]
        while !due.isEmpty {
            let part = due.prefix(VerdictWaiter.pipelineMax)
            let found = try verdicts(part.map(\.position), session)
            // Taken out as soon as they are known: if the connection breaks now, nobody is answered twice.
            waiting.removeSubrange(part.indices)
            settle(Array(zip(part, found)))
            due = waiting[split...]
        }
        guard !waiting.isEmpty else { return }
        _ = try LogReader(keys: keys).awaitEntry(.verdicts, after: newest, wait: VerdictWaiter.look, session)
    }

    /// The position of the last verdict; zero when there is none.
    private func newest(_ session: RedisSession) throws(RedisError) -> Position {
        var command = RESPWriter()
        command.command("XREVRANGE", [keys.stream(.verdicts), "+", "-", "COUNT", "1"])
        try session.send(command)
        return try read(session) { $0.count == 1 ? EntryCodec.position($0[0]) : .zero } ?? .zero
    }

    private func verdicts(_ positions: [Position], _ session: RedisSession) throws(RedisError) -> [VerdictEntry?] {
        var commands = RESPWriter()
        for position in positions { commands.command("XRANGE", [keys.stream(.verdicts), position.streamID, position.streamID]) }
        try session.send(commands)
        var out: [VerdictEntry?] = []
        out.reserveCapacity(positions.count)
        for _ in positions { out.append(try read(session) { $0.count == 1 ? VerdictEntry(fields: EntryCodec.lookup($0[0])) : nil }) }
        return out
    }

    private func read<T>(_ session: RedisSession, _ body: (RedisReply) -> T?) throws(RedisError) -> T? {
        let result: Result<T?, RedisError> = try session.receive { reply in
            reply.kind == .error ? .failure(.server(reply.string)) : .success(body(reply))
        }
        return try result.get()
    }

    /// Answers those whose time is up.
    private func expire(_ waiting: inout [Waiting]) {
        let now = ContinuousClock.now
        guard waiting.contains(where: { $0.end <= now }) else { return }
        let split = waiting.partition { $0.end <= now }
        let late = waiting[split...].map { ($0, VerdictEntry?.none) }
        waiting.removeSubrange(split...)
        settle(late)
    }

    private func settle(_ answered: [(Waiting, VerdictEntry?)]) {
        guard !answered.isEmpty else { return }
        state.withLockedValue { state in
            state.count -= answered.count
            depth.set(state.count)
        }
        for (waiting, verdict) in answered { waiting.answer(verdict) }
    }
}
