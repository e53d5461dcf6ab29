internal import Core
internal import Foundation
internal import Log
internal import RedisDriver
internal import Synchronization

/// Reads the next batch on a thread and a connection of its own while the present one is being written.
///
/// - Bounds: one batch ahead. The thread ends with this object.
final class ReadAhead<Entry: Sendable> {
    private let exchange: Exchange

    init(_ name: String, endpoint: RedisEndpoint, read: @escaping @Sendable (Position, RedisSession) throws -> [Entry]) {
        let exchange = Exchange()
        self.exchange = exchange
        WorkerThread.start(name) {
            var session: RedisSession?
            while let after = exchange.nextQuestion() {
                exchange.answer(
                    Result {
                        let open = try session ?? RedisSession(endpoint, name: name, timeout: .seconds(10))
                        session = open
                        return try read(after, open)
                    })
            }
        }
    }

    deinit { exchange.end() }

    /// Begins to read behind `position`; `take` must follow before the next one.
    func begin(after position: Position) { exchange.ask(position) }

    /// Waits for what `begin` has asked for.
    func take() throws -> [Entry] { try exchange.nextAnswer().get() }

    /// What lies between the two threads: one question, then its answer.
    private final class Exchange: Sendable {
        private struct State {
            var question: Position?
            var answer: Result<[Entry], any Error>?
        }
        private let state = Mutex(State())
        private let asked = DispatchSemaphore(value: 0)
        private let answered = DispatchSemaphore(value: 0)

        func ask(_ position: Position) {
            state.withLock { $0.question = position }
            asked.signal()
        }

        /// Nil at the end.
        func nextQuestion() -> Position? {
            asked.wait()
            return state.withLock { state in
                defer { state.question = nil }
                return state.question
            }
        }

        func answer(_ result: sending Result<[Entry], any Error>) {
            state.withLock { $0.answer = result }
            answered.signal()
        }

        func nextAnswer() -> Result<[Entry], any Error> {
            answered.wait()
            return state.withLock { state in
                defer { state.answer = nil }
                guard let answer = state.answer else { preconditionFailure("the answer is set before the signal") }
                return answer
            }
        }

        /// The thread finds no question.
        func end() { asked.signal() }
    }
}
