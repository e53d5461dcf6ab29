internal import Foundation
internal import PostgreSQLDriver
internal import Replay
internal import TestSupport
internal import Testing

@Suite("Migrator")
struct MigratorTests {
    @Test("An empty database gets everything once, and the second time nothing")
    func twice() async throws {
        try await withEmptyDatabase { url in
            let session = try openSession(url)
            let migrator = try Migrator(folder: migrationFolder)
            let before = try migrator.plan(on: session)
            #expect(before.applied.isEmpty && before.flavour == nil)
            #expect(migrationError { () throws(MigrationError) in _ = try migrator.check(on: session) } == .pending(before.pending))
            let first = try migrator.apply(on: session)
            #expect(first.applied == before.pending)
            #expect(first.applied.first == "0001_timescaledb.sql" && first.applied.last == "views/message_log.sql")
            #expect(first.flavour != nil)
            let second = try migrator.apply(on: session)
            #expect(second.applied == [])
            #expect(try migrator.check(on: session).flavour == first.flavour)
            // Today can be written to without further ado.
            try session.execute(
                """
                INSERT INTO message_exchange (log_ts, partition, entry_ms, entry_seq, message_uuid, v, event, topic)
                SELECT timestamptz 'epoch' + ms * interval '1 ms', 0, ms, 0, gen_random_uuid(), 1, 'message.accepted', 'a'
                FROM (SELECT (extract(epoch FROM now()) * 1000)::int8 AS ms) now
                """)
            #expect(try session.query("SELECT count(*) FROM message_log").int(0, 0) == 1)
        }
    }

    @Test("Without TimescaleDB, or with it switched off, a day is a native partition, and old days are dropped when told so")
    func native() async throws {
        try await withEmptyDatabase { url in
            let session = try openSession(url)
            #expect(try Migrator(folder: migrationFolder, useTimescale: false).apply(on: session).flavour == .native)
            #expect(try session.query("SELECT meshlog_ensure_day('2020-02-29')").int(0, 0) == 3)
            #expect(try session.query("SELECT meshlog_ensure_day('2020-02-29')").int(0, 0) == 0)
            let dropped = try session.query("SELECT object FROM meshlog_maintain('10 days') WHERE action = 'dropped'")
            #expect((0..<dropped.rowCount).map { dropped.string($0, 0) } == ["delivery_20200229", "verdict_20200229", "message_exchange_20200229"])
            #expect(try session.query("SELECT count(*) FROM meshlog_maintain('10 days')").int(0, 0) == 0)
        }
    }

    @Test("Several at once on one database: one applies, the others find it done")
    func atOnce() async throws {
        try await SharedStack.withDatabase { url in
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int, any Error>) in
                            Thread.detachNewThread {
                                continuation.resume(with: Result { try Migrator(folder: migrationFolder).apply(on: openSession(url)).applied.count })
                            }
                        }
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(applied.filter { $0 > 0 }.count == 1)
        }
    }

    @Test("A numbered file that was changed is refused, a changed function is renewed, a broken step leaves nothing")
    func changes() async throws {
        try await withTemporaryFolder { folder in
            try await withEmptyDatabase { url in
                let files = FileManager.default
                let copy = folder + "/migrations"
                try files.copyItem(atPath: migrationFolder, toPath: copy)
                func append(_ text: String, to name: String) throws {
                    let path = copy + "/" + name
                    try ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").appending(text).write(toFile: path, atomically: true, encoding: .utf8)
                }
                let session = try openSession(url)
                let count = try Migrator(folder: copy).apply(on: session).applied.count

                try append("\n-- another word\n", to: "functions/meshlog_flavour.sql")
                #expect(try Migrator(folder: copy).apply(on: session).applied == ["functions/meshlog_flavour.sql"])

                let numbered = try numberedCount(copy)
                let next = String(format: "%04d_next.sql", numbered + 1)
                try append("CREATE TABLE next (n int); SELECT 1/0;", to: next)
                let broken = migrationError { () throws(MigrationError) in _ = try Migrator(folder: copy).apply(on: session) }
                guard case .failed(let step, let cause) = broken else {
                    Issue.record("\(String(describing: broken))")
                    return
                }
                #expect(step == next && cause.sqlState == "22012")
                #expect(try session.query("SELECT to_regclass('next')").isNull(0, 0))
                try files.removeItem(atPath: copy + "/" + next)
                try append("CREATE TABLE next (n int);", to: next)
                // Functions and views again: the new step may have dropped what they need.
                let again = try Migrator(folder: copy).apply(on: session).applied
                #expect(again.first == next)
                #expect(again.count == 1 + count - numbered)

                try files.removeItem(atPath: copy + "/" + next)
                #expect(migrationError { () throws(MigrationError) in _ = try Migrator(folder: copy).plan(on: session) } == .unknown(next))
                try append("\n-- harmless, but changed\n", to: "0005_checkpoint.sql")
                try session.execute("DELETE FROM migration WHERE name = '\(next)'")
                #expect(migrationError { () throws(MigrationError) in _ = try Migrator(folder: copy).apply(on: session) } == .changed("0005_checkpoint.sql"))
            }
        }
    }

    @Test("A view of the user's that reads message_log stays through an upgrade that adds a column to it")
    func dependentView() async throws {
        try await withTemporaryFolder { folder in
            try await withEmptyDatabase { url in
                let copy = folder + "/migrations"
                try FileManager.default.copyItem(atPath: migrationFolder, toPath: copy)
                let session = try openSession(url)
                _ = try Migrator(folder: copy).apply(on: session)
                try session.execute("CREATE VIEW mine AS SELECT topic, ack_ts FROM message_log")
                let view = copy + "/views/message_log.sql"
                let text = try String(contentsOfFile: view, encoding: .utf8)
                try text.replacing("\nFROM message_exchange m\n", with: ", m.release\nFROM message_exchange m\n").write(
                    toFile: view, atomically: true, encoding: .utf8)
                #expect(try Migrator(folder: copy).apply(on: session).applied == ["views/message_log.sql"])
                #expect(try session.query("SELECT count(release) FROM message_log").int(0, 0) == 0)
                #expect(try session.query("SELECT count(*) FROM mine").int(0, 0) == 0)
                // A column that goes makes it anew, once nobody reads it.
                try session.execute("DROP VIEW mine")
                try text.replacing(", m.event, m.v\n", with: ", m.event\n").write(toFile: view, atomically: true, encoding: .utf8)
                _ = try Migrator(folder: copy).apply(on: session)
                #expect(
                    try session.query(
                        "SELECT count(*) FROM information_schema.columns WHERE table_name = 'message_log' AND column_name IN ('v', 'release')"
                    ).int(0, 0) == 0)
            }
        }
    }

    @Test("A folder that is none is named")
    func folder() {
        #expect(migrationError { () throws(MigrationError) in _ = try Migrator(folder: "/nowhere") } == .folder("cannot read /nowhere"))
    }
}

private func numberedCount(_ folder: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".sql") }.count
}

private func migrationError(_ body: () throws(MigrationError) -> Void) -> MigrationError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
