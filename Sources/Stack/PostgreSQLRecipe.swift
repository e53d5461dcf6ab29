internal import Foundation
internal import Glibc

/// A private PostgreSQL, with the role and database `meshlog`.
///
/// Trust authentication: whoever has an account on this machine may log in, as with Redis and NATS here. It listens on
/// 127.0.0.1 and on a socket in `folder`, which only its own account may enter.
struct PostgreSQLRecipe: ServerRecipe {
    /// The folder with `postgres` and `initdb`.
    let programFolder: String
    let folder: String
    /// Who runs it; nil: we ourselves. Root must hand over: PostgreSQL refuses to run as root.
    let account: Account?
    let sharedBuffersMiB: Int
    let connectionsMax: Int
    let fsync: Bool
    /// `/usr/lib/postgresql/<version>/lib/timescaledb.so` exists.
    let hasTimescale: Bool
    /// Keeps other stacks away where `folder` lies outside the data folder, which has a lock itself.
    let lock: FolderLock?

    static let role = "meshlog"
    static let database = "meshlog"

    var kind: ServerKind { .postgresql }
    var programs: Set<String> { ["postgres", "initdb"] }

    private var data: String { folder + "/data" }

    func prepare(port: Int) throws(StackError) -> [String] {
        try Folder.make(folder, mode: 0o700, owner: account)
        if access(data + "/PG_VERSION", F_OK) != 0 { try initialise() }
        // Nobody works in the data folder any more (the caller made sure), so a lock file is a dead run's. PostgreSQL would
        // mostly see that itself, except when another process has its pid now, which is common in containers.
        unlink(data + "/postmaster.pid")
        try Folder.touch(data + "/local.conf", owner: account)
        try Folder.write(settings(port: port), to: data + "/postgresql.conf", owner: account)
        try Folder.write(Self.admission, to: data + "/pg_hba.conf", owner: account)
        return []
    }

    func command(port: Int, logPath: String) -> ChildCommand {
        ChildCommand(
            program: programFolder + "/postgres", arguments: ["-D", data], folder: folder, logPath: logPath, account: account,
            deathSignal: kind.stopSignal)
    }

