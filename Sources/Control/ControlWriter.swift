package import Core
package import Log
package import RedisDriver

/// What became of a command.
package struct ControlReceipt: Sendable {
    package let position: Position
    /// The document as it is since then; nil when it was deleted.
    package let row: ControlRow?
    /// There was none before.
    package let isNew: Bool
}

/// Why a command changed nothing.
package enum ControlError: Error, Sendable {
    case fault(ControlMachine.Fault)
    /// Somebody else keeps changing the same document.
    case contended
    /// The log cannot be reached; whether the change took effect is unknown, reading the document tells.
    case unavailable(LogError)
}

/// Turns commands into events: decides on this process's state, appends if nobody was faster, and decides again if somebody was.
package struct ControlWriter: Sendable {
    private let redis: BlockingPool<RedisSession>
    private let log: ControlLog
    private let recovery: ControlRecovery
    private let follower: ControlFollower
    private let machine: ControlMachine

    package init(redis: BlockingPool<RedisSession>, keys: LogKeys, follower: ControlFollower, machine: ControlMachine) {
        self.redis = redis
        log = ControlLog(keys: keys)
        recovery = ControlRecovery(keys: keys)
        self.follower = follower
        self.machine = machine
    }

    /// How often a command that names no version is decided again.
    private static let attemptsMax = 20
    /// How long an answer waits for this process to see its own change.
    private static let settleWait = Duration.seconds(2)

    /// Carries a command out; when this returns, the change is in force in this process.
    package func run(_ command: ControlCommand) async throws(ControlError) -> ControlReceipt {
        var isCaughtUp = false
        for _ in 0..<ControlWriter.attemptsMax {
            let state = follower.state
            let row = state.row(command.kind, command.key)
            let change: ControlChange
            do throws(ControlMachine.Fault) {
                change = try machine.decide(command, row: row)
            } catch {
                // Another process may have changed it a moment ago: what looks like a conflict is decided once more, on the newest state.
                if case .refused = error { throw .fault(error) }
                if !isCaughtUp {
                    isCaughtUp = true
                    if await catchUp() { continue }
                }
                throw .fault(error)
            }
            switch try await append([change], on: state) {
            case .appended(let positions):
                let position = positions[0]
                _ = await follower.reached(position, within: ControlWriter.settleWait)
                let after = change.event.change == .deleted ? nil : ControlRow(change.event, at: position, before: row)
                return ControlReceipt(position: position, row: after, isNew: row == nil)
            case .conflict:
                if try await !recover(change, state) { _ = await catchUp() }
            }
        }
        throw .contended
    }

    /// Brings documents back to an earlier state, as new changes in one step: all or none.
    ///
    /// - Returns: the positions; empty when nothing differs.
    package func restore(_ kinds: [ControlKind], to past: ControlState, author: ControlAuthor) async throws(ControlError) -> [Position] {
        for _ in 0..<ControlWriter.attemptsMax {
            let state = follower.state
            let changes = ControlRestore.changes(kinds, from: state, to: past, author: author)
            if changes.isEmpty { return [] }
            guard changes.count <= Limits.controlBatchMax else {
                throw .fault(
                    .refused(
                        Refusal(
                            .tooLarge, "",
                            "\(changes.count) documents differ, at most \(Limits.controlBatchMax) can be brought back in one step; restore fewer kinds")))
            }
            switch try await append(changes, on: state) {
            case .appended(let positions):
                if let last = positions.last { _ = await follower.reached(last, within: ControlWriter.settleWait) }
                return positions
            case .conflict(let index, _):
                if try await !recover(changes[index], state) { _ = await catchUp() }
            }
        }
        throw .contended
    }

    private func append(_ changes: [ControlChange], on state: ControlState) async throws(ControlError) -> ControlOutcome {
        try await onLog { [log, recovery] session in
            if try recovery.isBehind(state, session) { _ = try recovery.run(state, session) }
            return try log.append(changes, session)
        }
    }

    /// Gives documents their versions again where a conflict is none: nobody has changed the document, the log has lost the change that this state has.
    ///
    /// - Returns: whether that was so and is mended.
    private func recover(_ change: ControlChange, _ state: ControlState) async throws(ControlError) -> Bool {
        guard let revision = state.row(change.event.kind, change.event.key)?.revision else { return false }
        return try await onLog { [recovery] session in
            if try recovery.stands(revision, session) { return false }
            return try recovery.run(state, session)
        }
    }

    private func onLog<R: Sendable>(_ body: @escaping @Sendable (RedisSession) throws -> R) async throws(ControlError) -> R {
        do {
            return try await redis.run(body)
        } catch let error as RedisError {
            throw .unavailable(LogError(error))
        } catch let error as LogError {
            throw .unavailable(error)
        } catch {
            throw .unavailable(.unavailable("\(error)"))
        }
    }

    /// Waits until this process has folded what stands in the log now; false when it had already.
    private func catchUp() async -> Bool {
        let before = follower.state.position
        guard let head = try? await redis.run({ [log] session in try LogReader(keys: log.keys).bounds(.control, session).last }), head > before else {
            return false
        }
        return await follower.reached(head, within: ControlWriter.settleWait)
    }
}
