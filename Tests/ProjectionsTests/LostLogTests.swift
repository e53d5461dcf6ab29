import Core
import Log
import PostgreSQLDriver
import Projections
import RedisDriver
import Replay
import TestSupport
import Testing

/// What projections say about entries that the log does not have any more, when nothing of the log's own is left to tell of them.
@Suite("Lost log")
struct LostLogTests {
    private static let topics = ProjectionHost(TopicsProjection())

    // MARK: Successors

    @Test("A log after one that was lost: a projection that lagged, a rebuild, a proof and the past have what was archived", .timeLimit(.minutes(3)))
    func successor() async throws {
        try await ProjectionRig.with { rig in
            let catalog = ProjectionCatalog([Self.topics])
            let messages = Repository.messages(12)
            var positions = try rig.append(messages: Array(messages[..<5]))
            try await rig.serving(catalog, rig.place()) { _ = try await rig.caughtUp("topics", .messages) }
            positions += try rig.append(more: Array(messages[5..<10]), from: 5)
            try await rig.archive(positions)
            try rig.lose()
            let more = try rig.append(more: Array(messages[10...]), from: 10)
            try await rig.serving(catalog, rig.place("two")) {
                let lagged = try await rig.until("topics") { $0.position == more[1] }
                #expect(lagged.events == 12)
                let proof = try await rig.verify(Self.topics)
                #expect(proof.isEqual && proof.events == 12, "\(proof.text)")
                _ = try ProjectionRequests.rebuild(Self.topics.definition, on: rig.postgresql())
                let rebuilt = try await rig.until("topics") { $0.generation == 2 }
                #expect(rebuilt.position == more[1] && rebuilt.events == 12 && rebuilt.digest == lagged.digest && rebuilt.begins == nil)
                #expect(try await rig.verify(Self.topics).isEqual)
            }
            try await checkPast(rig, Self.topics, at: positions, events: 12)
        }
    }

    @Test("A log without entries after one that was lost: the same, before and after it is adopted", .timeLimit(.minutes(3))) func emptySuccessor()
        async throws
    {
        try await ProjectionRig.with { rig in
            let catalog = ProjectionCatalog([Self.topics])
            let positions = try rig.append(messages: Repository.messages(10))
            try await rig.serving(catalog, rig.place()) { _ = try await rig.caughtUp("topics", .messages) }
            let before = try #require(try GenerationTable.serving("topics", on: rig.postgresql()))
            try await rig.archive(positions)
            try rig.lose()
            try await checkPast(rig, Self.topics, at: positions, events: 10)
            #expect(try await rig.verify(Self.topics).isEqual)
            try LogIdentity.goOn(behind: try LogIdentity.reached(on: rig.postgresql()), rig.keys, rig.redis())
            try await checkPast(rig, Self.topics, at: positions, events: 10)
            try await rig.serving(catalog, rig.place("two")) {
                _ = try ProjectionRequests.rebuild(Self.topics.definition, on: rig.postgresql())
                let rebuilt = try await rig.until("topics") { $0.generation == 2 }
                #expect(rebuilt.position == positions[9] && rebuilt.events == 10 && rebuilt.digest == before.digest)
                #expect(try await rig.verify(Self.topics).isEqual)
                let more = try rig.append(more: Repository.messages(1), from: 10)
                let next = try await rig.until("topics") { $0.position == more[0] }
                #expect(next.events == 11)
                #expect(try await rig.verify(Self.topics).isEqual)
            }
        }
    }

    @Test("A stream that no archive has, lost: a rebuild takes over with what is left, and follows what comes", .timeLimit(.minutes(3))) func control()
        async throws
    {
        try await ProjectionRig.with { rig in
            let host = ProjectionHost(EntriesProjection(stream: .control))
            let catalog = ProjectionCatalog([host])
            for index in 0..<5 { try rig.appendRaw(.control, ["event", "x", "n", "\(index)"]) }
            try await rig.serving(catalog, rig.place()) { _ = try await rig.caughtUp("entries") }
            try rig.lose()
            try await rig.serving(catalog, rig.place("two")) {
                _ = try ProjectionRequests.rebuild(host.definition, on: rig.postgresql())
                let rebuilt = try await rig.until("entries") { $0.generation == 2 }
                #expect(rebuilt.status == .serving && rebuilt.position == .zero && rebuilt.rows == 0)
                let position = try rig.appendRaw(.control, ["event", "x"])
                let next = try await rig.until("entries") { $0.position == position }
                #expect(next.events == 1 && next.begins == nil)
                #expect(try await rig.verify(host).isEqual)
            }
        }
    }

    // MARK: Trimmed to nothing