    func probe(port: Int, pid: Int32) -> Readiness {
        // Line 1 is the postmaster's pid, line 8 its state: it says "ready" once it listens and has recovered.
        guard let text = try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8) else { return .starting }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 7, Int32(lines[0]) == pid else { return .starting }
        guard lines[7].hasPrefix("ready") else { return .recovering(lines[7].trimmingCharacters(in: .whitespaces)) }
        do throws(SetupFailure) {
            _ = try SetupSession(port: port, database: Self.database)
            return .ready
        } catch {
            switch error.code {
            case "57P03", "": return .recovering("starting")  // cannot_connect_now
            case "3D000": return createDatabase(port: port)  // the database does not exist
            default: return .broken(error.description)
            }
        }
    }

    func leaders(among processes: [Processes.Entry]) -> [Processes.Entry] {
        let text = (try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)) ?? ""
        let postmaster = text.split(separator: "\n").first.flatMap { Int32($0) }
        return processes.filter { $0.pid == postmaster }
    }

    func url(port: Int) -> String { "postgresql://\(Self.role)@127.0.0.1:\(port)/\(Self.database)" }

    // MARK: - Steps

    /// Makes the cluster beside its final place and moves it there, so that a crash leaves none that is half made.
    private func initialise() throws(StackError) {
        let draft = folder + "/data.new"
        try? FileManager.default.removeItem(atPath: draft)
        try? FileManager.default.removeItem(atPath: data)
        try run(
            programFolder + "/initdb",
            [
                "--pgdata", draft, "--username", Self.role, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-instructions",
                "--no-sync",
            ])
        // initdb syncs file by file, about a thousand of them; syncfs(2) is one call.
        if fsync { try run("/usr/bin/sync", ["--file-system", draft]) }
        guard rename(draft, data) == 0 else { throw Folder.failure(data) }
    }

    private func run(_ program: String, _ arguments: [String]) throws(StackError) {
        let log = folder + "/initdb.log"
        let command = ChildCommand(
            program: program, arguments: arguments, folder: folder, logPath: log, account: account, deathSignal: Signals.kill)
        do throws(SpawnFailure) {
            let child = try ChildProcess.spawn(command)
            guard child.waitForEnd(within: StackLimits.readyWithin) else {
                child.send(Signals.kill)
                throw SpawnFailure(reason: "not done after \(StackLimits.readyWithin)")
            }
            guard child.exitStatus == .exited(code: 0) else { throw SpawnFailure(reason: ServerLog(path: log).tail()) }
        } catch {
            throw .failed(server: .postgresql, step: program, reason: error.reason)
        }
    }

    private func createDatabase(port: Int) -> Readiness {
        do throws(SetupFailure) {
            let session = try SetupSession(port: port, database: "postgres")
            try session.query("CREATE DATABASE \(Self.database)")
            return .recovering("database created")
        } catch {
            return .broken(error.description)
        }
    }

    private func settings(port: Int) -> String {
        let quoted = folder.replacingOccurrences(of: "'", with: "''")
        let fits = (folder + "/.s.PGSQL.65535").utf8.count <= StackLimits.socketPathBytesMax
        return """
            # Written by Meshlog at every start; own settings go into local.conf beside it.
            listen_addresses = '127.0.0.1'
            port = \(port)
            unix_socket_directories = '\(fits ? quoted : "")'
            max_connections = \(connectionsMax)
            # One machine for everything: modest memory, the rest is the kernel's cache.
            shared_buffers = \(sharedBuffersMiB)MB
            huge_pages = off
            work_mem = 8MB
            maintenance_work_mem = 64MB
            effective_io_concurrency = 16
            fsync = \(fsync ? "on" : "off")
            # One call instead of one per file at the start after a crash: 0.3 s instead of 3.4 s here.
            recovery_init_sync_method = syncfs
            # On even without fsync: off would keep commits in memory that a killed PostgreSQL takes along.
            synchronous_commit = on
            # The archive is written in large COPYs: fewer checkpoints, smaller full-page images.
            wal_compression = on
            max_wal_size = 2GB
            min_wal_size = 128MB
            checkpoint_timeout = 10min
            wal_level = replica
            max_wal_senders = 2
            # Statements here are short; compiling them costs more than it gives.
            jit = off
            # A partition per day, each with its indexes.
            max_locks_per_transaction = 256
            dynamic_shared_memory_type = \(Self.sharedMemory)
            timezone = 'UTC'
            log_timezone = 'UTC'
            datestyle = 'iso, ymd'
            lc_messages = 'C'
            lc_monetary = 'C'
            lc_numeric = 'C'
            lc_time = 'C'
            default_text_search_config = 'pg_catalog.simple'
            log_destination = 'stderr'
            logging_collector = off
            log_line_prefix = '%m [%p] %q%d '
            # Statements may carry payloads: they stay out of the log.
            log_min_error_statement = panic
            log_checkpoints = off
            \(timescale)
            include_if_exists = 'local.conf'

            """
    }

    private var timescale: String {
        hasTimescale
            ? "shared_preload_libraries = 'timescaledb'\ntimescaledb.telemetry_level = off"
            : "# TimescaleDB is not installed."
    }

    /// POSIX shared memory where every account may make some, as usual; some containers lock /dev/shm.
    private static var sharedMemory: String {
        var info = stat()
        return stat("/dev/shm", &info) == 0 && info.st_mode & S_IWOTH != 0 ? "posix" : "sysv"
    }

    private static let admission = """
        # Written by Meshlog at every start.
        local all all trust
        host all all 127.0.0.1/32 trust
        local replication all trust

        """
}
