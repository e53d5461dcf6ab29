internal import Core
internal import PostgreSQLDriver
internal import Replay
internal import Testing

@Suite("Archive reader")
struct ArchiveReaderTests {
    @Test("Any filter gives what going through all messages gives, page by page, in both orders")
    func filters() async throws {
        try await withArchiveDatabase { url in
            let seed = UInt64.random(in: 1...UInt64.max)
            var random = SeededGenerator(state: seed)
            let all = corpus(&random)
            let session = try openSession(url)
            for partition in 0..<2 {
                _ = try MessageArchive(session: session, name: "archive", partition: partition).write(all.filter { $0.position.partition == partition })
            }
            try session.execute("ANALYZE message_exchange, verdict")
            let reader = ArchiveReader(session: session)
            for round in 0..<60 {
                var filter = randomFilter(&random)
                let expected = all.filter { matches($0, filter) }.map(\.position).sorted { before($0, $1, filter.order) }
                var found: [Position] = []
                for _ in 0..<200 {
                    let page = try reader.messages(filter)
                    found += page.messages.map(\.position)
                    guard let next = page.next else { break }
                    filter.cursor = next
                }
                #expect(found == expected, "seed \(seed), round \(round): \(filter)")
            }
        }
    }

    @Test("A message comes back with every field as it stood in the log")
    func fieldsBack() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            var batch = [
                decided(Position(ms: firstDay, seq: 0)),
                decided(Position(ms: firstDay, seq: 1), source: "", destinations: "[]", type: "", data: [0, 1, 255], contentType: "image/png", outcome: .hold),
                decided(Position(ms: firstDay, seq: 2), destinations: "", data: Array(" [1, 2.50,\t\"\\u0000\"]".utf8), contentType: ""),
            ]
            var again = decided(Position(ms: firstDay, seq: 3), outcome: .hold)
            again = DecidedMessage(position: again.position, message: released(again.message), verdict: detailed(again.verdict))
            batch.append(again)
            _ = try MessageArchive(session: session, name: "archive", partition: 0).write(batch)
            let page = try ArchiveReader(session: session).entries(after: .zero, limit: 10)
            #expect(page.messages.map { fields($0.message) } == batch.map { fields($0.message) })
            #expect(page.messages.map(\.verdict) == batch.map(\.verdict))
            #expect(Array(page.messages[1].message.slice(.data)) == [0, 1, 255])
            #expect(!page.hasMore)
        }
    }

    @Test("An id is found wherever it lies, a UUIDv7 also when its clock was far off, the newest if it was used again")
    func ids() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let near = MessageUUID.v7(ms: firstDay, random: (1, 2))
            let far = MessageUUID.v7(ms: firstDay - 400 * dayMs, random: (3, 4))
            let named = MessageUUID(high: 0x1916_4B3D_B1CB_5C74, low: 0x9A4D_5F5A_3244_3FF5)
            let batch = [near, far, named, named].enumerated().map { decided(Position(ms: firstDay + UInt64($0) * dayMs, seq: 0), uuid: $1) }
            _ = try MessageArchive(session: session, name: "archive", partition: 0).write(batch)
            let reader = ArchiveReader(session: session)
            #expect(try reader.message(uuid: near)?.position == batch[0].position)
            #expect(try reader.message(uuid: far)?.position == batch[1].position)
            #expect(try reader.message(uuid: named)?.position == batch[3].position)
            #expect(try reader.message(uuid: MessageUUID(high: 1, low: 1)) == nil)
            #expect(try reader.message(at: batch[2].position)?.message.uuid == named)
            #expect(try reader.message(at: Position(ms: firstDay + 1, seq: 0)) == nil)
            #expect(try reader.count() == 4)
            #expect(try reader.count(from: Int64(firstDay + 1) * 1000, to: Int64(firstDay + 3 * dayMs) * 1000) == 2)
        }
    }

    @Test("A range is read in order, behind one position and up to another, in pages bounded in bytes too")
    func range() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            var random = SeededGenerator(state: 7)
            // Does not compress, so that the server's measure of bytes is ours.
            let batch = (0..<60).map { number in
                let payload = (0..<5_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                return decided(
                    Position(ms: firstDay + UInt64(number) * 7_200_000, seq: UInt64.max >> 2), data: payload, contentType: "application/octet-stream")
            }
            _ = try MessageArchive(session: session, name: "archive", partition: 0).write(batch)
            let reader = ArchiveReader(session: session, pageBytesTarget: 33 * 5_020)
            var found: [Position] = []
            var pages = 0
            var cursor = batch[4].position
            while true {
                let page = try reader.entries(after: cursor, through: batch[55].position, limit: 1000)
                #expect(page.messages.count <= 33)
                found += page.messages.map(\.position)
                pages += 1
                guard let next = page.next else { break }
                cursor = next
            }
            #expect(found == batch[5...55].map(\.position))
            #expect(pages == 2)
        }
    }

    @Test("A page is bounded in what its rows hold, however small the server packs it")
    func unpacked() async throws {
        try await withArchiveDatabase { url in
            let session = try openSession(url)
            let text = "\"" + String(repeating: "x", count: 99_998) + "\""
            var batch = (0..<6).map { decided(Position(ms: firstDay + UInt64($0), seq: 0), data: Array(text.utf8)) }
            batch += (6..<12).map { number in
                let one = decided(Position(ms: firstDay + UInt64(number), seq: 0))
                var message = one.message
                message.set(.metadata, #"{"a": \#(text)}"#)
                return DecidedMessage(position: one.position, message: message, verdict: one.verdict)
            }
            batch += (12..<18).map { number in
                let one = decided(Position(ms: firstDay + UInt64(number), seq: 0))
                var verdict = one.verdict
                verdict.detail.annotations = Array(#"{"a": \#(text)}"#.utf8)
                return DecidedMessage(position: one.position, message: one.message, verdict: verdict)
            }
            _ = try MessageArchive(session: session, name: "archive", partition: 0).write(batch)
            #expect(
                try session.query("SELECT max(pg_column_size(message_data)) < 10000 FROM message_exchange").bool(0, 0) == true,
                "it is packed")
            let reader = ArchiveReader(session: session, pageBytesTarget: 250_000)
            var filter = ArchiveFilter()
            filter.order = .oldestFirst
            var sizes: [Int] = []
            var found: [Position] = []
            repeat {
                let page = try reader.messages(filter)
                sizes.append(page.messages.count)
                found += page.messages.map(\.position)
                filter.cursor = page.next
            } while filter.cursor != nil
            #expect(found == batch.map(\.position))
            #expect(sizes == [2, 2, 2, 2, 2, 2, 2, 2, 2])
        }
    }

    @Test("What is no pattern and what is no limit is refused")
    func invalid() async throws {
        try await withArchiveDatabase { url in
            let reader = ArchiveReader(session: try openSession(url))
            for topic in ["", "a..b", "a.>.b", ".a"] {
                var filter = ArchiveFilter()
                filter.topic = topic
                guard case .invalidQuery = archiveError({ () throws(ArchiveError) in _ = try reader.messages(filter) }) else {
                    Issue.record("'\(topic)' is taken")
                    continue
                }
            }
            var filter = ArchiveFilter()
            filter.limit = 1001
            #expect(archiveError { () throws(ArchiveError) in _ = try reader.messages(filter) } == .invalidQuery("limit is 1 to 1000"))
        }
    }
}

