internal import Core
package import Log
package import PostgreSQLDriver
package import RedisDriver

/// Reads what projections have made: rows by filters, and how the projections are doing. Blocking: one thread at a time.
package struct ProjectionReader: Sendable {
    package let catalog: ProjectionCatalog
    private let keys: LogKeys

    package init(_ catalog: ProjectionCatalog, keys: LogKeys) {
        self.catalog = catalog
        self.keys = keys
    }

    // MARK: Rows

    /// A page of rows with the position they stand for; both of one moment, whatever rebuilds do meanwhile.
    ///
    /// - Cost: one statement; a filter on anything but the key reads all rows up to the page's end.
    package func page(_ query: RowQuery, on session: PostgreSQLSession) throws(ProjectionError) -> RowPage {
        let statement = RowStatement(query)
        // One more than asked for tells whether there is a next page.
        return try read(query.definition, condition: statement.condition, statement.parameters, limit: query.limit, on: session)
    }

    /// One row with the position it stands for.
    package func row(_ definition: ProjectionDefinition, key: String, on session: PostgreSQLSession) throws(ProjectionError) -> RowPage {
        if key.utf8.contains(0) { throw .invalid("a key has no U+0000") }
        return try read(definition, condition: "key = $1", [.text(key)], limit: 1, on: session)
    }

    private func read(
        _ definition: ProjectionDefinition, condition: String, _ parameters: [PostgreSQLParameter?], limit: Int, on session: PostgreSQLSession
    ) throws(ProjectionError) -> RowPage {
        let view = ProjectionNames(definition.name).view
        let sql = """
            SELECT p.generation, p.position_ms, p.position_seq, r.key, r.row, r.position_ms, r.position_seq
            FROM (SELECT * FROM projection WHERE name = $\(parameters.count + 1) AND status IN ('serving', 'stopped')) p
            LEFT JOIN (SELECT key, row, position_ms, position_seq FROM \(view) WHERE \(condition) ORDER BY key LIMIT \(limit + 1)) r ON true ORDER BY r.key
            """
        let answer: PostgreSQLResult
        do throws(PostgreSQLError) {
            answer = try session.query(sql, parameters + [.text(definition.name)])
        } catch {
            if error.sqlState == "42P01" { throw .notStarted(definition.name) }
            throw .database(error)
        }
        guard answer.rowCount > 0 else { throw .notStarted(definition.name) }
        func position(_ row: Int, _ column: Int) -> Position {
            Position(ms: UInt64(clamping: answer.int64(row, column) ?? 0), seq: UInt64(clamping: answer.int64(row, column + 1) ?? 0))
        }
        var rows: [ProjectionRowText] = []
        for row in 0..<min(answer.rowCount, limit) {
            guard let key = answer.string(row, 3) else { break }
            rows.append(ProjectionRowText(key: key, json: answer.bytes(row, 4) ?? [], position: position(row, 5)))
        }
        return RowPage(rows: rows, position: position(0, 1), generation: answer.int(0, 0) ?? 0, next: answer.rowCount > limit ? rows.last?.key : nil)
    }

    // MARK: Status

    /// How every projection of the catalog stands.
    package func statuses(_ redis: RedisSession, on session: PostgreSQLSession) throws(ProjectionError) -> [ProjectionStatus] {
        let rows = try GenerationTable.all(on: session)
        var out: [ProjectionStatus] = []
        for runtime in catalog.runtimes { out.append(try status(runtime.definition, rows.filter { $0.name == runtime.definition.name }, redis)) }
        return out
    }

    package func status(_ name: String, _ redis: RedisSession, on session: PostgreSQLSession) throws(ProjectionError) -> ProjectionStatus {
        try status(try catalog.runtime(name).definition, try GenerationTable.all(name, on: session), redis)
    }

    private func status(_ definition: ProjectionDefinition, _ rows: [GenerationRow], _ session: RedisSession) throws(ProjectionError) -> ProjectionStatus {
        let serving = rows.first { $0.status == .serving || $0.status == .stopped }
        let building = rows.first { $0.status == .building }
        let earlier = Array(rows.filter { $0.generation != serving?.generation && $0.generation != building?.generation }.reversed())
        let clock = try redis { () throws(RedisError) in try session.run("TIME") }.array ?? []
        let nowMs = Int64((clock.first?.int ?? 0) * 1000 + (clock.last?.int ?? 0) / 1000)
        let age = serving.map { max(0, nowMs - $0.updatedAt / 1000) }
        var lag: Int64? = 0
        var lagMs: Int64 = 0
        if let serving {
            for stream in definition.streams {
                let behind = try self.behind(stream, serving, definition, session)
                if let first = behind.first { lagMs = max(lagMs, max(1, nowMs - Int64(clamping: first.ms))) }
                if let known = lag, let more = behind.entries { lag = known + more } else { lag = nil }
            }
        } else {
            lag = nil
        }
        let liveness: ProjectionStatus.Liveness
        switch serving?.status {
        case nil: liveness = .absent
        case .stopped: liveness = .stopped
        default:
            if lagMs == 0 {
                liveness = .live
            } else if lagMs > ProjectionLimits.stalledAfterMs, let age, age > ProjectionLimits.stalledAfterMs {
                liveness = .stalled
            } else {
                liveness = lagMs < 1_000 ? .live : .catchingUp
            }
        }
        return ProjectionStatus(
            definition: definition, serving: serving, building: building, earlier: earlier, lagEntries: lag, lagMs: lagMs, checkpointAgeMs: age,
            liveness: liveness)
    }

    /// The first entry behind the checkpoint, and how many there are, as the projection's group knows.
    private func behind(
        _ stream: StreamName, _ row: GenerationRow, _ definition: ProjectionDefinition, _ session: RedisSession
    ) throws(ProjectionError) -> (first: Position?, entries: Int64?) {
        let key = keys.stream(stream)
        var command = RESPWriter()
        command.command("XRANGE", [key, row.position.next.streamID, "+", "COUNT", "1"])
        command.command("XINFO", ["GROUPS", key])
        let replies = try redis { () throws(RedisError) in try session.pipeline(command) }
        guard let first = replies[0].array?.first?.array?.first?.text.flatMap({ Position(streamID: $0) }) else { return (nil, 0) }
        let group = GroupName.projection(definition.name).rawValue
        let info = (replies[1].array ?? []).map(\.pairs).first { $0["name"]?.text == group }
        return (first, info?["lag"]?.int.map { Int64($0) })
    }
}
