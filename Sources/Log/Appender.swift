package import Core
internal import Foundation
internal import Logging
internal import NIOConcurrencyHelpers
package import RedisDriver
internal import ServiceLifecycle

/// What may be appended.
package enum AppendItem: Sendable {
    case message(AdmittedMessage)
    /// Kept in `rejected`: what a door could neither admit nor answer.
    case rejected(RejectedEntry)

    var size: Int {
        switch self {
        case .message(let message): message.entry.bytes.count
        case .rejected(let entry): entry.bytes.count
        }
    }
}

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

/// Takes answers, once per batch of the log, on the appender's thread: hand them over and return.
package protocol AppendSink: AnyObject, Sendable {
    func appended(_ completions: [AppendCompletion])
}

/// Group commit: all doors' appends share pipelined writes on one connection; whatever arrives while one batch is on its
/// way forms the next. With `appendfsync always` one disk sync covers a whole batch.
///
/// - Bounds: `Limits.appendQueueMax` entries and `Limits.appendQueueBytesMax` bytes wait at most; beyond, `submit` throws.
package final class Appender: Sendable {
    private struct Pending: Sendable {
        let item: AppendItem
        let sink: any AppendSink
        let ticket: any AnyObject & Sendable
        let tag: Int

        var uuid: MessageUUID? { if case .message(let message) = item { message.uuid } else { nil } }
    }
    private struct Queue {
        var waiting: [Pending] = []
        var bytes = 0
        var closed = false
        /// Since when the log has not been reachable.
        var downSince: ContinuousClock.Instant?
    }

    private let queue = NIOLockedValueBox(Queue())
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

    /// Queues items; each gets one completion, in order per sink.
    ///
    /// - Throws: `.overloaded` when the queue is full, `.unavailable` when the log has been away for longer than two seconds. Nothing was taken in then.
    package func submit(_ items: [AppendItem], to sink: any AppendSink, ticket: any AnyObject & Sendable, firstTag: Int = 0) throws(LogError) {
        let size = items.reduce(0) { $0 + $1.size }
        var wasEmpty = false
        let refused: LogError? = queue.withLockedValue { queue in
            wasEmpty = queue.waiting.isEmpty
            if queue.closed { return .unavailable("the process is shutting down") }
            if let since = queue.downSince, ContinuousClock.now - since > .seconds(2) { return .unavailable("the log is not reachable") }
            if queue.waiting.count + items.count > Limits.appendQueueMax || queue.bytes + size > Limits.appendQueueBytesMax {
                return .overloaded("\(queue.waiting.count) entries are waiting to be appended")
            }
            queue.bytes += size
            for (index, item) in items.enumerated() {
                queue.waiting.append(Pending(item: item, sink: sink, ticket: ticket, tag: firstTag + index))
            }
            return nil
        }
        if let refused { throw refused }
        // The thread sleeps only when nothing waits, so the first to come wakes it.
        if wasEmpty { arrived.signal() }
    }

    /// Appends and waits for the answers, in input order.
    package func append(_ messages: [AdmittedMessage]) async throws(LogError) -> [AppendOutcome] {
        if messages.isEmpty { return [] }
        let result: Result<[AppendOutcome], LogError> = await withCheckedContinuation { continuation in
            let collector = AppendCollector(count: messages.count, continuation)
            do throws(LogError) {
                try submit(messages.map { .message($0) }, to: collector, ticket: collector)
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
        let batch: [Pending]
        let start: ContinuousClock.Instant
    }

    private func serve(_ stop: StopSignal) {
        var session: RedisSession?
        var backoff = Backoff(most: .milliseconds(500))
        // While Redis works on one pipeline, the next is formatted and sent, so neither waits for the other.
        var flights: [Flight] = []
        while true {
            guard let open = session, !open.isBroken else {
                for flight in flights { fail(flight.batch, .unavailable("the connection to the log broke; repeat with the same id")) }
                flights = []
                session = connect()
                if session == nil {
                    failIfDown()
                    if stop.wait(for: backoff.next()) { break }
                } else {
                    backoff.reset()
                }
                continue
            }
            if flights.count < Limits.appendPipelinesMax, let batch = take(stop, waiting: flights.isEmpty) {
                flights.append(Flight(batch: batch, start: .now))
                send(batch, open)
                continue
            }
            guard !flights.isEmpty else { break }
            receive(flights.removeFirst(), open)
        }
        queue.withLockedValue { $0.closed = true }
        fail(drain(), .unavailable("the process is shutting down"))
    }

    private func connect() -> RedisSession? {
        do {
            let session = try RedisSession(endpoint, name: "meshlog-append", timeout: .seconds(10))
            try setup.apply(session)
            let wasDown = queue.withLockedValue { queue in
                defer { queue.downSince = nil }
                return queue.downSince != nil
            }
            if wasDown { log.info("the log is reachable again") }
            return session
        } catch {
            let first = queue.withLockedValue { queue in
                defer { if queue.downSince == nil { queue.downSince = .now } }
                return queue.downSince == nil
            }
            if first { log.warning("the log is not reachable", metadata: ["reason": "\(error)"]) }
            return nil
        }
    }

    /// What waits is answered once the log has been away for two seconds: a client may then decide what to do.
    private func failIfDown() {
        let late = queue.withLockedValue { queue in queue.downSince.map { ContinuousClock.now - $0 > .seconds(2) } ?? false }
        if late { fail(drain(), .unavailable("the log is not reachable; nothing was written")) }
    }

    /// The next batch; nil when nothing waits, and it is time to stop or the caller does not want to wait.
    private func take(_ stop: StopSignal, waiting: Bool) -> [Pending]? {
        while true {
            let batch: [Pending] = queue.withLockedValue { queue in
                guard queue.waiting.count > Limits.appendBatchMax else {
                    defer {
                        queue.waiting = []
                        queue.bytes = 0
                    }
                    return queue.waiting
                }
                let head = Array(queue.waiting.prefix(Limits.appendBatchMax))
                queue.waiting.removeFirst(head.count)
                queue.bytes -= head.reduce(0) { $0 + $1.item.size }
                return head
            }
            if !batch.isEmpty { return batch }
            if stop.isRequested || !waiting { return nil }
            _ = arrived.wait(timeout: .now() + .milliseconds(100))
        }
    }

    private func drain() -> [Pending] {
        queue.withLockedValue { queue in
            defer {
                queue.waiting = []
                queue.bytes = 0
            }
            return queue.waiting
        }
    }

    /// Formats and sends one pipeline; a failure leaves the session broken, and what is in flight is answered then.
    private func send(_ batch: [Pending], _ session: RedisSession) {
        depth.set(batch.count)
        var commands = RESPWriter()
        for pending in batch {
            switch pending.item {
            case .message(let message):
                let named = message.isNamedByClient || !message.idempotencyName.isEmpty
                codec.append(message, digest: named ? ContentDigest.of(message) : [], to: &commands)
            case .rejected(let entry):
                entry.write(keys: setup.keys, to: &commands)
            }
        }
        do throws(RedisError) {
            try session.send(commands)
        } catch {
            log.warning("an append broke", metadata: ["reason": "\(error)", "unknown": "\(batch.count)"])
        }
    }

    /// Waits for the replies of the oldest pipeline and hands the answers over.
    private func receive(_ flight: Flight, _ session: RedisSession) {
        let batch = flight.batch
        var outcomes: [AppendOutcome] = []
        outcomes.reserveCapacity(batch.count)
        do throws(RedisError) {
            for _ in batch { outcomes.append(try session.receive(Appender.outcome)) }
        } catch {
            log.warning("an append broke", metadata: ["reason": "\(error)", "unknown": "\(batch.count - outcomes.count)"])
            while outcomes.count < batch.count { outcomes.append(.failed(.unavailable("the connection to the log broke; repeat with the same id"))) }
        }
        batchSize.record(batch.count)
        latency.record(Int((ContinuousClock.now - flight.start) / .microseconds(1)))
        deliver(batch, outcomes)
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

    private func fail(_ batch: [Pending], _ error: LogError) {
        deliver(batch, Array(repeating: .failed(error), count: batch.count))
    }

    /// Hands the answers over, one call per sink.
    private func deliver(_ batch: [Pending], _ outcomes: [AppendOutcome]) {
        var order: [any AppendSink] = []
        var groups: [ObjectIdentifier: [AppendCompletion]] = [:]
        for (pending, outcome) in zip(batch, outcomes) {
            let id = ObjectIdentifier(pending.sink)
            if groups[id] == nil { order.append(pending.sink) }
            groups[id, default: []].append(
                AppendCompletion(ticket: pending.ticket, tag: pending.tag, uuid: pending.uuid, outcome: outcome))
        }
        for sink in order {
            if let completions = groups[ObjectIdentifier(sink)] { sink.appended(completions) }
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
