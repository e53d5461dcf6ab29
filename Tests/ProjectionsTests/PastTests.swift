import Core
import Foundation
import Log
import PostgreSQLDriver
import Projections
import RedisDriver
import Replay
import TestSupport
import Testing

@Suite("Past")
struct PastTests {
    @Test("The state at every past position is the fold up to it; a row and the difference of two moments agree") func states() async throws {
        try await ProjectionRig.with { rig in
            let projection = ControlProjection(.config)
            let host = ProjectionHost(projection)
            var history = ControlHistory(seed: 31, keys: 30)
            let events = history.events(600)
            let positions = try rig.append(events)
            let place = rig.place()
            try await onThread {
                _ = try GenerationTable.start(projection.definition, on: rig.postgresql())
                var fold = Fold(projection)
                // By their bytes: some keys look alike and are not the same.
                var before: [[UInt8]: [UInt8]] = [:]
                var last = 0
                for (index, (event, position)) in zip(events, positions).enumerated() {
                    try fold.apply(LogEvent(stream: .control, position: position, content: .control(event)))
                    guard index % 97 == 0 || index == 599 else { continue }
                    _ = fold.commit()
                    let state = try host.state(at: position, place)
                    #expect(state.digest == fold.digest.description && state.position == position && state.events == fold.events)
                    let rows = Dictionary(uniqueKeysWithValues: state.rows.map { (Array($0.key.utf8), $0.json) })
                    #expect(state.rows.allSatisfy { fold.row($0.key)?.json == $0.json })
                    #expect(try host.row(event.key, at: position, place).row?.json == fold.row(event.key)?.json)
                    if index > 0 {
                        let changes = try host.diff(from: positions[last], to: position, place).changes
                        for change in changes { #expect(change.before == before[Array(change.key.utf8)] && change.after == rows[Array(change.key.utf8)]) }
                        #expect(Set(changes.map { Array($0.key.utf8) }) == Set(rows.keys).union(before.keys).filter { rows[$0] != before[$0] })
                    }
                    before = rows
                    last = index
                }
                #expect(try host.state(at: .zero, place).rows.isEmpty)
                #expect(throws: ProjectionError.self) { _ = try host.diff(from: positions[9], to: positions[3], place) }
            }
        }
    }

    @Test("What the log has let go comes from the archive: a new projection, a verification and the past are whole") func trimmed() async throws {
        try await ProjectionRig.with { rig in
            let host = ProjectionHost(SubjectsProjection())
            let catalog = ProjectionCatalog([host])
            let messages = Repository.messages(3_000)
            let positions = try rig.append(messages: messages)
            let whole = try await rig.folded(SubjectsProjection())
            try await rig.archive(positions)
            // Somewhere within; and then everything but the last.
            for (keep, generation) in [(positions[1_500], 1), (positions[2_999], 2)] {
                try rig.redis().run("XTRIM", [rig.keys.stream(.messages), "MINID", keep.streamID])
                try await rig.serving(catalog, rig.place("p\(generation)")) {
                    if generation == 2 { _ = try ProjectionRequests.rebuild(host.definition, on: rig.postgresql()) }
                    let row = try await rig.until("subjects") { $0.generation == generation && $0.position == positions[2_999] }
                    #expect(row.digest == whole.digest && row.begins == nil && row.entries == 3_000)
                    #expect(try await rig.verify(host).isEqual)
                }
            }
            let place = rig.place()
            let state = try await onThread { try host.state(at: positions[700], place) }
            #expect(state.position == positions[700] && state.events == 701)
            // The log goes on behind what was trimmed.
            let more = try rig.append(more: Repository.messages(10), from: 3_000)
            try await rig.serving(catalog, rig.place("later")) {
                let row = try await rig.until("subjects") { $0.position == more[9] }
                #expect(row.events == 3_010)
                let status = try ProjectionReader(catalog, keys: rig.keys).status("subjects", rig.redis(), on: rig.postgresql())
                #expect(status.lagMs == 0 && status.lagEntries == 0 && status.liveness == .live)
            }
        }
    }

    @Test("When neither log nor archive has the beginning, the projection says from where it begins") func gap() async throws {
        try await ProjectionRig.with { rig in
            let host = ProjectionHost(SubjectsProjection())
            let positions = try rig.append(messages: Repository.messages(100))
            try rig.redis().run("XTRIM", [rig.keys.stream(.messages), "MINID", positions[40].streamID])
            try await rig.serving(ProjectionCatalog([host]), rig.place()) {
                let row = try await rig.until("subjects") { $0.position == positions[99] }
                #expect(row.begins == positions[40] && row.events == 60)
                #expect(try await rig.verify(host).isEqual)
            }
            let place = rig.place()
            try await onThread { _ = #expect(throws: ProjectionError.self) { try host.state(at: positions[10], place) } }
            // What is lost behind the checkpoint is a fault, not a beginning.
            let more = try rig.append(more: Repository.messages(20), from: 100)
            try rig.redis().run("XTRIM", [rig.keys.stream(.messages), "MINID", more[10].streamID])
            try await rig.serving(ProjectionCatalog([host]), rig.place("two")) {
                let row = try await rig.until("subjects") { $0.status == .stopped }
                #expect(row.failure?.contains("neither in the log nor in the archive") == true)
            }
        }
    }

    @Test("Lag and liveness: entries behind the checkpoint are counted, a head that stands still is noticed") func status() async throws {
        try await ProjectionRig.with { rig in
            let catalog = ProjectionCatalog([ProjectionHost(ControlProjection(.config))])
            let reader = ProjectionReader(catalog, keys: rig.keys)
            #expect(try reader.statuses(rig.redis(), on: rig.postgresql())[0].liveness == .absent)
            var history = ControlHistory(seed: 5)
            try await rig.serving(catalog, rig.place()) {
                try rig.append(history.events(50))
                try await rig.caughtUp("config")
                let live = try reader.status("config", rig.redis(), on: rig.postgresql())
                #expect(live.liveness == .live && live.lagMs == 0 && live.lagEntries == 0)
            }
            try rig.append(history.events(30))
            let behind = try reader.status("config", rig.redis(), on: rig.postgresql())
            #expect(behind.lagEntries == 30 && behind.lagMs > 0)
            // As if it had stood still since yesterday: old entries behind an old checkpoint.
            try rig.execute("UPDATE projection SET position_ms = 0, position_seq = 0, updated_at = now() - interval '1 day'")
            let old = rig.keys.stream(.control)
            try rig.redis().run("DEL", [old])
            try rig.appendRaw(.control, ["event", "x"], id: "1000-0")
            #expect(try reader.status("config", rig.redis(), on: rig.postgresql()).liveness == .stalled)
        }
    }
}

extension ProjectionRig {
    /// Decides these messages and puts them into the archive, as router and archiver do.
    func archive(_ positions: [Position]) async throws {
        try await onThread {
            let redis = try self.redis()
            let sink = try MessageArchive(session: try self.postgresql(), name: "archive", partition: 0)
            var writer = RESPWriter()
            for position in positions {
                let id = position.streamID
                let fields = try redis.run("XRANGE", [self.keys.stream(.messages), id, id]).array?.first?.array?.last?.pairs
                guard let uuid = fields?["message_uuid"]?.text else { throw ProjectionRig.Late(name: "message \(position)") }
                writer.command(
                    "XADD",
                    [
                        self.keys.stream(.verdicts), id, "event", VerdictEntry.event, "v", VerdictEntry.version, "message_uuid",
                        uuid, "outcome", "deliver", "rule", "default", "reason", "", "policy_revision", "0-0-0", "targets",
                        "[]",
                        "subject", "a.b",
                    ])
            }
            _ = try redis.pipeline(writer)
            var after = Position.zero
            while true {
                let batch = try LogReader(keys: self.keys).decided(after: after, count: 1_000, redis)
                guard let last = batch.last else { return }
                _ = try sink.write(batch)
                after = last.position
            }
        }
    }
}
