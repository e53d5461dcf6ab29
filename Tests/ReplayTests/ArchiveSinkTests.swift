internal import Core
internal import PostgreSQLDriver
internal import Replay
internal import Testing

@Suite("Archive sink")
struct ArchiveSinkTests {
    @Test("A batch is rows, verdicts and a checkpoint; payload bytes are exact, JSON or not")
    func batch() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let sink = try MessageArchive(session: session, name: "archive", partition: 3)
            #expect(sink.checkpoint.position == Position(partition: 3, ms: 0, seq: 0))
            let bytes: [UInt8] = [0, 0xFF, 0x5C, 0x27]
            let batch = [
                decided(Position(partition: 3, ms: firstDay, seq: 0)),
                decided(
                    Position(partition: 3, ms: firstDay, seq: 1), destinations: #"["with \"escape\" \u017e", "all"]"#, data: bytes, contentType: "image/png"),
                decided(Position(partition: 3, ms: firstDay + dayMs, seq: 0), source: "", destinations: "", outcome: .block),
            ]
            let receipt = try sink.write(batch)
            #expect(receipt.records == 3 && receipt.repeated == 0 && receipt.raw == [])
            #expect(receipt.checkpoint.position == batch[2].position && receipt.checkpoint.entries == 3)
            let rows = try session.query(
                "SELECT position, message_data, message_bytes, array_to_json(destination_subject_ids), source_subject_id, outcome, origin_ts, rule FROM message_log ORDER BY log_ts, entry_seq"
            )
            #expect((0..<3).map { rows.string($0, 0) } == batch.map { $0.position.description })
            #expect(rows.bytes(0, 1) == Array(batch[0].message.slice(.data)))
            #expect(rows.bytea(1, 2) == bytes && rows.isNull(1, 1))
            #expect(rows.string(1, 3) == #"["with \"escape\" ž","all"]"#)
            #expect(rows.isNull(2, 3) && rows.isNull(2, 4))
            #expect((0..<3).map { rows.string($0, 5) } == ["deliver", "deliver", "block"])
            #expect(rows.string(0, 6) == "2026-11-22 00:00:00.000007+00")
            let stored = try ArchiveReader(session: session).checkpoints()
            #expect(stored == [receipt.checkpoint])
        }
    }

    @Test("A batch that is written again, after its checkpoint was set back, adds nothing")
    func again() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let batch = (0..<300).map { decided(Position(ms: firstDay + UInt64($0), seq: 0)) }
            _ = try MessageArchive(session: session, name: "archive", partition: 0).write(Array(batch[..<200]))
            let rebuild = try MessageArchive(session: session, name: "rebuild", partition: 0)
            let receipt = try rebuild.write(batch)
            #expect(receipt.records == 300 && receipt.repeated == 200)
            #expect(try session.query("SELECT count(*) FROM message_exchange").int(0, 0) == 300)
            #expect(try session.query("SELECT count(*) FROM verdict").int(0, 0) == 300)
            let more = try rebuild.write([decided(Position(ms: firstDay + 300, seq: 0))])
            #expect(more.repeated == 0 && more.checkpoint.entries == 301)
        }
    }

    @Test("Whoever claims the checkpoint fences the writer before, which then writes nothing")
    func fenced() async throws {
        try await withArchiveDatabase { url in
            let old = try MessageArchive(session: openSession(url), name: "archive", partition: 0)
            _ = try old.write([decided(Position(ms: firstDay, seq: 0))])
            let session = try openSession(url)
            let new = try MessageArchive(session: session, name: "archive", partition: 0)
            #expect(new.checkpoint.epoch == old.checkpoint.epoch + 1)
            #expect(new.checkpoint.position == Position(ms: firstDay, seq: 0))
            let next = [decided(Position(ms: firstDay, seq: 1))]
            let refused = archiveError { () throws(ArchiveError) in _ = try old.write(next) }
            #expect(refused == .fenced(name: "archive", partition: 0))
            #expect(try session.query("SELECT count(*) FROM message_exchange").int(0, 0) == 1)
            _ = try new.write(next)
            let stale = archiveError { () throws(ArchiveError) in _ = try Checkpoint.claim("archive", partition: 0, epoch: 1, on: session) }
            #expect(stale == .fenced(name: "archive", partition: 0))
            #expect(try Checkpoint.claim("archive", partition: 0, epoch: 9, on: session).epoch == 9)
        }
    }

    @Test("What the server refuses as text or JSON is kept as bytes, and the rest of the batch as it is")
    func refused() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let sink = try MessageArchive(session: session, name: "archive", partition: 0)
            var batch = (0..<5).map { decided(Position(ms: firstDay, seq: UInt64($0))) }
            let notJSON = Array("{not json".utf8)
            batch[1] = decided(batch[1].position, data: notJSON)
            batch[3] = decided(batch[3].position, source: "nul\0here")
            batch[4] = decided(batch[4].position, source: String(repeating: "ab", count: 90_000))
            let receipt = try sink.write(batch)
            #expect(receipt.raw.starts(with: [batch[1].position, batch[3].position]))
            #expect(receipt.repeated == 0 && receipt.records == 5)
            let rows = try session.query("SELECT message_bytes, source_subject_id, message_data FROM message_exchange ORDER BY entry_seq")
            #expect(rows.rowCount == 5)
            #expect(rows.bytea(1, 0) == notJSON)
            #expect(rows.string(3, 1) == "nul\u{FFFD}here")
            #expect(rows.bytes(2, 2) == Array(batch[2].message.slice(.data)))
            // Nothing but what was refused is written otherwise, and it is read back as it was.
            let exact = try session.query("SELECT entry_seq FROM message_exchange WHERE exact_fields IS NOT NULL ORDER BY entry_seq")
            #expect((0..<exact.rowCount).map { exact.int($0, 0) } == receipt.raw.map { Int($0.seq) })
            let read = try ArchiveReader(session: session).entries(after: .zero, limit: 10).messages
            for (one, other) in zip(batch, read) {
                for field in MessageField.allCases { #expect(one.message.string(field) == other.message.string(field), "\(field)") }
                #expect(other.verdict == one.verdict)
            }
            #expect(read.count == 5)
        }
    }

    @Test("A day that was dropped behind the sink's back is made again")
    func droppedDay() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let sink = try MessageArchive(session: session, name: "archive", partition: 0)
            _ = try sink.write([decided(Position(ms: dayMs * 10, seq: 0))])
            try openSession(url).query("SELECT meshlog_maintain('1000 days')")
            let receipt = try sink.write([decided(Position(ms: dayMs * 10, seq: 1))])
            #expect(receipt.checkpoint.entries == 2)
            #expect(try session.query("SELECT count(*) FROM message_exchange").int(0, 0) == 1)
        }
    }

    @Test("Entries out of order or of another partition are refused before anything is written; an empty batch moves the checkpoint")
    func order() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let sink = try MessageArchive(session: session, name: "archive", partition: 0)
            let a = decided(Position(ms: firstDay, seq: 5))
            let b = decided(Position(ms: firstDay, seq: 4))
            #expect(archiveError { () throws(ArchiveError) in _ = try sink.write([a, b]) } == .outOfOrder(b.position))
            #expect(archiveError { () throws(ArchiveError) in _ = try sink.write([a, a]) } == .outOfOrder(a.position))
            let other = decided(Position(partition: 1, ms: firstDay, seq: 5))
            #expect(archiveError { () throws(ArchiveError) in _ = try sink.write([other]) } == .outOfOrder(other.position))
            let moved = try sink.write([], through: Position(ms: firstDay, seq: 7))
            #expect(moved.checkpoint.position == Position(ms: firstDay, seq: 7) && moved.checkpoint.entries == 0)
            #expect(archiveError { () throws(ArchiveError) in _ = try sink.write([a]) } == .outOfOrder(a.position))
        }
    }

    @Test("Deliveries are kept once, in the day of their message, and say when it was acknowledged")
    func deliveries() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let message = decided(Position(ms: firstDay, seq: 0))
            _ = try MessageArchive(session: session, name: "archive", partition: 0).write([message])
            func delivery(_ seq: UInt64, _ outcome: DeliveryEntry.Outcome, ack: Int64) -> LoggedDelivery {
                LoggedDelivery(
                    position: Position(ms: firstDay + dayMs, seq: seq),
                    delivery: DeliveryEntry(
                        position: message.position, messageUUID: message.verdict.messageUUID, target: "default", subject: Array("orders.eu.1".utf8),
                        outcome: outcome, stream: "MESHLOG", sequence: 17, ackTS: ack, reason: outcome == .failed ? "no" : ""))
            }
            let time = Int64(firstDay) * 1000
            let batch = [delivery(0, .failed, ack: time + 1), delivery(1, .stored, ack: time + 2_000_000), delivery(2, .stored, ack: time + 3_000_000)]
            _ = try DeliveryArchive(session: session, name: "deliveries", partition: 0).write(batch)
            let repeated = try DeliveryArchive(session: session, name: "again", partition: 0).write(batch)
            #expect(repeated.repeated == 3)
            #expect(try session.query("SELECT count(*) FROM delivery").int(0, 0) == 3)
            #expect(try session.query("SELECT ack_ts FROM message_log").string(0, 0) == "2026-11-22 00:00:02+00")
            #expect(try ArchiveReader(session: session).message(at: message.position)?.ackTS == time + 2_000_000)
        }
    }
}
