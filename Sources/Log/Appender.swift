package import Core
internal import Foundation
internal import Logging
internal import NIOConcurrencyHelpers
package import RedisDriver
internal import ServiceLifecycle

/// What became of one append.
package enum AppendOutcome: Sendable {
    /// It is in the log at this position.
    case appended(Position)
    /// Its name was known with the same content: this is where it stands since then.
    case duplicate(Position)
    /// Its name was known with another content; nothing was written.
    case conflict(Position)
    /// It may or may not be in the log.
    case failed(LogError)
}

/// The answer to one submitted message.
package struct AppendCompletion: Sendable {
    /// What the submitter gave along.
    package let ticket: any AnyObject & Sendable
    package let tag: Int
    /// Of the message; nil for a rejected input.
    package let uuid: MessageUUID?
    package let outcome: AppendOutcome
}

/// Takes answers, many at once, on the appender's thread: hand them over and return.
package protocol AppendSink: AnyObject, Sendable {
    func appended(_ completions: [AppendCompletion])
}

/// Group commit: all doors' appends share pipelined writes on one connection; whatever arrives while one batch is on its
/// way forms the next. With `appendfsync always` one disk sync covers up to a mebibyte of a batch (see `WideReads`).
///
/// - Bounds: `Limits.appendQueueMax` entries and `Limits.appendQueueBytesMax` bytes wait at most; beyond, `submit` throws.
package final class Appender: Sendable {
    private struct State {
        var queue = AppendQueue()
        var closed = false
        /// The thread has found nothing and waits to be woken.
        var isAsleep = false
        /// Since when the log has not been reachable, the wait for its last answer included.
        var downSince: ContinuousClock.Instant?
        /// Since when nothing has come, though something is on its way.
        var awaitedSince: ContinuousClock.Instant?
    }

    private let state = NIOLockedValueBox(State())
    private let arrived = DispatchSemaphore(value: 0)
    private let endpoint: RedisEndpoint
    private let setup: LogSetup
    private let codec: EntryCodec
    private let log = Logger(label: "meshlog.append")
    private let batchSize: Histogram
    private let latency: Histogram
    private let depth: Gauge

    package init(endpoint: RedisEndpoint, setup: LogSetup, codec: EntryCodec, metrics: Metrics) {
        self.endpoint = endpoint
        self.setup = setup
        self.codec = codec
        batchSize = metrics.sizes("meshlog_append_batch_entries", help: "Entries in one group commit")
        latency = metrics.latency("meshlog_append_seconds", help: "One group commit, from write to last reply")
        depth = metrics.gauge("meshlog_append_queue_entries", help: "Entries waiting to be appended")
    }

    /// An empty batch to be filled and submitted.
    package func batch() -> AppendBatch { AppendBatch(codec: codec, keys: setup.keys) }

    /// Queues a batch's entries; each gets one completion, in order per sink, with tags from `firstTag` on.
    ///
    /// - Cost: one copy of the commands under a lock. A large batch may spread over several pipelines.
    /// - Throws: `.overloaded` when the queue is full, `.unavailable` when the log has been away for longer than two seconds, or has not answered for
    ///   `Limits.appendPatienceSeconds`. Nothing was taken in then.
    package func submit(
        _ batch: borrowing AppendBatch, to sink: any AppendSink, ticket: any AnyObject & Sendable, firstTag: Int = 0
    ) throws(LogError) {
        var wasAsleep = false
        let refused: LogError? = state.withLockedValue { state in
            if state.closed { return .unavailable("the process is shutting down") }
            if let since = state.downSince, ContinuousClock.now - since > .seconds(2) { return .unavailable("the log is not reachable") }
            if let since = state.awaitedSince, ContinuousClock.now - since > .seconds(Limits.appendPatienceSeconds) {
                return .unavailable("the log does not answer")
            }
            guard state.queue.add(batch, to: sink, ticket: ticket, firstTag: firstTag) else {
                return .overloaded("\(state.queue.count) entries are waiting to be appended")
            }
            wasAsleep = state.isAsleep
            state.isAsleep = false
            return nil
        }
        if let refused { throw refused }
        if wasAsleep { arrived.signal() }
    }

    /// Appends and waits for the answers, in input order.
    package func append(_ messages: [AdmittedMessage]) async throws(LogError) -> [AppendOutcome] {
        if messages.isEmpty { return [] }
        var batch = batch()
        for message in messages { batch.add(message) }
        let ready = batch
        let result: Result<[AppendOutcome], LogError> = await withCheckedContinuation { continuation in
            let collector = AppendCollector(count: ready.count, continuation)
            do throws(LogError) {
                try submit(ready, to: collector, ticket: collector)
            } catch {
                collector.refuse(error)
            }
        }
        return try result.get()
    }

    /// Serves until shutdown; what was submitted before is answered.
    package func run() async {
        await WorkerThread.run("append") { [self] stop in serve(stop) }
    }

    // MARK: The thread

    /// A pipeline that has been sent and not yet answered.
    private struct Flight {
        var pipeline: AppendQueue.Pipeline
        let start: ContinuousClock.Instant
        /// Is the question that widens the reads answered first?
        let isAsking: Bool
    }

    private func serve(_ stop: StopSignal) {
        var session: RedisSession?
        var backoff = Backoff(most: .milliseconds(500))
        // While Redis works on one pipeline, the next is sent, so neither waits for the other.
        var flights: [Flight] = []
        var reads = WideReads(keys: setup.keys)
        // The server has refused what another connection, or setting it up again, may help: nothing more goes there.
        var isRefused = false
        var isTold = false
        while true {
            guard let open = session, !open.isBroken else {
                lose(&flights)
                session = connect(stop, &isTold)
                if session == nil {
                    failIfDown()
                    if stop.wait(for: backoff.next()) { break }
                } else {
                    reads.reset()
                }
                continue
            }
            if !isRefused, flights.count < Limits.appendPipelinesMax {
                if let pipeline = take(stop, open, waiting: flights.isEmpty) {
                    let question = reads.question(before: pipeline.commands.bytes.count)
                    flights.append(Flight(pipeline: pipeline, start: .now, isAsking: question != nil))
                    send(pipeline, behind: question, open)
                    continue
                }
                if open.isBroken { continue }
            }
            guard flights.isEmpty else {
                var flight = flights.removeFirst()
                if receive(&flight, isLast: flights.isEmpty, open) { isRefused = true } else { backoff.reset() }
                continue
            }
            guard isRefused else { break }
            isRefused = false
            session = nil
            if stop.wait(for: backoff.next()) { break }
        }
        state.withLockedValue { $0.closed = true }
        failAll(.unavailable("the process is shutting down"))
    }

    /// The connection is gone: what was on its way is answered, and so is what waits, once the log has been away for long.
    private func lose(_ flights: inout [Flight]) {
        state.withLockedValue { state in
            state.downSince = state.downSince ?? state.awaitedSince ?? .now
            state.awaitedSince = nil
        }
        for flight in flights { fail(flight.pipeline, .unavailable("the connection to the log broke; repeat with the same id")) }
        flights = []
        failIfDown()
    }

    private func connect(_ stop: StopSignal, _ isTold: inout Bool) -> RedisSession? {
        do {
            let session = try RedisSession(endpoint, name: "meshlog-append", timeout: .seconds(Limits.appendPatienceSeconds))
            let done = try setup.apply(session, while: { !stop.isRequested })
            session.setTimeout(.seconds(Limits.appendAnswerSeconds))
            state.withLockedValue { $0.downSince = nil }
            if !done.isEmpty { log.warning("set the log up", metadata: ["what": "\(done.joined(separator: ", "))"]) }
            if isTold { log.info("the log is reachable again") }
            isTold = false
            return session
        } catch {
            if !isTold { log.warning("the log is not reachable", metadata: ["reason": "\(error)"]) }
            isTold = true
            return nil
        }
    }

    /// What waits is answered once the log has been away for two seconds: a client may then decide what to do.
    private func failIfDown() {
        let late = state.withLockedValue { state in state.downSince.map { ContinuousClock.now - $0 > .seconds(2) } ?? false }
        if late { failAll(.unavailable("the log is not reachable; nothing was written")) }
    }

    /// The next pipeline; nil when nothing waits, and it is time to stop or the caller does not want to wait, and when the server has hung up meanwhile.
    private func take(_ stop: StopSignal, _ session: RedisSession, waiting: Bool) -> AppendQueue.Pipeline? {
        while true {
            // Before anything is sent: what goes to a server that has gone has an unknown outcome, what waits for the next one has none.
            if waiting, session.isHungUp() { return nil }
            let stopping = stop.isRequested
            let pipeline: AppendQueue.Pipeline? = state.withLockedValue { state in
                let next = state.queue.take()
                state.isAsleep = next == nil && waiting && !stopping
                if next != nil, waiting { state.awaitedSince = .now }
                return next
            }
            if let pipeline { return pipeline }
            if stopping || !waiting { return nil }
            _ = arrived.wait(timeout: .now() + .milliseconds(100))
        }
    }

    /// Sends one pipeline; a failure leaves the session broken, and what is in flight is answered then.
    private func send(_ pipeline: AppendQueue.Pipeline, behind question: RESPWriter?, _ session: RedisSession) {
        depth.set(pipeline.uuids.count)
        do throws(RedisError) {
            if let question { try session.send(question) }
            try session.send(pipeline.commands)
        } catch {
            log.warning("an append broke", metadata: ["reason": "\(error)", "unknown": "\(pipeline.uuids.count)"])
        }
    }

    /// Waits for the replies of the oldest pipeline and hands the answers over.
    ///
    /// - Parameter isLast: nothing else is on its way.
    /// - Returns: whether the server refused what another connection, or setting it up again, may help.
    private func receive(_ flight: inout Flight, isLast: Bool, _ session: RedisSession) -> Bool {
        let count = flight.pipeline.uuids.count
        var outcomes: [AppendOutcome] = []
        outcomes.reserveCapacity(count)
        var isRefused = false
        do throws(RedisError) {
            if flight.isAsking { try session.receive { _ in } }
            for _ in 0..<count {
                outcomes.append(
                    try session.receive { reply in
                        if reply.kind == .error, !isRefused { isRefused = Appender.asksForRenewal(reply.string) }
                        return Appender.outcome(reply)
                    })
            }
        } catch {
            log.warning("an append broke", metadata: ["reason": "\(error)", "unknown": "\(count - outcomes.count)"])
            while outcomes.count < count { outcomes.append(.failed(.unavailable("the connection to the log broke; repeat with the same id"))) }
        }
        batchSize.record(count)
        latency.record(Int((ContinuousClock.now - flight.start) / .microseconds(1)))
        deliver(flight.pipeline, outcomes)
        // Emptied where it is alone: a shared one would be copied.
        flight.pipeline.removeAll()
        let emptied = flight.pipeline
        let isBroken = session.isBroken
        state.withLockedValue { state in
            state.queue.recycle(emptied)
            if !isBroken { state.awaitedSince = isLast ? nil : .now }
        }
        return isRefused
    }

    /// Does the refusal say that the server has become a replica, or has come back without the functions?
    private static func asksForRenewal(_ refusal: String) -> Bool {
        ["READONLY", "MASTERDOWN", "ERR Function not found"].contains { refusal.hasPrefix($0) }
    }

    /// Reads the reply of XADD or of `meshlog_append`.
    static func outcome(_ reply: RedisReply) -> AppendOutcome {
        switch reply.kind {
        case .string:
            if let position = reply.withBytes({ Position(streamID: $0) }) { return .appended(position) }
        case .array where reply.count == 2:
            if let position = reply[0].withBytes({ Position(streamID: $0) }) {
                switch reply[1].integer {
                case 0: return .appended(position)
                case 1: return .duplicate(position)
                default: return .conflict(position)
                }
            }
        case .error:
            return .failed(LogError(.server(reply.string)))
        default: break
        }
        return .failed(.protocolFault("XADD answered neither an id nor an error"))
    }

    private func fail(_ pipeline: AppendQueue.Pipeline, _ error: LogError) {
        deliver(pipeline, Array(repeating: .failed(error), count: pipeline.uuids.count))
    }

    private func failAll(_ error: LogError) {
        while let pipeline = state.withLockedValue({ $0.queue.take() }) { fail(pipeline, error) }
    }

    /// Hands the answers over, one call for each run of submissions by the same sink.
    private func deliver(_ pipeline: AppendQueue.Pipeline, _ outcomes: [AppendOutcome]) {
        var completions: [AppendCompletion] = []
        var next = 0
        for (index, part) in pipeline.parts.enumerated() {
            for offset in 0..<part.count {
                completions.append(
                    AppendCompletion(ticket: part.ticket, tag: part.firstTag + offset, uuid: pipeline.uuids[next], outcome: outcomes[next]))
                next += 1
            }
            if index + 1 < pipeline.parts.count, pipeline.parts[index + 1].sink === part.sink { continue }
            part.sink.appended(completions)
            completions = []
        }
    }
}

/// Gathers the answers of one `append` call, which may come in several batches.
private final class AppendCollector: AppendSink {
    private struct State {
        var outcomes: [AppendOutcome?]
        var left: Int
        var continuation: CheckedContinuation<Result<[AppendOutcome], LogError>, Never>?
    }
    private let state: NIOLockedValueBox<State>

    init(count: Int, _ continuation: CheckedContinuation<Result<[AppendOutcome], LogError>, Never>) {
        state = NIOLockedValueBox(State(outcomes: Array(repeating: nil, count: count), left: count, continuation: continuation))
    }

    func appended(_ completions: [AppendCompletion]) {
        let done: (CheckedContinuation<Result<[AppendOutcome], LogError>, Never>, [AppendOutcome])? = state.withLockedValue { state in
            for completion in completions {
                state.outcomes[completion.tag] = completion.outcome
                state.left -= 1
            }
            guard state.left == 0, let continuation = state.continuation else { return nil }
            state.continuation = nil
            return (continuation, state.outcomes.compactMap(\.self))
        }
        if let (continuation, outcomes) = done { continuation.resume(returning: .success(outcomes)) }
    }

    func refuse(_ error: LogError) {
        let continuation = state.withLockedValue { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(returning: .failure(error))
    }
}
