internal import Foundation
internal import PostgreSQLDriver
internal import TestSupport
internal import Testing

@Suite("PostgreSQL session")
struct PostgreSQLSessionTests {
    @Test("Parameters of every type arrive as they were sent")
    func parameters() async throws {
        try await withPostgreSQLSession { session in
            let names = ["plain", "", "with \"quotes\" and \\", "{a,b}", "NULL", "žluťoučký 🐎"]
            let answer = try session.query(
                "SELECT $1, $2, $3::text, $4, $5, $6, $7, $8, $9, $10 AS ten, $11",
                [
                    .text("čau"), .int2(-7), nil, .int4(.max), .int8(.min), .bool(true), .uuid(Array(0...15)), .timestamp(microseconds: 1_700_000_000_123_456),
                    .textArray(names), .bytea([0, 255, 92]), .json(Array(#"{ "a":1}"#.utf8)),
                ])
            #expect(answer.rowCount == 1)
            #expect(answer.columnNames[9] == "ten")
            #expect(answer.string(0, 0) == "čau")
            #expect(answer.int(0, 1) == -7)
            #expect(answer.isNull(0, 2))
            #expect(answer.string(0, 2) == nil)
            #expect(answer.int64(0, 3) == Int64(Int32.max))
            #expect(answer.int64(0, 4) == .min)
            #expect(answer.bool(0, 5) == true)
            #expect(answer.uuid(0, 6) == Array(0...15))
            #expect(answer.string(0, 7) == "2023-11-14 22:13:20.123456+00")
            #expect(answer.bytea(0, 9) == [0, 255, 92])
            #expect(answer.string(0, 10) == #"{ "a":1}"#)
            let elements = try session.query("SELECT unnest($1)", [.textArray(names)])
            #expect((0..<elements.rowCount).map { elements.string($0, 0) } == names)
        }
    }

    @Test("A refusal has its SQLSTATE, and the session goes on")
    func refusal() async throws {
        try await withPostgreSQLSession { session in
            let error = postgreSQLError { () throws(PostgreSQLError) in try session.execute("SELECT 1/0") }
            #expect(error?.sqlState == "22012")
            #expect(error?.isRetryable == false)
            #expect(!session.isBroken)
            let one = try session.query("SELECT 1")
            #expect(one.int(0, 0) == 1)
        }
    }

    @Test("A transaction commits what it did, undoes what failed, and says so when a failed one is committed")
    func transactions() async throws {
        try await withPostgreSQLSession { session in
            try session.execute("CREATE TABLE t (n int PRIMARY KEY)")
            try session.transaction { () throws(PostgreSQLError) in try session.execute("INSERT INTO t VALUES (1)") }
            let error = postgreSQLError { () throws(PostgreSQLError) in
                try session.transaction { () throws(PostgreSQLError) in
                    try session.execute("INSERT INTO t VALUES (2)")
                    try session.execute("INSERT INTO t VALUES (1)")
                }
            }
            #expect(error?.sqlState == "23505")
            #expect(!session.isInTransaction)
            let swallowed = postgreSQLError { () throws(PostgreSQLError) in
                try session.transaction { () throws(PostgreSQLError) in _ = try? session.execute("INSERT INTO t VALUES (1)") }
            }
            #expect(swallowed?.sqlState == "40000")
            #expect(try session.query("SELECT count(*) FROM t").int(0, 0) == 1)
        }
    }

    @Test("Several statements are one transaction, and the last one answers")
    func script() async throws {
        try await withPostgreSQLSession { session in
            let answer = try session.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2); UPDATE t SET n = n + 1")
            #expect(answer.affectedRows == 2)
            #expect(postgreSQLError { () throws(PostgreSQLError) in try session.execute("DELETE FROM t; SELECT 1/0") } != nil)
            #expect(try session.query("SELECT sum(n) FROM t").int(0, 0) == 5)
            try session.prepare("plus", "SELECT $1 + $2", types: [.int8(0), .int8(0)])
            #expect(try session.queryPrepared("plus", [.int8(2), .int8(40)]).int64(0, 0) == 42)
        }
    }

    @Test("Nobody at the address is unavailable, and no message repeats a password")
    func nobody() async throws {
        let url = "postgresql://meshlog:hush-hush@127.0.0.1:\(SharedStack.freePort())/meshlog"
        let error = postgreSQLError { () throws(PostgreSQLError) in _ = try PostgreSQLSession(conninfo: url, applicationName: "test") }
        #expect(error?.isRetryable == true)
        #expect(error.map { "\($0)".contains("hush") } == false)
        let misspelt = postgreSQLError { () throws(PostgreSQLError) in
            _ = try PostgreSQLSession(conninfo: "postgresql://meshlog:hush%zzhush@127.0.0.1/x", applicationName: "test")
        }
        #expect(misspelt == .misuse("the connection string cannot be parsed"))
    }

    @Test("A session whose server process was ended is broken, and says unavailable from then on")
    func ended() async throws {
        try await withPostgreSQL { url in
            let session = try PostgreSQLSession(conninfo: url, applicationName: "victim")
            let other = try PostgreSQLSession(conninfo: url, applicationName: "other")
            #expect(try other.query("SELECT application_name FROM pg_stat_activity WHERE pid = \(session.backendPID)").string(0, 0) == "victim")
            try other.query("SELECT pg_terminate_backend(\(session.backendPID), 5000)")
            for _ in 0..<2 {
                let error = postgreSQLError { () throws(PostgreSQLError) in try session.ping() }
                #expect(error?.isRetryable == true)
                #expect(session.isBroken)
            }
            try other.ping()
            #expect(other.serverVersion >= 150_000)
        }
    }

    @Test("Another thread cancels a statement, and a time limit ends one")
    func cancels() async throws {
        try await withPostgreSQL { url in
            let session = try PostgreSQLSession(conninfo: url, applicationName: "sleeper")
            let canceller = try #require(session.canceller)
            let process = session.backendPID
            Thread.detachNewThread {
                // Until the statement runs there is nothing to cancel.
                guard let watcher = try? PostgreSQLSession(conninfo: url, applicationName: "watcher") else { return }
                for _ in 0..<10_000 {
                    let state = try? watcher.query("SELECT state, wait_event FROM pg_stat_activity WHERE pid = \(process)")
                    if state?.string(0, 1) == "PgSleep" { break }
                }
                canceller.cancel()
            }
            let cancelled = postgreSQLError { () throws(PostgreSQLError) in try session.execute("SELECT pg_sleep(60)") }
            #expect(cancelled?.sqlState == "57014")
            try session.setTimeouts(statement: .milliseconds(30), lock: nil)
            let late = postgreSQLError { () throws(PostgreSQLError) in try session.execute("SELECT pg_sleep(60)") }
            #expect(late?.sqlState == "57014")
            #expect(late?.isRetryable == true)
            try session.setTimeouts(statement: nil, lock: nil)
            try session.ping()
        }
    }

    @Test("Notices are kept, the newest 64")
    func notices() async throws {
        try await withPostgreSQLSession { session in
            try session.execute("DO $$ BEGIN FOR i IN 1..70 LOOP RAISE NOTICE 'number %', i; END LOOP; END $$")
            #expect(session.takeNotices() == (7...70).map { "number \($0)" })
            #expect(session.takeNotices() == [])
        }
    }

    @Test("Literals are quoted so that they mean themselves")
    func literals() async throws {
        try await withPostgreSQLSession { session in
            for text in ["", "it's", "back\\slash", "'; DROP TABLE x; --", "ž"] {
                let answer = try session.execute("SELECT \(session.literal(text))")
                #expect(answer.string(0, 0) == text)
            }
        }
    }
}
