internal import Foundation
internal import Log
internal import NIOConcurrencyHelpers

/// Lets a door's own thread wait for the answers of one submission. The appender answers everything it has taken, so this ends.
final class AppendWaiter: AppendSink {
    private struct State {
        var outcomes: [AppendOutcome?]
        var left: Int
    }
    private let state: NIOLockedValueBox<State>
    private let done = DispatchSemaphore(value: 0)

    init(count: Int) { state = NIOLockedValueBox(State(outcomes: Array(repeating: nil, count: count), left: count)) }

    func appended(_ completions: [AppendCompletion]) {
        let finished = state.withLockedValue { state in
            for completion in completions {
                state.outcomes[completion.tag] = completion.outcome
                state.left -= 1
            }
            return state.left == 0
        }
        if finished { done.signal() }
    }

    func wait() -> [AppendOutcome] {
        done.wait()
        return state.withLockedValue { $0.outcomes.compactMap(\.self) }
    }
}
