import Core
import Foundation
import Log
import PostgreSQLDriver
import Projections
import RedisDriver
import TestSupport
import Testing

@Suite("Materializer")
struct MaterializerTests {
    private static let control = ProjectionCatalog(ControlKind.allCases.map { ProjectionHost(ControlProjection($0)) })

    @Test("A random history folded live, materialized through crashes, rebuilt and loaded from rows gives one state") func sameState() async throws {
        let run = FuzzRun("control history", short: 10_000, share: 0.01)
        try await ProjectionRig.with { rig in
            var history = ControlHistory(seed: run.seed)
            var chaos = SeededNumbers(run.seed &+ 1)
            var process = rig.start(Self.control, rig.place(lease: .milliseconds(500)), rebuilds: false)
            var left = run.cases
            while left > 0 {
                let count = min(left, 1 + chaos.below(400))
                try rig.append(history.events(count))
                if chaos.once(in: 20) { try rig.appendRaw(.control, ["event", "config.updated", "v", "1", "nonsense", "\(left)"]) }
                left -= count
                if chaos.once(in: 3) {
                    // In the middle of whatever it does: the server ends its connections.
                    _ = try rig.postgresql().query(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'meshlog-projection%'"
                    )
                }
                if chaos.once(in: 8) {
                    await process.end()
                    process = rig.start(Self.control, rig.place("again", lease: .milliseconds(500)), rebuilds: false)
                }
            }
            for kind in ControlKind.allCases {
                let projection = ControlProjection(kind)
                let row = try await rig.caughtUp(kind.projection)
                let live = try await rig.folded(projection)
                #expect(row.digest == live.digest, "\(kind), seed \(run.seed)")
                #expect(row.rows == Int64(live.rows.count) && row.events == live.events)
                let loaded = try #require(try RowLoader.load(projection, on: rig.postgresql()))
                #expect(loaded.digest.description == live.digest && loaded.position == row.position)
                #expect(Set(loaded.rows.map { Array($0.0.utf8) + $0.1.json }) == Set(live.rows.map { Array($0.key.utf8) + $0.json }))
                let proof = try await rig.verify(try Self.control.runtime(kind.projection))
                #expect(proof.isEqual, "\(proof.text), seed \(run.seed)")
            }
            await process.end()
            try await rig.serving(Self.control, rig.place("rebuilder", lease: .milliseconds(500))) {
                for kind in ControlKind.allCases {
                    let before = try #require(try GenerationTable.serving(kind.projection, on: rig.postgresql()))
                    _ = try ProjectionRequests.rebuild(ControlProjection(kind).definition, on: rig.postgresql())
                    let after = try await rig.until(kind.projection) { $0.generation > before.generation }
                    #expect(after.digest == before.digest && after.rows == before.rows && after.events == before.events, "\(kind), seed \(run.seed)")
                    #expect(try await rig.verify(try Self.control.runtime(kind.projection)).isEqual)
                }
            }
        }
    }

    @Test("When the log has lost its count of epochs, the next try is above the one that the rows have", .timeLimit(.minutes(3)))
    func lostEpochs() async throws {
        try await ProjectionRig.with { rig in
            let catalog = ProjectionCatalog([ProjectionHost(ControlProjection(.config))])
            var history = ControlHistory(seed: 8)
            try rig.append(history.events(100))
            try await rig.serving(catalog, rig.place()) { _ = try await rig.caughtUp(ControlKind.config.projection) }
            try rig.execute("UPDATE projection SET epoch = 1000000")
            try rig.append(history.events(100))
            try await rig.serving(catalog, rig.place()) {
                let row = try await rig.caughtUp(ControlKind.config.projection)
                #expect(row.epoch == 1_000_001)
            }
        }
    }

    @Test("When the process that acts falls silent, another goes on within the lease, and what the silent one writes late is refused")
    func takeover() async throws {
        try await ProjectionRig.with { rig in
            let projection = ControlProjection(.config)
            let catalog = ProjectionCatalog([ProjectionHost(projection)])
            let ttl = Duration.seconds(2)
            var history = ControlHistory(seed: 7)
            try rig.append(history.events(500))
            // A process that takes the lease, commits something, and then stands still.
            let silent = rig.place("silent", lease: ttl)
            let late = history.events(500)
            try await onThread {
                let control = try rig.redis()
                let session = try rig.postgresql()
                var lease = Lease(name: "projection:config", instance: "silent", ttl: ttl, keys: rig.keys)
                guard case .held(let epoch) = try lease.renew(control) else { throw ProjectionRig.Late(name: "lease") }
                let row = try GenerationTable.start(projection.definition, on: session)
                let work = try Materialization(projection, row, epoch: epoch, session: session, control: control, place: silent)
                while try !work.isAtHead || work.position < rig.head(.control) { _ = try work.step(wait: .milliseconds(1), control: control) }
                let committed = work.position
                let other = Process(rig.start(catalog, rig.place("other", lease: ttl), rebuilds: false))
                defer { other.end() }
                let last = try rig.append(late).last ?? .zero
                #expect(waitUntil { try GenerationTable.serving("config", on: session)?.position == last })
                #expect(committed < last)
                #expect(throws: ProjectionError.self) { while true { _ = try work.step(wait: .milliseconds(1), control: control) } }
            }
            #expect(try await rig.verify(ProjectionHost(projection)).isEqual)
        }
    }

