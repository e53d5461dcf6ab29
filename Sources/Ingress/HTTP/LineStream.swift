internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Log
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import ServiceLifecycle
internal import Web

/// Publishes newline-delimited JSON as it comes in: one message a line, of any number of lines.
///
/// The answer is a summary, since the client reads it only when it has sent all: counts, and the refused lines up to a bound. When the
/// process is told to stop, it comes at once: an upload may have no end of its own.
/// - Bounds: `Limits.inFlightMax` × 8 lines are on their way to the log; then the body is not read any further.
struct LineStream {
    private let admission: Admission
    private let appender: Appender
    private let traceparent: String?

    init(admission: Admission, appender: Appender, traceparent: String?) {
        self.admission = admission
        self.appender = appender
        self.traceparent = traceparent
    }

    func publish(_ body: RequestBody) async throws -> Response {
        let tally = LineTally(admission)
        return await tally.finish(lines: try await cancelWhenGracefulShutdown { try await read(body, tally) })
    }

    /// The number of lines; all of them are on their way to the log, or refused.
    private func read(_ body: RequestBody, _ tally: LineTally) async throws -> Int {
        var lines = LineBatch(appender.batch())
        do {
            for try await chunk in body {
                take(chunk, &lines, tally)
                await submit(&lines, tally)
                if tally.isBroken { break }
            }
        } catch is CancellationError where Task.isShuttingDownGracefully {
            tally.fail(0, .unavailable("the process is shutting down and reads no further"))
        }
        if !lines.rest.isEmpty, !tally.isBroken {
            let last = lines.rest
            lines.rest = []
            lines.line += 1
            take(last, &lines, tally)
            await submit(&lines, tally)
        }
        return lines.line
    }

    /// Takes the lines that end within `chunk`, and keeps what is left of it.
    private func take(_ chunk: ByteBuffer, _ lines: inout LineBatch, _ tally: LineTally) {
        let text = chunk.readableBytesUInt8Span
        var start = 0
        while let end = ByteScan.firstIndex(of: 0x0A, in: text, from: start) {
            lines.line += 1
            var line = lines.rest
            lines.rest = []
            if !line.isEmpty || !LineStream.isBlank(text.extracting(start..<end)) {
                line.reserveCapacity(line.count + end - start + Envelope.roomBehind)
                LineStream.append(chunk, start..<end, to: &line)
                take(line, &lines, tally)
            }
            start = end + 1
        }
        LineStream.append(chunk, start..<text.count, to: &lines.rest)
        // Too long a line can only be refused: its bytes need not be kept to find its end.
        if lines.rest.count > Limits.messageBytesMax + 1 { lines.rest.removeLast(lines.rest.count - Limits.messageBytesMax - 1) }
    }

    private static func append(_ chunk: ByteBuffer, _ range: Range<Int>, to out: inout [UInt8]) {
        guard let view = chunk.viewBytes(at: chunk.readerIndex + range.lowerBound, length: range.count) else { preconditionFailure("a range of the chunk") }
        out.append(contentsOf: view)
    }

    /// Spaces and tabs at most, before either end of a line.
    private static func isBlank(_ text: Span<UInt8>) -> Bool {
        let hasReturn = !text.isEmpty && text[text.count - 1] == 0x0D
        for index in 0..<(hasReturn ? text.count - 1 : text.count) where text[index] != 0x20 && text[index] != 0x09 { return false }
        return true
    }

    private func take(_ line: consuming [UInt8], _ lines: inout LineBatch, _ tally: LineTally) {
        guard !LineStream.isBlank(line.span) else { return }
        if line.last == 0x0D { line.removeLast() }
        do throws(Refusal) {
            lines.batch.add(try admission.admit(line, door: .http, traceparent: traceparent))
            lines.numbers.append(lines.line)
        } catch {
            tally.refuse(lines.line, error)
        }
    }

