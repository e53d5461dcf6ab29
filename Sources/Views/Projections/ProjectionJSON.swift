internal import Core
internal import Log
internal import Projections

/// Projections and their rows as JSON.
enum ProjectionJSON {
    static func status(_ status: ProjectionStatus) -> [UInt8] {
        let definition = status.definition
        let serving = status.serving
        var object = JSONObject()
        object.add("name", definition.name)
        object.add("purpose", definition.purpose)
        object.add("version", definition.version)
        object.add("streams", strings: definition.streams.map(\.rawValue))
        object.add("on_fault", definition.onFault.rawValue)
        object.add("fields", raw: JSONArray.of(definition.columns) { $0.append(contentsOf: field($1)) })
        object.add("status", status.liveness.rawValue)
        object.add("stalled", status.liveness == .stalled)
        object.add("lag_entries", optional: status.lagEntries.map { Int($0) })
        object.add("lag_ms", Int(status.lagMs))
        object.add("checkpoint_age_ms", optional: status.checkpointAgeMs.map { Int($0) })
        if let serving { addGeneration(serving, to: &object) } else { addNone(to: &object) }
        if let building = status.building { object.add("rebuild", raw: rebuild(building)) } else { object.addNull("rebuild") }
        object.add("earlier", raw: JSONArray.of(status.earlier) { $0.append(contentsOf: generation($1)) })
        return object.finish()
    }

    /// A generation that serves or served.
    static func generation(_ row: GenerationRow) -> [UInt8] {
        var object = JSONObject()
        object.add("status", row.status.rawValue)
        addGeneration(row, to: &object)
        return object.finish()
    }

    /// A generation that is being built.
    static func rebuild(_ row: GenerationRow) -> [UInt8] {
        var object = JSONObject()
        object.add("generation", row.generation)
        object.add("version", row.version)
        object.add("status", row.status.rawValue)
        object.add("position", row.position.description)
        object.add("target", row.target.description)
        object.add("entries", Int(max(row.foldedEntries, row.entries)))
        object.add("target_entries", Int(row.targetEntries))
        object.add("percent", Int(row.progress * 100))
        object.add("entries_per_second", Int(clamping: Int64(row.pace.rounded())))
        object.add("seconds_left", optional: row.secondsLeft.map { Int(min($0, 1e9).rounded(.up)) })
        object.add("started_ts", time: row.startedAt)
        object.add("updated_ts", time: row.updatedAt)
        addFailure(row, to: &object)
        return object.finish()
    }

    private static func addGeneration(_ row: GenerationRow, to object: inout JSONObject) {
        object.add("generation", row.generation)
        object.add("serving_version", row.version)
        object.add("position", row.position.description)
        object.add("rows", Int(row.rows))
        object.add("events", Int(row.events))
        object.add("parked", Int(row.parked))
        object.add("skipped", Int(row.skipped))
        object.add("digest", row.digest)
        object.add("begins", optional: row.begins?.description)
        object.add("started_ts", time: row.startedAt)
        object.add("updated_ts", time: row.updatedAt)
        object.add("finished_ts", time: row.finishedAt)
        addFailure(row, to: &object)
    }

    private static func addNone(to object: inout JSONObject) {
        for name: StaticString in [
            "generation", "serving_version", "position", "rows", "events", "parked", "skipped", "digest", "begins", "started_ts", "updated_ts", "finished_ts",
            "failure", "failure_at",
        ] { object.addNull(name) }
    }

    private static func addFailure(_ row: GenerationRow, to object: inout JSONObject) {
        object.add("failure", optional: row.failure)
        object.add("failure_at", optional: row.failureAt?.description)
    }

    private static func field(_ column: ProjectionColumn) -> [UInt8] {
        var object = JSONObject()
        object.add("name", column.name)
        object.add("type", "\(column.kind)")
        object.add("path", strings: column.path)
        object.add("filter", column.kind != .json)
        return object.finish()
    }

    // MARK: Rows

    static func row(_ key: String, _ position: Position, _ json: [UInt8]) -> [UInt8] {
        var object = JSONObject()
        object.add("key", key)
        object.add("position", position.description)
        object.add("row", raw: json)
        return object.finish()
    }

    static func page(_ page: RowPage) -> [UInt8] {
        var object = JSONObject()
        object.add("rows", raw: JSONArray.of(page.rows) { $0.append(contentsOf: row($1.key, $1.position, $1.json)) })
        object.add("next_cursor", optional: page.next.map { KeyCursor(key: $0).text })
        return object.finish()
    }

    static func change(_ change: PastDifference.Change) -> [UInt8] {
        var object = JSONObject()
        object.add("key", change.key)
        object.add("change", change.before == nil ? "created" : change.after == nil ? "deleted" : "updated")
        object.add("position", change.position.description)
        object.add("members", raw: JSONDifference.members(change.before, change.after))
        return object.finish()
    }

    static func parked(_ event: ParkedEvent) -> [UInt8] {
        var object = JSONObject()
        object.add("position", event.position.description)
        object.add("stream", event.stream)
        object.add("status", event.status.rawValue)
        object.add("reason", event.reason)
        object.add("attempts", event.attempts)
        object.add("parked_ts", time: event.parkedAt)
        object.add("applied_after", optional: event.appliedAfter?.description)
        object.add("generation", event.generation)
        object.add("entry", raw: event.entry)
        return object.finish()
    }
}