    /// Ends a running process from a thread.
    private struct Process {
        let running: ProjectionRig.Running
        init(_ running: ProjectionRig.Running) { self.running = running }
        func end() { running.task.cancel() }
    }

    @Test("Rows that do not fit in memory are looked up again, and the state is the same") func lookUps() async throws {
        try await ProjectionRig.with { rig in
            let projection = ControlProjection(.config)
            let place = rig.place()
            var history = ControlHistory(seed: 9)
            for _ in 0..<5 {
                try rig.append(history.events(700))
                try await onThread {
                    let session = try rig.postgresql()
                    let control = try rig.redis()
                    let row = try GenerationTable.start(projection.definition, on: session)
                    let work = try Materialization(projection, row, epoch: 1, session: session, control: control, place: place, rowsHeldMax: 5)
                    while try !work.isAtHead || work.position < rig.head(.control) { _ = try work.step(wait: .milliseconds(1), control: control) }
                }
            }
            let live = try await rig.folded(projection)
            #expect(try GenerationTable.serving("config", on: rig.postgresql())?.digest == live.digest)
            #expect(try await rig.verify(ProjectionHost(projection)).isEqual)
        }
    }

    @Test("A row changed by hand stops the projection when it is needed, and the failure names it") func damaged() async throws {
        try await ProjectionRig.with { rig in
            let catalog = ProjectionCatalog([ProjectionHost(ControlProjection(.config))])
            func change(_ change: ControlEvent.Change, _ value: Int) throws {
                try rig.append([
                    ControlEvent(.config, change, key: "global/x", document: Array("{\"level\":\"global\",\"name\":\"x\",\"value\":\(value)}".utf8))
                ])
            }
            try await rig.serving(catalog, rig.place()) {
                try change(.created, 1)
                try await rig.caughtUp("config")
            }
            try rig.execute("UPDATE projections.config_g1 SET row = replace(row::text, '\"value\":1', '\"value\":2')::json")
            try await rig.serving(catalog, rig.place("two")) {
                try change(.updated, 3)
                let row = try await rig.until("config") { $0.status == .stopped }
                #expect(row.failure?.contains("'global/x'") == true)
            }
            #expect(throws: ProjectionError.self) { try RowLoader.load(ControlProjection(.config), on: rig.postgresql()) }
        }
    }

    @Test("Several streams are folded in the order of their positions, entries with the same id too") func merged() async throws {
        try await ProjectionRig.with { rig in
            let projection = OrderProjection()
            // The same ids in both streams, and runs in one of them.
            for index in 1...3_000 {
                let id = "\(1_000 + index / 3)-\(index % 3)"
                if index % 7 < 5 { try rig.appendRaw(.control, ["event", "x", "n", "\(index)"], id: id) }
            }
            let texts = (0..<2_000).map { Array(#"{"topic":"a.b","data":{"n":\#($0)}}"#.utf8) }
            var positions: [Position] = []
            for start in stride(from: 0, to: 2_000, by: 500) {
                positions += try rig.append(messages: Array(texts[start..<(start + 500)]), firstMs: UInt64(1_000 + start), stepMs: 1)
            }
            try await rig.serving(ProjectionCatalog([ProjectionHost(projection)]), rig.place()) {
                let head = max(try rig.head(.control), try rig.head(.messages))
                try await rig.until("order") { $0.position >= head }
            }
            let control =
                try rig.redis().run("XRANGE", [rig.keys.stream(.control), "-", "+"]).array?.compactMap {
                    $0.array?.first?.text.flatMap { Position(streamID: $0) }
                } ?? []
            let expected = (control.map { ($0, 0) } + positions.map { ($0, 1) }).sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { "\($0.1):\($0.0.streamID)" }
            let row = try #require(try rig.rows("order")["all"])
            #expect(row == OrderRow(seen: expected).text)
            #expect(try await rig.verify(ProjectionHost(projection)).isEqual)
        }
    }
}

/// Writes down in which order it was given events.
struct OrderProjection: Projection {
    var definition: ProjectionDefinition {
        ProjectionDefinition(name: "order", version: 1, streams: [.control, .messages], purpose: "the order of events", columns: [])
    }
    func keys(of event: LogEvent) throws(ProjectionFault) -> [String] { ["all"] }
    func apply(_ event: LogEvent, to row: inout OrderRow?, key: String) throws(ProjectionFault) {
        var next = row ?? OrderRow(seen: [])
        next.seen.append("\(event.stream == .control ? 0 : 1):\(event.position.streamID)")
        row = next
    }
}

struct OrderRow: ProjectionRow {
    var seen: [String]
    var text: String { "{\"seen\":\"\(seen.joined(separator: " "))\"}" }
    var json: [UInt8] { Array(text.utf8) }
    init(seen: [String]) { self.seen = seen }
    init?(json: [UInt8]) {
        guard let text = try? JSONDocument(json).root["seen"]?.string else { return nil }
        seen = text.split(separator: " ").map(String.init)
    }
}
