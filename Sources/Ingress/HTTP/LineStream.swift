internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Log
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Web

/// Publishes newline-delimited JSON as it comes in: one message a line, of any number of lines.
///
/// The answer is a summary, since the client reads it only when it has sent all: counts, and the refused lines up to a bound.
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
        var rest: [UInt8] = []
        var line = 0
        for try await chunk in body {
            let bytes = Array(buffer: chunk)
            var batch = LineBatch()
            var start = 0
            while let end = LineStream.lineEnd(bytes.span, start) {
                line += 1
                take(rest.isEmpty ? bytes[start..<end] : (rest + bytes[start..<end])[...], line, &batch, tally)
                rest = []
                start = end + 1
            }
            rest.append(contentsOf: bytes[start...])
            // Too long a line can only be refused: its bytes need not be kept to find its end.
            if rest.count > Limits.messageBytesMax + 1 { rest = Array(rest.prefix(Limits.messageBytesMax + 1)) }
            if !batch.items.isEmpty { await submit(batch, tally) }
            if tally.isBroken { break }
        }
        if !rest.isEmpty, !tally.isBroken {
            line += 1
            var batch = LineBatch()
            take(rest[...], line, &batch, tally)
            if !batch.items.isEmpty { await submit(batch, tally) }
        }
        return await tally.finish(lines: line)
    }

    /// Where the line that begins at `start` ends.
    private static func lineEnd(_ text: Span<UInt8>, _ start: Int) -> Int? {
        var at = start
        while at < text.count {
            if text[at] == 0x0A { return at }
            at += 1
        }
        return nil
    }

    private func take(_ text: ArraySlice<UInt8>, _ line: Int, _ batch: inout LineBatch, _ tally: LineTally) {
        var text = text
        if text.last == 0x0D { text = text.dropLast() }
        guard text.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
        var body: [UInt8] = []
        body.reserveCapacity(text.count + 192)
        body.append(contentsOf: text)
        do throws(Refusal) {
            batch.items.append(.message(try admission.admit(body, door: .http, traceparent: traceparent)))
            batch.lines.append(line)
        } catch {
            tally.refuse(line, error)
        }
    }

    /// Hands lines to the log; waits for room on the way there, and for a busy log for a while.
    private func submit(_ batch: LineBatch, _ tally: LineTally) async {
        var backoff = Backoff()
        for attempt in 0..<40 {
            await tally.waitForRoom()
            do throws(LogError) {
                try appender.submit(batch.items, to: tally, ticket: tally, firstTag: tally.begin(batch.lines))
                return
            } catch {
                tally.cancel(batch.lines.count)
                guard case .overloaded = error, attempt < 39 else {
                    tally.fail(batch.lines.count, error)
                    return
                }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }
}

/// Messages that go to the log together, and the numbers of their lines.
private struct LineBatch {
    var items: [AppendItem] = []
    var lines: [Int] = []
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
