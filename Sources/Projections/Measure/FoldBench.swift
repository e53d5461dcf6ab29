internal import Core
internal import Log
internal import PostgreSQLDriver
package import RedisDriver

/// Measures folds: a stream of known size, folded in memory, materialized, and loaded from rows.
package struct FoldBench: Sendable {
    private let place: ProjectionPlace

    package init(_ place: ProjectionPlace) { self.place = place }

    package struct Result: Sendable {
        package let entries: Int64
        package let rows: Int64
        package let digest: String
        package let elapsed: Duration

        package var perSecond: Double { Double(entries) / (elapsed / .seconds(1)) }
    }

    /// Folds everything there is in memory, without digests of rows: what a process does that enforces.
    package func inMemory(_ projection: some Projection) throws(ProjectionError) -> Result {
        let start = ContinuousClock.now
        var fold = Fold(projection)
        let source = try EventSource(streams: projection.definition.streams, after: .zero, name: "bench", place: place)
        while true {
            let events = try source.next()
            if events.isEmpty { break }
            for event in events { do { try fold.apply(event) } catch { throw .refused(event.position, error) } }
        }
        let elapsed = ContinuousClock.now - start
        _ = fold.commit()
        return Result(entries: source.entries, rows: fold.count, digest: fold.digest.description, elapsed: elapsed)
    }

    /// Folds everything there is into the first generation's table, which must not exist yet.
    package func materialized(_ projection: some Projection) throws(ProjectionError) -> Result {
        let start = ContinuousClock.now
        let session = try place.postgresql("bench")
        try database { () throws(PostgreSQLError) in _ = try session.execute("SET synchronous_commit = off") }
        let row = try GenerationTable.start(projection.definition, on: session)
        let control = try place.redis("bench")
        let work = try Materialization(projection, row, epoch: 1, session: session, control: control, place: place)
        repeat { _ = try work.step(wait: .milliseconds(1), control: control) } while !work.isAtHead
        let done = work.committed
        return Result(entries: done.entries, rows: done.rows, digest: done.digest, elapsed: ContinuousClock.now - start)
    }

    /// Loads the rows, as a process does that starts.
    package func loaded(_ projection: some Projection) throws(ProjectionError) -> Result {
        let start = ContinuousClock.now
        let session = try place.postgresql("bench")
        guard let fold = try RowLoader.load(projection, on: session) else { throw .notStarted(projection.definition.name) }
        return Result(entries: fold.count, rows: fold.count, digest: fold.digest.description, elapsed: ContinuousClock.now - start)
    }

    // MARK: Streams to fold

    /// Appends configuration events: each key in turn, so that rows are created first and changed from then on.
    package func fillControl(events: Int, keys: Int, _ session: RedisSession) throws(RedisError) {
        try fill(.control, events, session) { number, writer in
            let change: ControlEvent.Change = number < keys ? .created : .updated
            let name = "setting_\(number % keys)"
            let event = ControlEvent(
                .config, change, key: "topic/\(name)/orders.eu",
                document: ConfigAddress(.topic, scope: "orders.eu", name: name).document(value: Array(String(number).utf8)),
                principal: "bench", via: "cli", comment: "")
            writer.begin(3 + 2 * ControlEvent.fieldNames.count)
            for word in ["XADD", place.keys.stream(.control), "*"] { writer.argument(word) }
            for (name, value) in zip(ControlEvent.fieldNames, event.fieldValues) {
                writer.argument(name)
                writer.argument(value)
            }
        }
    }

    /// Appends messages of about 220 bytes between a thousand subjects.
    package func fillMessages(_ count: Int, _ session: RedisSession) throws(RedisError) {
        let fill = String(repeating: "x", count: 120)
        try self.fill(.messages, count, session) { number, writer in
            let fields = [
                ("event", MessageEntry.accepted), ("v", "1"), ("message_uuid", MessageUUID(high: 0x7000, low: UInt64(number)).description),
                ("topic", "orders.eu.\(number % 50)"),
                ("source_subject_id", "agent-\(number % 1_000)"), ("destination_subject_ids", "[\"agent-\(number * 7 % 1_000)\"]"),
                ("message_type", "statement"),
                ("message_data", "{\"n\":\(number),\"text\":\"\(fill)\"}"), ("content_type", "application/json"), ("via", "http"), ("principal", "anonymous"),
            ]
            writer.begin(3 + 2 * fields.count)
            for word in ["XADD", place.keys.stream(.messages), "*"] { writer.argument(word) }
            for (name, value) in fields {
                writer.argument(name)
                writer.argument(value)
            }
        }
    }

    private func fill(_ stream: StreamName, _ count: Int, _ session: RedisSession, _ write: (Int, inout RESPWriter) -> Void) throws(RedisError) {
        let step = 1_000
        for start in stride(from: 0, to: count, by: step) {
            var writer = RESPWriter()
            for number in start..<min(count, start + step) { write(number, &writer) }
            try session.send(writer)
            for _ in 0..<writer.commands { try session.receive { _ in } }
        }
    }
}
