import Core
import Foundation
import Log
import PostgreSQLDriver
import Projections
import TestSupport
import Testing

@Suite("Rebuild")
struct RebuildTests {
    /// Counts events by kind; another version of it gives other rows, and columns.
    struct Counting: Projection {
        var version = 1
        var onFault = FaultPolicy.park
        var refuses: Set<String> = []

        var definition: ProjectionDefinition {
            ProjectionDefinition(
                name: "counting", version: version, streams: [.control], purpose: "events by kind",
                columns: version == 1
                    ? [ProjectionColumn("count", .integer)] : [ProjectionColumn("total", .integer, path: ["count"]), ProjectionColumn("kind", .text)],
                onFault: onFault)
        }
        func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
            switch event.content {
            case .control(let change): return [change.kind.rawValue]
            case .unreadable(let reason, _): throw ProjectionFault(reason)
            default: return []
            }
        }
        func apply(_ event: LogEvent, to row: inout CountRow?, key: String) throws(ProjectionFault) {
            if case .control(let change) = event.content, refuses.contains(change.comment) { throw ProjectionFault("not with \(change.comment)") }
            row = CountRow(count: (row?.count ?? 0) + version, kind: key)
        }
    }

    struct CountRow: ProjectionRow {
        var count: Int
        var kind: String
        var json: [UInt8] { Array("{\"count\":\(count),\"kind\":\"\(kind)\"}".utf8) }
        init(count: Int, kind: String) {
            self.count = count
            self.kind = kind
        }
        init?(json: [UInt8]) {
            guard let root = try? JSONDocument(json).root, let count = root["count"]?.integer, let kind = root["kind"]?.string else { return nil }
            self.count = Int(count)
            self.kind = kind
        }
    }

    private func event(_ comment: String = "") -> ControlEvent {
        ControlEvent(.config, .updated, key: "k", document: Array("{}".utf8), comment: comment)
    }

    @Test("The serving generation is read while the next is built, and follows the log; the next takes over when it has caught up") func blueGreen()
        async throws
    {
        try await ProjectionRig.with { rig in
            let catalog = ProjectionCatalog([ProjectionHost(Counting())])
            try rig.append((0..<2_000).map { _ in event() })
            // No rebuilder yet: the next generation stays empty for as long as we like.
            let process = rig.start(catalog, rig.place(), rebuilds: false)
            try await rig.caughtUp("counting")
            let asked = try ProjectionRequests.rebuild(Counting().definition, on: rig.postgresql())
            #expect(asked.status == .building && asked.generation == 2)
            #expect(try ProjectionRequests.rebuild(Counting().definition, on: rig.postgresql()).generation == 2)
            try rig.append([event()])
            try await rig.caughtUp("counting")
            #expect(try rig.rows("counting")["config"] == "{\"count\":2001,\"kind\":\"config\"}")
            let builder = Task { await Rebuilder(catalog, rig.place("builder")).run() }
            let after = try await rig.until("counting") { $0.generation == 2 }
            let head = try rig.head(.control)
            #expect(after.status == .serving && after.position == head)
            #expect(try rig.rows("counting")["config"] == "{\"count\":2001,\"kind\":\"config\"}")
            try rig.append([event()])
            try await rig.caughtUp("counting")
            #expect(try rig.rows("counting")["config"] == "{\"count\":2002,\"kind\":\"config\"}")
            #expect(try rig.postgresql().query("SELECT to_regclass('projections.counting_g1')").isNull(0, 0))
            builder.cancel()
            await builder.value
            await process.end()
            #expect(try GenerationTable.all("counting", on: rig.postgresql()).map(\.status) == [.replaced, .serving])
            #expect(try await rig.verify(ProjectionHost(Counting())).isEqual)
        }
    }

    @Test("A new version of the code is built by itself, and may have other columns") func upgrade() async throws {
        try await ProjectionRig.with { rig in
            try rig.append((0..<100).map { _ in event() })
            try await rig.serving(ProjectionCatalog([ProjectionHost(Counting())]), rig.place()) { _ = try await rig.caughtUp("counting") }
            try await rig.serving(ProjectionCatalog([ProjectionHost(Counting(version: 2))]), rig.place("new")) {
                let row = try await rig.until("counting") { $0.version == 2 }
                #expect(row.generation == 2)
                #expect(try rig.postgresql().query("SELECT total, kind FROM projections.counting").int(0, 0) == 200)
                try rig.append([event()])
                try await rig.caughtUp("counting")
            }
            // The older program leaves the newer rows alone.
            try await rig.serving(ProjectionCatalog([ProjectionHost(Counting())]), rig.place("old")) {
                try rig.append([event()])
                #expect(throws: ProjectionError.self) { try ProjectionRequests.rebuild(Counting().definition, on: rig.postgresql()) }
            }
            #expect(try rig.postgresql().query("SELECT total, kind FROM projections.counting").int(0, 0) == 202)
        }
    }

    @Test("A rebuild that fails or is cancelled leaves what serves untouched and keeps its reason") func ended() async throws {
        try await ProjectionRig.with { rig in
            try rig.append([event(), event("odd"), event()])
            let mild = ProjectionCatalog([ProjectionHost(Counting())])
            try await rig.serving(mild, rig.place()) { _ = try await rig.caughtUp("counting") }
            let strict = ProjectionCatalog([ProjectionHost(Counting(version: 2, onFault: .stop, refuses: ["odd"]))])
            try await rig.serving(strict, rig.place("strict")) {
                let session = try rig.postgresql()
                #expect(try await onThread { waitUntil { try GenerationTable.all("counting", on: rig.postgresql()).contains { $0.status == .failed } } })
                let rows = try GenerationTable.all("counting", on: session)
                #expect(rows.map(\.status) == [.serving, .failed])
                #expect(rows[1].failure?.contains("not with odd") == true && rows[1].failureAt != nil && rows[1].finishedAt != nil)
                #expect(try rig.rows("counting")["config"] == "{\"count\":3,\"kind\":\"config\"}")
                #expect(try session.query("SELECT to_regclass('projections.counting_g2')").isNull(0, 0))
            }
            // A failed upgrade is not tried for ever; on request it is.
            _ = try ProjectionRequests.rebuild(Counting().definition, on: rig.postgresql())
            let cancelled = try ProjectionRequests.cancelRebuild("counting", on: rig.postgresql())
            #expect(cancelled.status == .cancelled && cancelled.generation == 3)
            #expect(throws: ProjectionError.self) { try ProjectionRequests.cancelRebuild("counting", on: rig.postgresql()) }
            try await rig.serving(mild, rig.place("mild")) {
                try rig.append([event()])
                try await rig.caughtUp("counting")
                #expect(try rig.rows("counting")["config"] == "{\"count\":4,\"kind\":\"config\"}")
            }
            #expect(try GenerationTable.all("counting", on: rig.postgresql()).map(\.status) == [.serving, .failed, .cancelled])
        }
    }

    @Test("A rebuild that was interrupted goes on from its checkpoint") func resumed() async throws {
        try await ProjectionRig.with { rig in
            let projection = Counting()
            try rig.append((0..<3_000).map { _ in event() })
            let place = rig.place()
            try await onThread {
                let session = try rig.postgresql()
                _ = try GenerationTable.start(projection.definition, on: session)
                let row = try ProjectionRequests.rebuild(projection.definition, on: session)
                let control = try rig.redis()
                // The first process commits some and is gone; its epoch is lower than the next one's.
                let work = try Materialization(projection, row, epoch: 0, session: session, control: control, place: place)
                while try !work.isAtHead || work.position < rig.head(.control) { _ = try work.step(wait: .milliseconds(1), control: control) }
                #expect(try GenerationTable.all("counting", on: session).last?.entries == 3_000)
            }
            try rig.append([event()])
            try await rig.serving(ProjectionCatalog([ProjectionHost(projection)]), rig.place("next")) {
                let row = try await rig.until("counting") { $0.generation == 2 }
                #expect(row.entries == 3_001 && row.events == 3_001)
            }
            #expect(try await rig.verify(ProjectionHost(projection)).isEqual)
        }
    }

    @Test("From an empty database everything comes back") func empty() async throws {
        try await ProjectionRig.with { rig in
            var history = ControlHistory(seed: 3)
            try rig.append(history.events(1_000))
            let catalog = ProjectionCatalog.standard
            var digests: [String: String] = [:]
            try await rig.serving(catalog, rig.place()) {
                for kind in ControlKind.allCases { digests[kind.projection] = try await rig.caughtUp(kind.projection).digest }
            }
            try rig.execute("DELETE FROM projection; DROP SCHEMA projections CASCADE; CREATE SCHEMA projections")
            try await rig.serving(catalog, rig.place("two")) {
                for kind in ControlKind.allCases {
                    let row = try await rig.caughtUp(kind.projection)
                    let proof = try await rig.verify(try catalog.runtime(kind.projection))
                    #expect(row.digest == digests[kind.projection] && proof.isEqual)
                }
            }
        }
    }
}