private let topics = ["a", "a.b", "a.b.c", "a.bb", "a.b.c.d", "b.x.c", "a.$x.(c)", "a/b", "a.b-c_d", "ž.á", "a.b.*c"]
private let patterns =
    topics + [">", "*", "*.*", "a.>", "a.*", "a.b.>", "a.*.c", "a.*.>", "*.b.>", "*.*.c", "a.$x.*", "*.$x.(c)", "ž.*", "a.b.*.d", "nothing.>"]
private let names = ["alice", "bob", "carol", "all", ""]

private func corpus(_ random: inout SeededGenerator) -> [DecidedMessage] {
    var seen: Set<Position> = []
    for _ in 0..<1_500 {
        // Few distinct milliseconds, so that positions share them; three days, two partitions.
        let ms = firstDay + UInt64.random(in: 0..<3, using: &random) * dayMs + UInt64.random(in: 0..<40, using: &random)
        seen.insert(Position(partition: Int.random(in: 0..<2, using: &random), ms: ms, seq: UInt64.random(in: 0..<20, using: &random)))
    }
    return seen.sorted().map { position in
        let recipients = names.dropLast().filter { _ in random.next() % 3 == 0 }.map { "\"\($0)\"" }
        return decided(
            position, topic: topics.randomElement(using: &random)!, source: names.randomElement(using: &random)!,
            destinations: "[" + recipients.joined(separator: ",") + "]", type: ["statement", "question"].randomElement(using: &random)!,
            outcome: random.next() % 4 == 0 ? Outcome.allCases.randomElement(using: &random)! : .deliver)
    }
}

private func randomFilter(_ random: inout SeededGenerator) -> ArchiveFilter {
    var filter = ArchiveFilter()
    func now(_ one: UInt64) -> Bool { random.next() % one == 0 }
    if now(2) { filter.topic = patterns.randomElement(using: &random) }
    if now(4) { filter.source = names.dropLast().randomElement(using: &random) }
    if now(4) { filter.destination = names.dropLast().randomElement(using: &random) }
    if now(3) { filter.subject = names.dropLast().randomElement(using: &random) }
    if now(4) { filter.type = "question" }
    if now(3) { filter.outcome = Outcome.allCases.randomElement(using: &random) }
    if now(4) { filter.partition = 1 }
    if now(4) { filter.from = Int64(firstDay + UInt64.random(in: 0..<(3 * dayMs), using: &random)) * 1000 }
    if now(4) { filter.to = Int64(firstDay + UInt64.random(in: 0..<(3 * dayMs), using: &random)) * 1000 }
    if now(2) { filter.order = .oldestFirst }
    filter.limit = [40, 150, 1000].randomElement(using: &random)!
    return filter
}

private func matches(_ record: DecidedMessage, _ filter: ArchiveFilter) -> Bool {
    let message = record.message
    let recipients = message.destinationNames
    let source = message.string(.source)
    if let topic = filter.topic, !SubjectPattern(topic.utf8).matches(message.slice(.topic)) { return false }
    if let wanted = filter.source, source != wanted { return false }
    if let wanted = filter.destination, !recipients.contains(wanted) { return false }
    if let wanted = filter.subject, source != wanted, !recipients.contains(wanted) { return false }
    if let type = filter.type, message.string(.type) != type { return false }
    if let outcome = filter.outcome, record.verdict.outcome != outcome { return false }
    if let partition = filter.partition, record.position.partition != partition { return false }
    if let from = filter.from, record.position.microseconds < from { return false }
    if let to = filter.to, record.position.microseconds >= to { return false }
    return true
}

/// Across partitions, time decides first.
private func before(_ a: Position, _ b: Position, _ order: ArchiveFilter.Order) -> Bool {
    let left = (a.ms, a.partition, a.seq)
    let right = (b.ms, b.partition, b.seq)
    return order == .oldestFirst ? left < right : left > right
}
