/// What a PostgreSQL server says of itself, and what that means for the archive.
package struct PostgreSQLFacts: Sendable {
    /// Such as 150020 for 15.20.
    package var version = 0
    package var settings: [String: String] = [:]
    /// Version of the extension in this database; empty when it is not created.
    package var timescaleCreated = ""
    /// The server has the extension's files.
    package var timescaleAvailable = false
    package var timescalePreloaded = false
    package var isStandby = false
    /// What transactions of this role are, unless they say otherwise.
    package var isReadOnly = false
    /// The role may make tables in the first schema of its search path.
    package var mayCreate = true
    /// The role may make tables in the schema `projections`, or the schema itself.
    package var mayProject = true

    package init() {}

    package var findings: [Finding] { [versionFinding] + durability + [encoding] + place + [timescale] }

    private func finding(_ check: String, _ state: Finding.State, _ sentence: String) -> Finding { Finding("PostgreSQL", check, state, sentence) }

    private var versionFinding: Finding {
        let text = "\(version / 10_000).\(version % 10_000)"
        if version >= 150_000 { return finding("version", .ok, text) }
        if version >= 140_000 { return finding("version", .warn, "\(text): it works, but tests run on 15") }
        return finding("version", .fail, "\(text): 14 or newer is needed")
    }

    private var durability: [Finding] {
        func setting(_ name: String, _ good: [String], _ meaning: String, _ cost: String, _ state: Finding.State) -> Finding {
            let value = settings[name] ?? "unknown"
            return good.contains(value) ? finding(name, .ok, "\(value): \(meaning)") : finding(name, state, "\(value): \(cost)")
        }
        return [
            setting("fsync", ["on"], "what is committed is on the disk", "a crash of the machine can destroy the archive beyond repair. Set it to on", .fail),
            setting(
                "full_page_writes", ["on"], "a torn page is repaired",
                "a crash of the machine in the middle of a write can leave torn pages in the archive. Set it to on",
                .fail),
            setting(
                "synchronous_commit", ["on", "remote_apply", "remote_write", "local"], "a checkpoint is on the disk when it is reported",
                "a crash can undo the last commits, about 0.6 s. The checkpoint goes back with the rows, so the archive refills itself from the log as long as the log still holds them",
                .warn),
        ]
    }

    private var encoding: Finding {
        let value = settings["server_encoding"] ?? "unknown"
        return value == "UTF8"
            ? finding("server_encoding", .ok, value)
            : finding("server_encoding", .fail, "\(value): messages with characters it lacks cannot be archived. Create the database with ENCODING 'UTF8'")
    }

    private var place: [Finding] {
        if isStandby { return [finding("role", .fail, "the server is a standby: nothing can be archived; give the primary's address")] }
        var out: [Finding] = []
        if isReadOnly {
            out.append(
                finding(
                    "role", .fail,
                    "its transactions are read-only: nothing can be archived. ALTER ROLE … RESET default_transaction_read_only, or the same for the database"
                ))
        }
        if !mayCreate {
            out.append(
                finding(
                    "schema rights", .fail,
                    "the role may make no tables in its schema: no start succeeds. GRANT CREATE, USAGE ON SCHEMA public, or make the role the schema's owner"
                ))
        }
        if !mayProject {
            out.append(
                finding(
                    "projections rights", .fail,
                    "the role may make neither the schema projections nor tables in it: no projection can be kept. GRANT CREATE ON DATABASE, or on the schema when it is there"
                ))
        }
        return out
    }

    private var timescale: Finding {
        if !timescaleCreated.isEmpty, !timescalePreloaded {
            return finding(
                "timescaledb", .fail,
                "\(timescaleCreated) is created but not preloaded: rows would silently be missing. Add it to shared_preload_libraries and restart")
        }
        if !timescaleCreated.isEmpty {
            guard let workers = settings["timescaledb.max_background_workers"].flatMap({ Int($0) }),
                let processes = settings["max_worker_processes"].flatMap({ Int($0) }), workers + 3 > processes
            else { return finding("timescaledb", .ok, "\(timescaleCreated), its background jobs compress and drop old chunks") }
            return finding(
                "timescaledb", .warn,
                "\(timescaleCreated), but max_worker_processes (\(processes)) has no room for its \(workers) background workers: compression and retention jobs may not start. Raise it above \(workers + 3)"
            )
        }
        if timescaleAvailable, !timescalePreloaded {
            return finding(
                "timescaledb", .warn,
                "installed but not in shared_preload_libraries: the archive keeps native daily partitions, without compression. Preload it before the first migration"
            )
        }
        if timescaleAvailable { return finding("timescaledb", .ok, "available; a new archive will use it") }
        return finding("timescaledb", .ok, "not installed: the archive keeps native daily partitions")
    }
}