    /// Hands lines to the log; waits for room on the way there, and for a busy log for a while.
    private func submit(_ lines: inout LineBatch, _ tally: LineTally) async {
        guard !lines.batch.isEmpty else { return }
        defer { lines.removeAll() }
        var backoff = Backoff()
        for attempt in 0..<40 {
            await tally.waitForRoom()
            do throws(LogError) {
                try appender.submit(lines.batch, to: tally, ticket: tally, firstTag: tally.begin(lines.numbers))
                return
            } catch {
                tally.cancel(lines.numbers.count)
                guard case .overloaded = error, attempt < 39 else {
                    tally.fail(lines.numbers.count, error)
                    return
                }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }
}

/// Messages that go to the log together, the numbers of their lines, and how far the body has been read.
private struct LineBatch {
    var batch: AppendBatch
    var numbers: [Int] = []
    /// The last line so far.
    var line = 0
    /// What has come of the next one.
    var rest: [UInt8] = []

    init(_ batch: AppendBatch) { self.batch = batch }

    mutating func removeAll() {
        batch.removeAll()
        numbers.removeAll(keepingCapacity: true)
    }
}

/// Counts what became of the lines.
private final class LineTally: AppendSink {
    private struct State {
        var accepted = 0
        var duplicates = 0
        var refused = 0
        var failed = 0
        var outstanding = 0
        /// Line numbers of submitted messages, from tag `firstTag` on.
        var lines: CircularBuffer<Int> = []
        var firstTag = 0
        var refusals: [[UInt8]] = []
        var failure: LogError?
        var first: Position?
        var last: Position?
        var waiter: (below: Int, CheckedContinuation<Void, Never>)?
    }
    private static let outstandingMax = Limits.inFlightMax * 8
    private let state = NIOLockedValueBox(State())
    private let admission: Admission

    init(_ admission: Admission) { self.admission = admission }

    /// The log cannot take more; the rest of the body is of no use.
    var isBroken: Bool { state.withLockedValue { $0.failure != nil } }

    /// Reserves tags for messages of these lines.
    func begin(_ lines: [Int]) -> Int {
        state.withLockedValue { state in
            let tag = state.firstTag + state.lines.count
            state.lines.append(contentsOf: lines)
            state.outstanding += lines.count
            return tag
        }
    }

    func cancel(_ count: Int) {
        state.withLockedValue { state in
            state.lines.removeLast(count)
            state.outstanding -= count
        }
    }

    func refuse(_ line: Int, _ refusal: Refusal) {
        state.withLockedValue { state in
            state.refused += 1
            if state.refusals.count < 1_000 {
                var object = JSONObject()
                object.add("line", line)
                object.add("problem", raw: Answers.problem(refusal).json)
                state.refusals.append(object.finish())
            }
        }
    }

    func fail(_ count: Int, _ error: LogError) {
        admission.countUnavailable(count, door: .http)
        state.withLockedValue { state in
            state.failed += count
            state.failure = error
        }
    }

    func appended(_ completions: [AppendCompletion]) {
        for completion in completions { admission.count(completion.outcome, door: .http) }
        let waiter: CheckedContinuation<Void, Never>? = state.withLockedValue { state in
            for completion in completions { LineTally.record(completion, &state) }
            state.outstanding -= completions.count
            guard let (below, waiter) = state.waiter, state.outstanding < below else { return nil }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    private static func record(_ completion: AppendCompletion, _ state: inout State) {
        let line = state.lines.removeFirst()
        state.firstTag += 1
        switch completion.outcome {
        case .appended(let position), .duplicate(let position):
            if case .appended = completion.outcome { state.accepted += 1 } else { state.duplicates += 1 }
            state.first = min(state.first ?? position, position)
            state.last = max(state.last ?? position, position)
        case .conflict(let position):
            state.refused += 1
            guard state.refusals.count < 1_000, let uuid = completion.uuid else { return }
            var object = JSONObject()
            object.add("line", line)
            object.add("problem", raw: Answers.conflict(uuid, position).json)
            state.refusals.append(object.finish())
        case .failed(let error):
            state.failed += 1
            state.failure = error
        }
    }

    func waitForRoom() async { await wait(below: LineTally.outstandingMax) }

    private func wait(below: Int) async {
        await withCheckedContinuation { continuation in
            let ready = state.withLockedValue { state in
                if state.outstanding < below { return true }
                state.waiter = (below, continuation)
                return false
            }
            if ready { continuation.resume() }
        }
    }

    func finish(lines: Int) async -> Response {
        await wait(below: 1)
        let state = state.withLockedValue { $0 }
        var object = JSONObject()
        if let failure = state.failure {
            let problem = Answers.problem(failure)
            object.add("type", problem.type)
            object.add("title", problem.title)
            object.add("status", problem.statusCode)
            object.add("detail", (problem.detail ?? "") + " Lines that were accepted are in the log; send the whole body again with the same ids.")
        }
        object.add("lines", lines)
        object.add("accepted", state.accepted)
        object.add("duplicates", state.duplicates)
        object.add("refused", state.refused)
        object.add("failed", state.failed)
        if let first = state.first, let last = state.last {
            object.add("first_position", first.description)
            object.add("last_position", last.description)
        }
        object.add("refusals", raw: Array("[".utf8) + Array(state.refusals.joined(separator: Array(",".utf8))) + Array("]".utf8))
        var headers: HTTPFields = [.contentType: state.failure == nil ? "application/json" : ProblemDocument.contentType]
        if let last = state.last { headers[.meshlogPosition] = last.description }
        if state.failure != nil { headers[.retryAfter] = "1" }
        let status = state.failure != nil ? 503 : state.refused == 0 ? 200 : state.accepted + state.duplicates > 0 ? 207 : 422
        return Response(status: .init(code: status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: object.finish())))
    }
}
