import Core
import Foundation
import Log
import Logging
import PostgreSQLDriver
import Projections
import RedisDriver
import Replay
import Stack
import TestSupport

/// A log and a migrated database of its own, for one test.
struct ProjectionRig: Sendable {
    let endpoint: RedisEndpoint
    let keys: LogKeys
    let url: String

    /// Runs `body` and removes what was made, on both paths.
    static func with<Value>(isolation: isolated (any Actor)? = #isolation, _ body: (ProjectionRig) async throws -> Value) async throws -> Value {
        let template = try await SharedStack.template("projections") { url in
            try await onThread {
                _ = try Migrator(folder: Repository.root + "/migrations").apply(on: PostgreSQLSession(conninfo: url, applicationName: "meshlog tests"))
            }
        }
        let redis = try await SharedStack.shared.redis
        return try await SharedStack.withDatabase(template: template) { url in
            let rig = ProjectionRig(endpoint: try RedisEndpoint(url: redis.url), keys: LogKeys(prefix: SharedStack.unique("projections")), url: url)
            try LogSetup(catalog: try StreamCatalog.load(Repository.root + "/streams"), keys: rig.keys).apply(try rig.redis())
            defer { rig.removeKeys() }
            return try await body(rig)
        }
    }

    private func removeKeys() { OwnLog.remove(keys, endpoint) }

    func redis() throws -> RedisSession { try RedisSession(endpoint, name: "test", timeout: .seconds(30)) }
    func postgresql() throws -> PostgreSQLSession { try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests") }

    func place(_ instance: String = "one", lease: Duration = .seconds(10)) -> ProjectionPlace {
        let url = url
        return ProjectionPlace(keys: keys, endpoint: endpoint, instance: instance, leaseTTL: lease, poll: .milliseconds(20), metrics: Metrics()) {
            (name: String) throws(PostgreSQLError) in try PostgreSQLSession(conninfo: url, applicationName: name)
        }
    }

    /// Runs `body` while a process serves these projections: a materializer each, and a rebuilder.
    func serving<Value>(
        _ catalog: ProjectionCatalog, _ place: ProjectionPlace, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        let process = start(catalog, place)
        do {
            let value = try await body()
            await process.end()
            return value
        } catch {
            await process.end()
            throw error
        }
    }

    struct Running: Sendable {
        let task: Task<Void, Never>

        func end() async {
            task.cancel()
            await task.value
        }
    }

    func start(_ catalog: ProjectionCatalog, _ place: ProjectionPlace, rebuilds: Bool = true) -> Running {
        Running(
            task: Task {
                await withDiscardingTaskGroup { group in
                    for runtime in catalog.runtimes { group.addTask { await runtime.materialize(place) } }
                    if rebuilds { group.addTask { await Rebuilder(catalog, place).run() } }
                }
            })
    }

    // MARK: The log

    /// Appends control events in one step.
    @discardableResult
    func append(_ events: [ControlEvent], _ session: RedisSession? = nil) throws -> [Position] {
        let session = try session ?? redis()
        var out: [Position] = []
        for start in stride(from: 0, to: events.count, by: 500) {
            let part = events[start..<min(events.count, start + 500)].map { ControlChange($0, expected: .any) }
            if case .appended(let positions) = try ControlLog(keys: keys).append(part, session) { out += positions }
        }
        return out
    }

    /// Appends an entry that is no event.
    @discardableResult
    func appendRaw(_ stream: StreamName, _ fields: [String], id: String = "*") throws -> Position {
        guard let text = try redis().run("XADD", [keys.stream(stream), id] + fields).text, let position = Position(streamID: text) else {
            throw RedisError.unexpectedReply("XADD")
        }
        return position
    }

    /// Appends messages as admission makes them, at these ids when they are given.
    @discardableResult
    func append(messages: [[UInt8]], firstMs: UInt64? = nil, stepMs: UInt64 = 0) throws -> [Position] {
        try append(more: messages, from: 0, firstMs: firstMs, stepMs: stepMs)
    }

    /// - Parameter from: the number of the first of them.
    @discardableResult
    func append(more messages: [[UInt8]], from: Int, firstMs: UInt64? = nil, stepMs: UInt64 = 0) throws -> [Position] {
        let session = try redis()
        var writer = RESPWriter()
        for (offset, text) in messages.enumerated() {
            let index = from + offset
            let id = firstMs.map { "\($0 + UInt64(index) * stepMs)-\(index)" } ?? "*"
            let message = try Envelope.admit(text, arrival: Arrival(via: "test"), freshID: { MessageUUID(high: 0x7000, low: UInt64(index)) })
            writer.begin(3 + 2 * MessageField.allCases.count)
            for word in ["XADD", keys.stream(.messages), id] { writer.argument(word) }
            for field in MessageField.allCases {
                writer.argument(field.name)
                writer.argument(message.entry.slice(field))
            }
        }
        return try session.pipeline(writer).map { value in
            guard let position = value.text.flatMap({ Position(streamID: $0) }) else { throw RedisError.unexpectedReply("\(value)") }
            return position
        }
    }

    func head(_ stream: StreamName) throws -> Position { try LogReader(keys: keys).bounds(stream, try redis()).last }

    // MARK: Waiting and looking

    /// Waits until the serving generation satisfies `condition`.
    @discardableResult
    func until(_ name: String, within: Duration = .seconds(60), _ condition: @escaping @Sendable (GenerationRow) -> Bool) async throws -> GenerationRow {
        let found: GenerationRow? = try await onThread {
            let session = try self.postgresql()
            var last: GenerationRow?
            let isMet = waitUntil(within: within) {
                last = try GenerationTable.serving(name, on: session)
                return last.map(condition) ?? false
            }
            if !isMet { print("\(name): not in time, stands at \(String(describing: last))") }
            return isMet ? last : nil
        }
        guard let found else { throw Late(name: name) }
        return found
    }

    struct Late: Error { let name: String }

    /// Waits until every entry of the stream is in the rows.
    @discardableResult
    func caughtUp(_ name: String, _ stream: StreamName = .control) async throws -> GenerationRow {
        let head = try head(stream)
        return try await until(name) { $0.position >= head }
    }

    /// The state folded in memory from the beginning.
    func folded(_ projection: some Projection) async throws -> PastState {
        let place = place()
        return try await onThread { try ProjectionHost(projection).state(at: Position(ms: .max, seq: .max), place) }
    }

    func verify(_ runtime: any ProjectionRuntime) async throws -> Verification {
        let place = place()
        return try await onThread { try runtime.verify(place) { _ in } }
    }

    func execute(_ sql: String) throws { try postgresql().execute(sql) }

    /// Rows of the serving view as text by key.
    func rows(_ name: String) throws -> [String: String] {
        let answer = try postgresql().query("SELECT key, row FROM projections.\(name.replacing("-", with: "_"))")
        return Dictionary(uniqueKeysWithValues: (0..<answer.rowCount).map { (answer.string($0, 0) ?? "", answer.string($0, 1) ?? "") })
    }
}
