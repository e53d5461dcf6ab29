internal import Control
internal import Core
internal import Log
internal import RedisDriver
internal import Stack
internal import TestSupport

/// Several processes on one log, as far as the control plane goes.
struct ControlRig: Sendable {
    struct Member: Sendable {
        let follower: ControlFollower
        let writer: ControlWriter
        let live: LiveConfig
    }
    let members: [Member]
    let keys: LogKeys
    let endpoint: RedisEndpoint

    /// - Parameter state: what each member begins with, as if it had been loaded from rows.
    static func run(
        members count: Int = 2, state: ControlState = ControlState(), _ body: @escaping @Sendable (ControlRig) async throws -> Void
    ) async throws {
        let endpoint = RedisEndpoint(host: "127.0.0.1", port: try await SharedStack.shared.redis.port)
        let keys = LogKeys(prefix: SharedStack.unique("control"))
        let catalog = try StreamCatalog.load(Repository.root + "/streams")
        _ = try await onThread { try LogSetup(catalog: catalog, keys: keys).apply(RedisSession(endpoint, name: "tests")) }
        let rules = try DocumentForms(catalog).rules
        let redis = BlockingPool<RedisSession>(name: "control-tests", width: 4) { try RedisSession(endpoint, name: "tests") }
        let members = (0..<count).map { _ in
            let live = LiveConfig()
            let follower = ControlFollower(endpoint: endpoint, keys: keys, live: live, state: state)
            return Member(
                follower: follower, writer: ControlWriter(redis: redis, keys: keys, follower: follower, machine: ControlMachine(rules: rules)), live: live)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await redis.serve() }
            for member in members { group.addTask { await member.follower.run() } }
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(ControlRig(members: members, keys: keys, endpoint: endpoint)))
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            try await group.waitForAll()
            try result.get()
        }
        try await onThread {
            let session = try RedisSession(endpoint, name: "tests")
            try session.run("DEL", [keys.controlVersions] + StreamName.allCases.map { keys.stream($0) })
        }
    }

    /// Takes away what the log has, as `FLUSHALL` would.
    func lose() async throws {
        try await onThread { [keys, endpoint] in
            _ = try RedisSession(endpoint, name: "tests").run("DEL", [keys.controlVersions] + StreamName.allCases.map { keys.stream($0) })
        }
    }

    /// The versions in the log: of each document, and "-" of the last entry that is counted.
    func versions() throws -> [String: String] {
        try RedisSession(endpoint, name: "tests").run("HGETALL", [keys.controlVersions]).pairs.compactMapValues(\.text)
    }

    static let author = ControlAuthor(principal: "ann", via: "test", comment: "because")

    /// A value of the global configuration.
    static func value(_ name: String, _ json: String, expected: ExpectedVersion? = nil) -> ControlCommand {
        let address = ConfigAddress(.global, name: name)
        return ControlCommand(.put(address.document(value: Array(json.utf8))), .config, address.key, expected: expected, author: author)
    }

    /// The number a row of the configuration holds.
    static func number(_ row: ControlRow?) -> Int64? { row.flatMap { try? JSONDocument($0.document).root["value"]?.integer } }
}
