internal import Foundation

/// A private redis-server: append-only file, nothing evicted, no snapshots.
struct RedisRecipe: ServerRecipe {
    let program: String
    let folder: String
    let fsync: EmbeddedStack.RedisFsync

    var kind: ServerKind { .redis }

    /// Debian's redis-server is a link to redis-check-rdb, and that is what the kernel calls it.
    var programs: Set<String> {
        ["redis-server", String(Processes.resolved(program).split(separator: "/").last ?? "redis-server")]
    }

    private var configuration: String { folder + "/redis.conf" }

    func prepare(port: Int) throws(StackError) -> [String] {
        try Folder.make(folder, mode: 0o700)
        try Folder.touch(folder + "/local.conf")
        let isOurs = keepsItsPlace
        let text = """
            # Written by Meshlog at every start; own settings go into local.conf beside it.
            bind 127.0.0.1
            protected-mode yes
            port \(port)
            daemonize no
            supervised no
            dir \(quoted(folder))
            # "" is the standard output, which Meshlog appends to its own log file.
            logfile ""
            loglevel notice
            databases 16
            tcp-backlog 511
            # The log is never thinned out to make room: a full memory refuses writes instead.
            maxmemory-policy noeviction
            # The append-only file is the data; snapshots would only cost.
            save ""
            appendonly yes
            appendfsync \(fsync.rawValue)
            no-appendfsync-on-rewrite no
            # What a kill leaves half written at the end Meshlog cuts off before the start: Redis would cut a function's changes in two.
            aof-load-truncated \(isOurs ? "no" : "yes")
            aof-use-rdb-preamble yes
            auto-aof-rewrite-percentage 100
            auto-aof-rewrite-min-size 256mb
            include \(quoted(folder + "/local.conf"))

            """
        try Folder.write(text, to: configuration)
        guard isOurs else { return [] }
        let copy = folder + "/appendonly.cut"
        let cut = try AppendOnlyFile.makeWhole(in: folder + "/appendonlydir", keeping: copy)
        return cut == 0 ? [] : ["a kill had left \(cut) bytes of an unfinished write at the end of the append-only file; they are in \(copy)"]
    }

    /// Own settings may put the append-only file elsewhere; then Redis itself repairs its end, as well as it can.
    private var keepsItsPlace: Bool {
        let own = (try? String(contentsOfFile: folder + "/local.conf", encoding: .utf8)) ?? ""
        return !own.split(whereSeparator: \.isNewline).contains { line in
            let name = line.split(whereSeparator: { $0.isWhitespace || $0 == "\"" || $0 == "'" }).first?.lowercased() ?? ""
            return ["dir", "appenddirname", "appendfilename", "appendonly", "include"].contains(name)
        }
    }

    func command(port: Int, logPath: String) -> ChildCommand {
        ChildCommand(
            program: program, arguments: [configuration], folder: folder, logPath: logPath, account: nil, deathSignal: kind.stopSignal)
    }

    /// INFO answers while the data is loading, and tells whose process answers; PING answers once it is loaded.
    func probe(port: Int, pid: Int32) -> Readiness {
        guard let socket = LoopbackSocket(port: port, within: StackLimits.answerWithin), socket.send("INFO\r\nPING\r\n") else {
            return .starting
        }
        let answer = socket.receive { $0.hasSuffix("+PONG\r\n") || ($0.contains("-LOADING") && $0.hasSuffix("\r\n")) }
        guard let answer, answer.contains("process_id:\(pid)\r\n") else { return .starting }
        return answer.hasSuffix("+PONG\r\n") ? .ready : .recovering("loading the append-only file")
    }

    func url(port: Int) -> String { "redis://127.0.0.1:\(port)" }

    /// - Source: redis.conf: strings in double quotes with C escapes.
    private func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }
}
