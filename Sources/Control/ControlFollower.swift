package import Core
internal import Foundation
package import Log
internal import Logging
internal import NIOConcurrencyHelpers
package import RedisDriver

/// Keeps this process's picture of the control plane: folds `control` as it grows, and puts each new state in force.
///
/// A change is in force here a few milliseconds after its acknowledgement: the thread waits in a blocking read.
package final class ControlFollower: Sendable {
    private struct Shared {
        var state = ControlState()
        /// Whether the state has once been brought up to the head.
        var isReady = false
        var waiters: [Waiter] = []
    }
    private struct Waiter {
        let position: Position
        let id: Int
        let continuation: CheckedContinuation<Bool, Never>
    }
    private let shared: NIOLockedValueBox<Shared>
    private let waiterIDs = NIOLockedValueBox(0)
    private let endpoint: RedisEndpoint
    private let reader: ControlReader
    private let recovery: ControlRecovery
    private let live: LiveConfig
    private let templates: TemplateFold
    private let log = Logger(label: "meshlog.control")

    /// - Parameters:
    ///   - templates: those that are compiled already.
    ///   - state: what is folded already; the rest of the stream is folded onto it.
    package init(endpoint: RedisEndpoint, keys: LogKeys, live: LiveConfig, templates: TemplateFold = TemplateFold(), state: ControlState = ControlState()) {
        self.endpoint = endpoint
        reader = ControlReader(keys: keys)
        recovery = ControlRecovery(keys: keys)
        self.live = live
        self.templates = templates
        shared = NIOLockedValueBox(Shared(state: state))
    }

    /// The state now.
    package var state: ControlState { shared.withLockedValue { $0.state } }

    /// Has the state been brought up to the head of the log since the start?
    package var isReady: Bool { shared.withLockedValue { $0.isReady } }

    /// The state now, if it has.
    package var readyState: ControlState? { shared.withLockedValue { $0.isReady ? $0.state : nil } }

    /// Waits until this process has folded everything up to a position of `control`.
    ///
    /// - Returns: false when it has not within the time.
    package func reached(_ position: Position, within wait: Duration) async -> Bool {
        let id = waiterIDs.withLockedValue { ids in
            ids += 1
            return ids
        }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                try? await Task.sleep(for: wait)
                release(id)
            }
            let done = await withCheckedContinuation { continuation in
                let isThere = shared.withLockedValue { shared in
                    if shared.state.position >= position { return true }
                    shared.waiters.append(Waiter(position: position, id: id, continuation: continuation))
                    return false
                }
                if isThere { continuation.resume(returning: true) }
            }
            group.cancelAll()
            return done
        }
    }

    private func release(_ id: Int) {
        let waiter = shared.withLockedValue { shared in
            shared.waiters.firstIndex { $0.id == id }.map { shared.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: false)
    }

    /// Runs until shutdown.
    package func run() async {
        await WorkerThread.run("control") { [self] stop in follow(stop) }
    }

    private func follow(_ stop: StopSignal) {
        var state = state
        var templates = templates
        var backoff = Backoff()
        var failing = false
        while !stop.isRequested {
            do {
                let session = try RedisSession(endpoint, name: "meshlog-control", timeout: .seconds(10))
                try reader.fold(into: &state, session, stop: { stop.isRequested })
                publish(state, &templates)
                try recover(state, session)
                failing = false
                backoff.reset()
                var looked = ContinuousClock.now
                while !stop.isRequested {
                    let before = state.position
                    try reader.follow(&state, wait: .milliseconds(250), session)
                    if state.position > before { publish(state, &templates) }
                    guard ContinuousClock.now - looked > .seconds(1) else { continue }
                    looked = .now
                    try recover(state, session)
                }
            } catch {
                if !failing { log.warning("the control stream cannot be read; the last state stays in force", metadata: ["reason": "\(error)"]) }
                failing = true
                stop.wait(for: backoff.next())
            }
        }
    }

    /// At once, not with the next change: projections wait for ids behind their checkpoints.
    private func recover(_ state: ControlState, _ session: RedisSession) throws(RedisError) {
        if try recovery.isBehind(state, session) { _ = try recovery.run(state, session) }
    }

    private func publish(_ state: ControlState, _ templates: inout TemplateFold) {
        templates.follow(state)
        live.put(.init(table: state.table, templates: templates.set, position: state.position))
        let done = shared.withLockedValue { shared in
            shared.state = state
            shared.isReady = true
            let split = shared.waiters.partition { $0.position <= state.position }
            let done = Array(shared.waiters[split...])
            shared.waiters.removeSubrange(split...)
            return done
        }
        for waiter in done { waiter.continuation.resume(returning: true) }
    }
}
