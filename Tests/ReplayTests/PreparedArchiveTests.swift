internal import PostgreSQLDriver
internal import Replay
internal import Stack
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite("Prepared archive")
struct PreparedArchiveTests {
    private let identity = LogIdentity(prefix: "meshlog", id: "one")

    @Test("Nobody gets a connection before the migrations are applied, of several at once none, and they are applied once")
    func prepared() async throws {
        try await SharedStack.withDatabase { url in
            let isAway = Mutex(true)
            let opened = Mutex<[String]>([])
            let archive = try PreparedArchive(folder: migrationFolder, identity: identity) { (name: String) throws(PostgreSQLError) in
                if isAway.withLock({ $0 }) { throw .unavailable("away") }
                opened.withLock { $0.append(name) }
                return try PostgreSQLSession(conninfo: url, applicationName: name)
            }
            #expect(throws: PostgreSQLError.unavailable("away")) { try archive.connect("early") }
            isAway.withLock { $0 = false }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let count = try await onThread { try archive.connect("stage").query("SELECT count(*) FROM message_log").int(0, 0) }
                        #expect(count == 0)
                    }
                }
                try await group.waitForAll()
            }
            let before = opened.withLock { $0.count }
            _ = try archive.connect("later")
            #expect(opened.withLock { Array($0[before...]) } == ["later"])
        }
    }

    @Test("What a start would be refused for refuses every connection, with the reason")
    func refused() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            try session.execute("INSERT INTO migration (name, kind, sha256) VALUES ('9999_later.sql', 'numbered', '')")
            let archive = try PreparedArchive(folder: migrationFolder, identity: identity) { (name: String) throws(PostgreSQLError) in
                try PostgreSQLSession(conninfo: url, applicationName: name)
            }
            #expect(throws: MigrationError.unknown("9999_later.sql")) { try archive.prepare() }
            #expect(throws: PostgreSQLError.misuse(MigrationError.unknown("9999_later.sql").description)) { try archive.connect("stage") }
            try session.execute("DELETE FROM migration WHERE name = '9999_later.sql'")
            _ = try archive.connect("stage")
        }
    }

    @Test("A database that was dropped and made again while serving is set up again, and is this log's")
    func emptied() async throws {
        let port = try await SharedStack.shared.postgresql.port
        try await SharedStack.withDatabase { url in
            let archive = try PreparedArchive(folder: migrationFolder, identity: identity) { (name: String) throws(PostgreSQLError) in
                try PostgreSQLSession(conninfo: url, applicationName: name)
            }
            _ = try archive.connect("stage")
            let database = url.split(separator: "/").last.map(String.init) ?? ""
            try await onThread {
                let session = try SetupSession(port: port, database: "postgres")
                try session.query("DROP DATABASE \(database) WITH (FORCE)")
                try session.query("CREATE DATABASE \(database) TEMPLATE template0")
            }
            let session = try archive.connect("stage")
            #expect(try session.query("SELECT count(*) FROM message_log").int(0, 0) == 0)
            #expect(try LogIdentity.owner(on: session) == identity)
        }
    }

    @Test("An archive that is of another log by now gives nobody a connection")
    func another() async throws {
        try await SharedStack.withDatabase { url in
            let archive = try PreparedArchive(folder: migrationFolder, identity: identity) { (name: String) throws(PostgreSQLError) in
                try PostgreSQLSession(conninfo: url, applicationName: name)
            }
            let session = try archive.connect("stage")
            #expect(try LogIdentity.owner(on: session) == identity)
            let other = LogIdentity(prefix: "meshlog", id: "two")
            try other.adopt(on: session)
            #expect(throws: PostgreSQLError.misuse(identity.refusal(of: other))) { try archive.connect("stage") }
        }
    }
}
