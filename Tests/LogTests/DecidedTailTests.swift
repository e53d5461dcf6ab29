import Core
import Foundation
import Log
import TestSupport
import Testing

/// What the router's process keeps of the end of the log.
@Suite("Tail of decided messages")
struct DecidedTailTests {
    private func message(_ ms: UInt64, bytes: Int = 10) -> DecidedMessage {
        let uuid = MessageUUID(high: 0, low: ms)
        let verdict = VerdictEntry(
            messageUUID: uuid, outcome: .deliver, rule: "default", reason: "", policyRevision: "0-0-0", targets: ["default"],
            subject: Array("a".utf8))
        return DecidedMessage(
            position: Position(ms: ms, seq: 0), message: MessageEntry(bytes: Array(repeating: 0x61, count: bytes)), verdict: verdict)
    }

    private func messages(_ range: ClosedRange<UInt64>, bytes: Int = 10) -> [DecidedMessage] { range.map { message($0, bytes: bytes) } }

    /// Milliseconds of what stands behind a cursor; nil when the log has to be asked.
    private func read(_ tail: DecidedTail, after ms: UInt64, count: Int = 100, bytes: Int = 1_000_000) -> [UInt64]? {
        switch tail.read(after: Position(ms: ms, seq: 0), count: count, bytes: bytes) {
        case .messages(let messages): messages.map(\.position.ms)
        case .upToDate: []
        case .elsewhere: nil
        }
    }

    @Test("A tail that nobody fills sends everyone to the log") func unknown() {
        let tail = DecidedTail()
        #expect(read(tail, after: 0) == nil)
        #expect(!tail.covers(.zero))
        #expect(!tail.wait(after: .zero, .seconds(30)), "and keeps nobody waiting")
    }

    @Test("What was decided is read behind any cursor from its beginning on, and never from before it") func order() {
        let tail = DecidedTail()
        tail.keep()
        tail.append(messages(10...12))
        tail.append(messages(20...21))
        #expect(read(tail, after: 9) == nil, "something may stand between 9-0 and 10-0")
        #expect(tail.read(after: Position(ms: 9, seq: .max), count: 1).isMessages)
        #expect(read(tail, after: 10) == [11, 12, 20, 21])
        #expect(read(tail, after: 15) == [20, 21])
        #expect(read(tail, after: 10, count: 2) == [11, 12])
        #expect(read(tail, after: 10, bytes: 11) == [11, 12])
        #expect(read(tail, after: 10, bytes: 1) == [11])
        #expect(read(tail, after: 21) == [])
        #expect(read(tail, after: 22) == nil, "another process knows more")
    }

    @Test("The oldest go first, by number and by bytes, and their readers go to the log") func bounds() {
        let byCount = DecidedTail(entriesMax: 3, bytesMax: 1_000_000)
        byCount.append(messages(1...10))
        #expect(read(byCount, after: 6) == nil)
        #expect(read(byCount, after: 7) == [8, 9, 10])
        let byBytes = DecidedTail(entriesMax: 100, bytesMax: 35)
        for part in stride(from: UInt64(1), to: 11, by: 2) { byBytes.append(messages(part...(part + 1))) }
        #expect(read(byBytes, after: 6) == nil)
        #expect(read(byBytes, after: 7) == [8, 9, 10])
        byBytes.append([message(11, bytes: 100)])
        #expect(read(byBytes, after: 10) == nil, "one that is larger than all that may be kept is read from the log")
    }

    @Test("What went another way is read from the log, what comes behind it is not") func restart() {
        let tail = DecidedTail()
        tail.keep()
        tail.append(messages(1...3))
        tail.restart(at: Position(ms: 7, seq: 0))
        #expect(read(tail, after: 3) == nil)
        #expect(read(tail, after: 7) == [])
        tail.append(messages(8...9))
        #expect(read(tail, after: 3) == nil)
        #expect(read(tail, after: 7) == [8, 9])
        tail.forget()
        #expect(read(tail, after: 8) == nil)
        tail.append(messages(4...5))
        #expect(read(tail, after: 4) == [5])
    }

    @Test("Who waits is woken by what comes, and by the router's end") func wait() async {
        let tail = DecidedTail()
        tail.keep()
        tail.append(messages(1...1))
        async let came = waitOnThread(tail, after: 1)
        async let ended = waitOnThread(tail, after: 1)
        #expect(!tail.wait(after: Position(ms: 1, seq: 0), .milliseconds(1)))
        tail.append(messages(2...2))
        #expect(await came)
        #expect(await ended)
        tail.keep()
        async let forgotten = waitOnThread(tail, after: 2)
        tail.forget()
        #expect(await !forgotten)
    }

    /// A minute at most, which nothing here may take.
    private func waitOnThread(_ tail: DecidedTail, after ms: UInt64) async -> Bool {
        await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: tail.wait(after: Position(ms: ms, seq: 0), .seconds(60))) }.start()
        }
    }

    @Test("A router that says nothing any more sends its followers to the log") func silence() {
        let tail = DecidedTail()
        tail.append(messages(1...1))
        #expect(read(tail, after: 0) == nil)
        let end = Position(ms: 1, seq: 0)
        #expect(tail.read(after: end, count: 1).isElsewhere, "nobody has said that it is kept up")
        tail.keep()
        #expect(tail.isKept(at: end))
        #expect(waitUntil(within: .seconds(10)) { !tail.isKept(at: end) }, "and nobody waits here for what comes")
        #expect(tail.covers(end))
    }
}

extension DecidedTail.Answer {
    fileprivate var isMessages: Bool { if case .messages = self { true } else { false } }
    fileprivate var isElsewhere: Bool { if case .elsewhere = self { true } else { false } }
}
