internal import Core
internal import Log
internal import PostgreSQLDriver
internal import RedisDriver
internal import Replay
internal import TestSupport
internal import Testing

/// An archive that knows more than the log.
@Suite("A log that was lost")
struct LostLogTests {
    /// Appends a message and its verdict with the next id; its position.
    private func append(_ log: OwnLog, _ session: RedisSession) throws -> Position {
        let one = decided(Position(ms: 1, seq: 0))
        let fields = MessageField.allCases.flatMap { [$0.name.description, one.message.string($0)] }
        let id = try #require(try session.run("XADD", [log.keys.stream(.messages), "*"] + fields).text)
        try session.run(
            "XADD",
            [
                log.keys.stream(.verdicts), id, "event", VerdictEntry.event, "v", VerdictEntry.version, "message_uuid",
                one.verdict.messageUUID.description,
                "outcome", "deliver", "rule", "default", "reason", "", "policy_revision", "0-0-0", "targets", #"["default"]"#, "subject",
                "orders.eu.1",
            ])
        return try #require(Position(streamID: id))
    }

    @Test(
        "Ids go on behind what is archived, and the epochs of a counter that began anew above the archive's: what comes is archived",
        .timeLimit(.minutes(3)))
    func archive() async throws {
        try await OwnLog.with("lost") { log in
            try await withArchive { url in
                let session = try RedisSession(log.endpoint, name: "test")
                let early = try append(log, session)
                // The archive of another life of this log: an hour ahead of the clock, under an epoch that will not be counted to here.
                let archived = Position(ms: early.ms + 3_600_000, seq: 5)
                _ = try MessageArchive(session: openSession(url), name: "archive", partition: 0, epoch: 1_000_000).write([decided(archived)]
                )
                let loop = StageLoop(name: "archive", instance: "one", endpoint: log.endpoint, keys: log.keys)
                let archiver = Archivers.messages(loop: loop, keys: log.keys, live: LiveConfig(), tail: DecidedTail(), metrics: Metrics()) {
                    () throws(PostgreSQLError) in
                    try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests")
                }
                let service = Task { await archiver.run() }
                let reader = LogReader(keys: log.keys)
                #expect(await eventually { try reader.bounds(.messages, session).last == archived })
                let late = try append(log, session)
                #expect(late > archived)
                #expect(await eventually { try ArchiveReader(session: openSession(url)).message(at: late) != nil })
                #expect(try ArchiveReader(session: openSession(url)).checkpoints().map(\.epoch) == [1_000_001])
                service.cancel()
                await service.value
            }
        }
    }

    @Test("A log that ends where the archive does, or later, is left as it is") func whole() async throws {
        try await OwnLog.with("whole") { log in
            try await withArchive { url in
                let session = try RedisSession(log.endpoint, name: "test")
                let positions = [try append(log, session), try append(log, session)]
                let loop = StageLoop(name: "archive", instance: "one", endpoint: log.endpoint, keys: log.keys)
                let archiver = Archivers.messages(loop: loop, keys: log.keys, live: LiveConfig(), tail: DecidedTail(), metrics: Metrics()) {
                    () throws(PostgreSQLError) in
                    try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests")
                }
                for _ in 0..<2 {
                    let service = Task { await archiver.run() }
                    #expect(
                        await eventually { try ArchiveReader(session: openSession(url)).checkpoints().map(\.position) == [positions[1]] })
                    service.cancel()
                    await service.value
                }
                #expect(try LogReader(keys: log.keys).bounds(.messages, session).last == positions[1])
            }
        }
    }
}
