internal import Foundation
internal import Logging
internal import Synchronization

/// One server of the embedded stack: a private child process that can be killed, stopped and started again on its port.
package final class EmbeddedServer: Sendable {
    package let kind: ServerKind
    private let recipe: any ServerRecipe
    private let wantedPort: Int
    private let setting: String
    private let log: ServerLog
    private let logger: Logger
    /// Held through a whole start or stop, always on a thread of its own.
    private let lifecycle = NSLock()
    private let state: Mutex<State>
    private let changed: @Sendable () -> Void

    private struct State {
        var child: ChildProcess?
        var port: Int?
        /// Whether it should run: `supervise` brings it back as long as this holds.
        var isWanted = true
    }

    /// - Parameter changed: called after each start, from the thread that started it.
    init(
        recipe: any ServerRecipe, port: Int, setting: String, logPath: String, logger: Logger, changed: @escaping @Sendable () -> Void
    ) {
        kind = recipe.kind
        self.recipe = recipe
        wantedPort = port
        self.setting = setting
        log = ServerLog(path: logPath)
        self.logger = logger
        self.changed = changed
        state = Mutex(State())
    }

    // MARK: - State

    /// The port on 127.0.0.1; the same through restarts.
    package var port: Int { state.withLock { $0.port ?? wantedPort } }

    /// Where a client finds it: `redis://`, `postgresql://` or `nats://`.
    package var url: String { recipe.url(port: port) }

    /// The server's process; nil when it does not run.
    package var pid: Int32? { state.withLock { $0.child }.flatMap { $0.isRunning ? $0.pid : nil } }

    package var isRunning: Bool { pid != nil }

    /// Where its data lies.
    package var folder: String { recipe.folder }

    package var logPath: String { log.path }

    /// The last lines of its log.
    package func logTail(lines: Int = 20) -> String { log.tail(lines: lines) }

    // MARK: - Verbs

    /// Starts it unless it runs, and returns when it answers.
    ///
    /// - Throws: also `.stopped`, when `stop` was called meanwhile.
    package func start() async throws(StackError) {
        state.withLock { $0.isWanted = true }
        try await OwnThread.run { () throws(StackError) in try self.startBlocking() }
    }

    /// Stops it in order, at most `within`, then by SIGKILL; a start that is under way ends. Its data is on the disk when this returns.
    package func stop(within: Duration = StackLimits.stopWithin) async {
        state.withLock { $0.isWanted = false }
        try? await OwnThread.run { () throws(StackError) in self.stopBlocking(within: within) }
    }

    /// Kills it as a crash would (SIGKILL) and returns when its process is gone.
    package func kill9() async {
        let child = state.withLock { $0.child }
        try? await OwnThread.run { () throws(StackError) in
            child?.send(Signals.kill)
            _ = child?.waitForEnd(within: StackLimits.killWithin)
        }
    }

    /// Stops it if it runs, starts it on the same port, and returns when it answers.
    package func restart() async throws(StackError) {
        state.withLock { $0.isWanted = true }
        try await OwnThread.run { () throws(StackError) in
            self.stopBlocking(within: StackLimits.stopWithin)
            try self.startBlocking()
        }
    }

    /// Brings it back whenever it ends without having been stopped. Returns after `stop()` or on cancellation.
    func keepRunning() async {
        var backoff: Duration = .milliseconds(50)
        while !Task.isCancelled {
            guard let child = state.withLock({ $0.child }) else { return }
            let since = ContinuousClock.now
            await child.ended()
            guard !Task.isCancelled, state.withLock({ $0.isWanted }) else { return }
            var facts: Logger.Metadata = ["status": "\(child.exitStatus.map(\.description) ?? "unknown")", "said": "\(log.tail(lines: 1))"]
            // A full disk keeps the server's own log from saying so.
            if let free = Folder.freeBytes(recipe.folder) { facts["disk_free_mb"] = "\(free >> 20)" }
            logger.error("server ended", metadata: metadata(facts))
            // Waiting between attempts, not for a result: one that ran for a while comes back at once.
            backoff = ContinuousClock.now - since > .seconds(10) ? .milliseconds(50) : min(backoff * 2, StackLimits.restartBackoffMax)
            repeat {
                try? await Task.sleep(for: backoff)
                guard !Task.isCancelled, state.withLock({ $0.isWanted }) else { return }
                do {
                    // Not `start`: a stop that comes now would be undone.
                    try await OwnThread.run { () throws(StackError) in try self.startBlocking() }
                } catch {
                    if case .stopped = error { return }
                    logger.error("server does not come back", metadata: metadata(["error": "\(error)"]))
                    backoff = min(backoff * 2, StackLimits.restartBackoffMax)
                }
            } while !isRunning
        }
    }

    // MARK: - Blocking steps

    /// Ends it at once, for the exit of the process. PostgreSQL's SIGQUIT takes its backends along; data stays recoverable.
    func killBlocking(within: Duration) {
        let child = state.withLock { state in
            state.isWanted = false
            return state.child
        }
        guard let child else { return }
        child.send(kind == .postgresql ? Signals.quit : Signals.kill)
        if !child.waitForEnd(within: within) { child.send(Signals.kill) }
    }

    private func startBlocking() throws(StackError) {
        lifecycle.lock()
        defer { lifecycle.unlock() }
        if isRunning { return }
        guard state.withLock({ $0.isWanted }) else { throw .stopped(server: kind) }
        try clearLeftovers()
        let started = ContinuousClock.now
        let fixed = state.withLock { $0.port } ?? (wantedPort == 0 ? nil : wantedPort)
        for attempt in 1... {
            let port = fixed ?? Ports.free()
            do throws(StackError) {
                let child = try launch(port: port)
                state.withLock { state in
                    state.child = child
                    state.port = port
                }
                logger.info(
                    "server ready",
                    metadata: metadata(["port": "\(port)", "pid": "\(child.pid)", "after": "\(ContinuousClock.now - started)"]))
                return changed()
            } catch {
                // Between finding a free port and binding it, somebody else was quicker: another port will do.
                guard case .portTaken = error, fixed == nil, attempt < StackLimits.portAttemptsMax else { throw error }
            }
        }
    }

    private func launch(port: Int) throws(StackError) -> ChildProcess {
        guard Ports.isFree(port) else { throw portTaken(port) }
        for note in try recipe.prepare(port: port) { logger.notice("mended before the start", metadata: metadata(["what": "\(note)"])) }
        log.rotate()
        let logStart = log.size
        let child: ChildProcess
        do throws(SpawnFailure) {
            child = try ChildProcess.spawn(recipe.command(port: port, logPath: log.path))
        } catch {
            throw .failed(server: kind, step: "launch", reason: error.reason)
        }
        do throws(StackError) {
            try waitUntilReady(child, port: port, logStart: logStart)
            return child
        } catch {
            end(child, within: StackLimits.leftoverWithin)
            throw error
        }
    }

    private func waitUntilReady(_ child: ChildProcess, port: Int, logStart: Int) throws(StackError) {
        let started = ContinuousClock.now
        var bound = StackLimits.readyWithin
        var last = Readiness.starting
        var nextWord = Duration.seconds(5)
        while true {
            if let status = child.exitStatus {
                let tail = log.tail(from: logStart)
                if tail.contains("ddress already in use") { throw portTaken(port) }
                throw .endedEarly(server: kind, how: status.description, log: tail)
            }
            guard state.withLock({ $0.isWanted }) else { throw .stopped(server: kind) }
            last = recipe.probe(port: port, pid: child.pid)
            switch last {
            case .ready: return
            case .broken(let reason): throw .failed(server: kind, step: "start", reason: reason)
            case .recovering: bound = StackLimits.recoverWithin
            case .starting: break
            }
            let elapsed = ContinuousClock.now - started
            guard elapsed < bound else {
                throw .notReady(server: kind, after: bound, state: "\(last)", log: log.tail(from: logStart))
            }
            if elapsed > nextWord {
                logger.notice("waiting for server", metadata: metadata(["state": "\(last)", "after": "\(elapsed)"]))
                nextWord += .seconds(5)
            }
            _ = child.waitForEnd(within: StackLimits.readyPoll)
        }
    }

    private func stopBlocking(within: Duration) {
        lifecycle.lock()
        defer { lifecycle.unlock() }
        guard let child = state.withLock({ $0.child }), child.isRunning else { return }
        end(child, within: within)
        logger.info("server stopped", metadata: metadata(["status": "\(child.exitStatus.map(\.description) ?? "unknown")"]))
    }

    private func end(_ child: ChildProcess, within: Duration) {
        child.send(kind.stopSignal)
        guard !child.waitForEnd(within: within) else { return }
        logger.warning("server does not stop, killing it", metadata: metadata(["after": "\(within)"]))
        child.send(Signals.kill)
        _ = child.waitForEnd(within: StackLimits.killWithin)
    }

    /// Stops what an earlier run left behind when it was killed.
    ///
    /// They are stopped, not adopted: an adopted server is not our child (no death signal, no exit status) and runs with the
    /// ports and settings of the earlier run; a stopped one costs a restart of a few hundred milliseconds. Mostly there is
    /// nothing to do: the death signal has already told them to stop.
    private func clearLeftovers() throws(StackError) {
        let rest = leftovers()
        guard !rest.isEmpty else { return }
        logger.notice("stopping leftovers of an earlier run", metadata: metadata(["pids": "\(rest.map(\.pid))"]))
        let leaders = recipe.leaders(among: rest)
        let within = leaders.isEmpty ? StackLimits.orphanWithin : StackLimits.leftoverWithin
        for entry in leaders.isEmpty ? rest : leaders {
            Signals.send(leaders.isEmpty ? Signals.quit : kind.stopSignal, to: entry.pid)
        }
        let gone = { rest.allSatisfy { Processes.hasEnded($0.pid) } && self.leftovers().isEmpty }
        if OwnThread.wait(within: within, until: gone) { return }
        // Looked up again: in the meantime a pid may have become somebody else's.
        for entry in leftovers() { Signals.send(Signals.kill, to: entry.pid) }
        guard OwnThread.wait(within: StackLimits.killWithin, until: gone) else {
            throw .leftovers(server: kind, pids: leftovers().map(\.pid))
        }
    }

    private func leftovers() -> [Processes.Entry] {
        Processes.working(in: recipe.folder, programs: recipe.programs)
    }

    private func portTaken(_ port: Int) -> StackError {
        .portTaken(server: kind, port: port, setting: setting, holder: Processes.holder(ofPort: port))
    }

    private func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        more.merging(["server": "\(kind.rawValue)"]) { first, _ in first }
    }
}
