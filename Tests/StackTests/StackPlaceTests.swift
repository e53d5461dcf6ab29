internal import Foundation
internal import Glibc
internal import Stack
internal import TestSupport
internal import Testing

/// Root's PostgreSQL whose account cannot reach the data folder: its part lies elsewhere, and a link leads there.
@Suite("A stack behind a closed folder", .serialized, .enabled(if: geteuid() == 0, "only root's PostgreSQL runs as another account"))
struct StackPlaceTests {
    private func configuration(_ folder: String, _ data: String) -> EmbeddedStack.Configuration {
        var configuration = EmbeddedStack.Configuration(dataFolder: "\(folder)/closed/\(data)")
        configuration.fallbackFolder = folder + "/elsewhere"
        configuration.servers = [.postgresql]
        configuration.ports = [:]
        configuration.postgresqlFsync = false
        return configuration
    }

    /// Runs `body` with a stack on a folder that PostgreSQL's account may not pass.
    private func running(_ folder: String, _ data: String, _ body: (EmbeddedStack) async throws -> Void) async throws {
        let stack = try await EmbeddedStack.start(configuration(folder, data), logger: quiet)
        do {
            try await body(stack)
            await stack.stop()
        } catch {
            await stack.stop()
            throw error
        }
    }

    /// Why no stack starts there.
    private func refusal(_ folder: String, _ data: String) async throws -> String {
        let error = await #expect(throws: StackError.self) { _ = try await EmbeddedStack.start(configuration(folder, data), logger: quiet) }
        return try #require(error).description
    }

    private func withClosedFolder(_ body: (String) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: folder + "/closed", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try await body(folder)
        }
    }

    /// What the archive of the first folder has.
    private func isKept(_ stack: EmbeddedStack) throws -> Bool { try sql(stack, "SELECT word FROM kept") == [["yes"]] }

    private func copy(_ folder: String, _ from: String, _ to: String) throws {
        try FileManager.default.copyItem(atPath: "\(folder)/closed/\(from)", toPath: "\(folder)/closed/\(to)")
    }

    @Test(
        "A copy of the data folder does not get the archive, whether the first is running or not; without the link it gets one of its own")
    func copies() async throws {
        try await withClosedFolder { folder in
            try await running(folder, "one") { stack in
                try sql(stack, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('yes')")
                let pid = stack.postgresql.pid
                try copy(folder, "one", "two")
                let text = try await refusal(folder, "two")
                #expect(text.contains("a copy of \(folder)/closed/one") && text.contains("remove `id` and `postgresql`"))
                #expect(stack.postgresql.pid == pid)
                #expect(try isKept(stack))
            }
            #expect(try await refusal(folder, "two").contains("a copy of"))
            for name in ["id", "postgresql"] { try FileManager.default.removeItem(atPath: "\(folder)/closed/two/\(name)") }
            try await running(folder, "two") { stack in
                #expect(try sql(stack, "SELECT to_regclass('kept') IS NULL") == [["t"]])
                try await running(folder, "one") { stack in
                    let isKept = try isKept(stack)
                    #expect(isKept)
                }
            }
        }
    }

    @Test("Moved, or without its id, a data folder finds its archive") func moved() async throws {
        try await withClosedFolder { folder in
            try await running(folder, "one") { try sql($0, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('yes')") }
            try FileManager.default.moveItem(atPath: folder + "/closed/one", toPath: folder + "/closed/other")
            try FileManager.default.removeItem(atPath: folder + "/closed/other/id")
            try await running(folder, "other") { stack in
                let isKept = try isKept(stack)
                #expect(isKept)
            }
            // What was copied before, and comes to the old place now, is the copy.
            try copy(folder, "other", "one")
            #expect(try await refusal(folder, "one").contains("a copy of \(folder)/closed/other"))
        }
    }

    @Test("Two folders whose links lead to one part do not run at once, whoever it belongs to") func oneAtATime() async throws {
        try await withClosedFolder { folder in
            try await running(folder, "one") { stack in
                try copy(folder, "one", "two")
                let place = try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/closed/one/postgresql")
                try FileManager.default.removeItem(atPath: URL(fileURLWithPath: place).deletingLastPathComponent().path + "/belongs-to")
                #expect(try await refusal(folder, "two").contains("\(place) is in use by process \(getpid())"))
            }
        }
    }

    @Test("An archive that is gone, or that the account cannot reach any more, is not replaced by an empty one") func gone() async throws {
        try await withClosedFolder { folder in
            try await running(folder, "one") { _ in }
            try FileManager.default.moveItem(atPath: folder + "/elsewhere", toPath: folder + "/away")
            #expect(try await refusal(folder, "one").contains("which is not there"))
            try FileManager.default.createDirectory(atPath: folder + "/closed/two/postgresql/data", withIntermediateDirectories: true)
            #expect(try await refusal(folder, "two").contains("cannot reach it any more"))
        }
    }
}