    @Test(
        "A log that was trimmed to its last entry: the past, a proof and a rebuild come from the archive, and the next message follows",
        .timeLimit(.minutes(3)))
    func trimmed() async throws {
        try await ProjectionRig.with { rig in
            let decided = ProjectionHost(EntriesProjection(stream: .verdicts))
            let catalog = ProjectionCatalog([Self.topics, decided])
            let positions = try rig.append(messages: Repository.messages(10))
            try await rig.archive(positions)
            try await rig.serving(catalog, rig.place()) {
                for name in catalog.names { try await rig.until(name) { $0.position == positions[9] } }
            }
            var digests: [String: String] = [:]
            for name in catalog.names { digests[name] = try GenerationTable.serving(name, on: rig.postgresql())?.digest }
            for stream in [StreamName.messages, .verdicts] { try rig.redis().run("XTRIM", [rig.keys.stream(stream), "MAXLEN", "0"]) }
            try await checkPast(rig, Self.topics, at: positions, events: 10)
            try await checkPast(rig, decided, at: positions, events: 10)
            for runtime in catalog.runtimes {
                let proof = try await rig.verify(runtime)
                #expect(proof.isEqual && proof.events == 10, "\(proof.text)")
            }
            try await rig.serving(catalog, rig.place("two")) {
                for runtime in catalog.runtimes {
                    let name = runtime.definition.name
                    _ = try ProjectionRequests.rebuild(runtime.definition, on: rig.postgresql())
                    let rebuilt = try await rig.until(name) { $0.generation == 2 }
                    #expect(rebuilt.position == positions[9] && rebuilt.events == 10 && rebuilt.digest == digests[name] && rebuilt.begins == nil)
                }
                let more = try rig.append(more: Repository.messages(1), from: 10)
                let next = try await rig.until("topics") { $0.position == more[0] }
                #expect(next.events == 11)
                #expect(try await rig.verify(Self.topics).isEqual)
                let status = try ProjectionReader(catalog, keys: rig.keys).status("topics", rig.redis(), on: rig.postgresql())
                #expect(status.lagEntries == 0 && status.liveness == .live)
            }
        }
    }

    @Test("A stream that no archive has, trimmed to nothing: the past and a proof say so, and a rebuild takes over", .timeLimit(.minutes(3)))
    func sessions() async throws {
        try await ProjectionRig.with { rig in
            let host = ProjectionHost(EntriesProjection(stream: .sessions))
            let catalog = ProjectionCatalog([host])
            var positions: [Position] = []
            for index in 0..<3 { positions.append(try rig.appendRaw(.sessions, ["event", "x", "n", "\(index)"])) }
            try await rig.serving(catalog, rig.place()) { _ = try await rig.caughtUp("entries", .sessions) }
            try rig.redis().run("XTRIM", [rig.keys.stream(.sessions), "MAXLEN", "0"])
            let place = rig.place()
            let last = positions[2]
            try await onThread {
                _ = #expect(throws: ProjectionError.self) { try host.state(at: last, place) }
                _ = #expect(throws: ProjectionError.self) { try host.verify(place) { _ in } }
            }
            try await rig.serving(catalog, rig.place("two")) {
                _ = try ProjectionRequests.rebuild(host.definition, on: rig.postgresql())
                let rebuilt = try await rig.until("entries") { $0.generation == 2 }
                #expect(rebuilt.status == .serving && rebuilt.rows == 0)
                #expect(try await rig.verify(host).isEqual)
                let position = try rig.appendRaw(.sessions, ["event", "x"])
                let next = try await rig.until("entries") { $0.position == position }
                #expect(next.events == 1 && next.begins == position)
                #expect(try await rig.verify(host).isEqual)
            }
        }
    }

    /// The state at a position, at the end, and between two positions.
    private func checkPast(_ rig: ProjectionRig, _ known: ProjectionHost<some Projection>, at positions: [Position], events: Int64) async throws {
        let place = rig.place()
        // A host of its own: one that was asked before may remember the answer.
        let host = ProjectionHost(known.projection)
        try await onThread {
            for index in [4, 9] {
                let state = try host.state(at: positions[index], place)
                #expect(state.position == positions[index] && state.events == Int64(index + 1) && !state.rows.isEmpty)
            }
            #expect(try host.state(at: Position(ms: .max, seq: .max), place).events == events)
            let change = try host.diff(from: positions[4], to: positions[9], place)
            #expect(change.from == positions[4] && change.to == positions[9] && !change.changes.isEmpty)
        }
    }
}

/// Counts the entries of one stream, whatever they say.
struct EntriesProjection: Projection {
    let stream: StreamName

    var definition: ProjectionDefinition {
        ProjectionDefinition(
            name: stream == .verdicts ? "decided" : "entries", version: 1, streams: [stream], purpose: "how many entries there were", columns: [])
    }
    func keys(of event: LogEvent) throws(ProjectionFault) -> [String] { ["all"] }
    func apply(_ event: LogEvent, to row: inout RebuildTests.CountRow?, key: String) throws(ProjectionFault) {
        row = RebuildTests.CountRow(count: (row?.count ?? 0) + 1, kind: key)
    }
}

extension ProjectionRig {
    /// Redis comes back without its data, and with the streams as a start makes them.
    fileprivate func lose() throws {
        OwnLog.remove(keys, endpoint)
        try LogSetup(catalog: try StreamCatalog.load(Repository.root + "/streams"), keys: keys).apply(try redis())
    }
}
