internal import Dispatch
internal import Foundation
internal import Glibc
internal import Synchronization

/// A program to run as a private child process.
struct ChildCommand: Sendable {
    var program: String
    var arguments: [String]
    /// Its working folder, by which it is found again after a crash.
    var folder: String
    /// Where its standard output and error go, appended.
    var logPath: String
    /// Runs as this account; nil: as ours.
    var account: Account?
    /// What it receives when Meshlog dies without stopping it.
    var deathSignal: Int32
}

/// A running child process.
///
/// Each has a thread of its own that spawns it and then waits for its end. That is not only convenient: Linux sends the
/// parent-death signal when the *thread* that spawned the child ends, so the spawner must live as long as the child.
/// The child is its own session: Ctrl-C and a closing terminal reach Meshlog alone, which then stops the servers in order.
/// It is launched through setpriv(1) of util-linux (essential in Debian), which sets the death signal and the account.
final class ChildProcess: Sendable {
    let pid: Int32
    private let end = DispatchGroup()
    private let status = Mutex<ExitStatus?>(nil)

    private static let changer = "/usr/bin/env"
    private static let launcher = "/usr/bin/setpriv"
    /// Descriptors that other threads may open between the look and the spawn.
    private static let descriptorsMargin: Int32 = 64
    /// From glibc's spawn.h; not imported everywhere.
    private static let newSession: Int32 = 0x80

    /// Spawns `command` and returns when it runs (its program may still fail to start: it then ends with 127).
    static func spawn(_ command: ChildCommand) throws(SpawnFailure) -> ChildProcess {
        let started = DispatchSemaphore(value: 0)
        let box = OutcomeBox()
        Thread.detachNewThread {
            let result: Result<ChildProcess, SpawnFailure>
            do throws(SpawnFailure) {
                result = .success(ChildProcess(pid: try launch(command)))
            } catch {
                result = .failure(error)
            }
            box.outcome.withLock { $0 = result }
            started.signal()
            if case .success(let child) = result { child.waitForEnd() }
        }
        started.wait()
        return try box.outcome.withLock { $0! }.get()
    }

    private init(pid: Int32) {
        self.pid = pid
        end.enter()
    }

    /// How it ended; nil while it runs.
    var exitStatus: ExitStatus? { status.withLock { $0 } }

    var isRunning: Bool { exitStatus == nil }

    /// Waits for its end, at most `within`; whether it ended. Blocks.
    func waitForEnd(within: Duration) -> Bool {
        let nanoseconds = Int(within.components.seconds) * 1_000_000_000 + Int(within.components.attoseconds / 1_000_000_000)
        return end.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success
    }

    /// Waits for its end, or for the cancellation of the task.
    func ended() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        end.notify(queue: .global()) { continuation.finish() }
        for await _ in stream {}
    }

    /// Sends `signal` if it still runs. Its pid cannot have been reused: it is reaped under the same lock.
    func send(_ signal: Int32) {
        status.withLock { status in
            if status == nil { Signals.send(signal, to: pid) }
        }
    }

    private func waitForEnd() {
        // Wait without reaping, so that the pid stays ours until `status` says that it ended.
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        status.withLock { status in
            var word: Int32 = 0
            while waitpid(pid, &word, 0) < 0 && errno == EINTR {}
            status = ExitStatus(waitStatus: word)
        }
        end.leave()
    }

    private static func launch(_ command: ChildCommand) throws(SpawnFailure) -> Int32 {
        // env changes the folder, setpriv the rest; each replaces itself, so the pid stays.
        var words = [changer, "--chdir", command.folder, launcher, "--pdeathsig", Signals.name(command.deathSignal)]
        if let account = command.account {
            words += ["--reuid", String(account.uid), "--regid", String(account.gid), "--clear-groups"]
        }
        words += ["--", command.program] + command.arguments

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, command.logPath, O_WRONLY | O_CREAT | O_APPEND, 0o640)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Nothing of ours may live on in a server: a listening socket would keep its port, a lock its folder.
        // glibc's closefrom action is not imported; closing what is not open does no harm.
        for descriptor in 3...highestDescriptor() + descriptorsMargin { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var every = sigset_t()
        sigfillset(&every)
        var none = sigset_t()
        sigemptyset(&none)
        // Ignored signals would stay ignored across exec, and a server that ignores SIGINT does not stop.
        posix_spawnattr_setsigdefault(&attributes, &every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(newSession | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)))

        // A fresh environment: no PGDATA, no locale of the user, no LD_PRELOAD meant for Meshlog.
        let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "LANG=C", "TZ=UTC", "HOME=\(command.folder)"]
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, changer, &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw SpawnFailure(reason: "\(changer): \(String(cString: strerror(code)))") }
        return pid
    }
}

extension ChildProcess {
    private static func highestDescriptor() -> Int32 {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return open.compactMap { Int32($0) }.max() ?? 255
    }
}

/// Why a program could not be launched.
struct SpawnFailure: Error {
    let reason: String
}

/// Carries a lock into a thread.
private final class OutcomeBox: Sendable {
    let outcome = Mutex<Result<ChildProcess, SpawnFailure>?>(nil)
}
