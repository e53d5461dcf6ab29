internal import Foundation
package import Logging
internal import Synchronization

/// Redis, PostgreSQL and NATS as private child processes on 127.0.0.1, with their data in one folder.
///
/// One stack per data folder: a lock keeps a second one out. When Meshlog is killed, the kernel tells the servers to stop
/// (parent-death signal), and the next start waits for those that are still busy with it.
package final class EmbeddedStack: Sendable {
    package let configuration: Configuration
    private let servers: [ServerKind: EmbeddedServer]
    /// Keeps the locks of the folders.
    private let place: StackPlace
    private let logger: Logger

    /// Starts the servers side by side and returns when all answer. When one fails, none is left running, and none is waited for.
    ///
    /// - Cost: 0.1 s with data present, 0.3 s after a crash, about 1 s the first time (initdb); plus the reading back of the data.
    /// - Throws: `.missing`, `.folderInUse`, `.portTaken` and so on; each says what to do.
    package static func start(_ configuration: Configuration, logger: Logger) async throws(StackError) -> EmbeddedStack {
        let stack = try await OwnThread.run { () throws(StackError) in try EmbeddedStack(configuration, logger: logger) }
        let failure = await withTaskGroup(of: StackError?.self) { group -> StackError? in
            for server in stack.servers.values {
                group.addTask {
                    do throws(StackError) {
                        try await server.start()
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for await case let failure? in group {
                await stack.stop()
                return failure
            }
            return nil
        }
        guard let failure else { return stack }
        // Once more: one of them may have begun only after the first word.
        await stack.stop()
        throw failure
    }

    private init(_ configuration: Configuration, logger: Logger) throws(StackError) {
        let programs = Prerequisites.find()
        try programs.require(configuration.servers)
        let place = try StackPlace(dataFolder: configuration.dataFolder, fallback: configuration.fallbackFolder)
        self.place = place
        self.configuration = configuration
        self.logger = logger
        let report = StackReport(path: place.folder + "/stack.json")
        var servers: [ServerKind: EmbeddedServer] = [:]
        for kind in configuration.servers {
            let recipe = try Self.recipe(kind, configuration, programs: programs, place: place)
            servers[kind] = EmbeddedServer(
                recipe: recipe, port: configuration.ports[kind] ?? 0, setting: configuration.portSettings[kind] ?? "another setting",
                logPath: "\(place.logs)/\(kind.rawValue).log", logger: logger, changed: { report.write() })
        }
        self.servers = servers
        report.servers.withLock { $0 = servers.values.map { WeakServer(server: $0) } }
    }

    deinit {
        // Not stopped: the servers are told to, and nobody waits for them.
        for server in servers.values { server.killBlocking(within: .zero) }
    }

    // MARK: - Servers

    package var redis: EmbeddedServer { server(.redis) }
    package var postgresql: EmbeddedServer { server(.postgresql) }
    package var nats: EmbeddedServer { server(.nats) }

    package func server(_ kind: ServerKind) -> EmbeddedServer {
        guard let server = servers[kind] else { preconditionFailure("\(kind.title) is not among the configured servers") }
        return server
    }

    /// Those that were configured, in the order in which they stop.
    package var all: [EmbeddedServer] { servers.keys.sorted().compactMap { servers[$0] } }

    // MARK: - Verbs

    /// Brings every server back that ends by itself, with growing waits when it keeps ending. Runs until `stop()` or cancellation.
    package func supervise() async {
        await withDiscardingTaskGroup { group in
            for server in all { group.addTask { await server.keepRunning() } }
        }
    }

    /// Stops all in order: NATS, Redis, PostgreSQL.
    package func stop(within: Duration = StackLimits.stopWithin) async {
        for server in all { await server.stop(within: within) }
    }

    /// Ends all at once and blocks until they are gone, for `atexit`. Data stays recoverable.
    package func kill(within: Duration = .seconds(3)) {
        for server in all { server.killBlocking(within: within) }
    }

    // MARK: - Assembly

    private static func recipe(
        _ kind: ServerKind, _ configuration: Configuration, programs: Prerequisites, place: StackPlace
    ) throws(StackError) -> any ServerRecipe {
        switch kind {
        case .redis:
            return RedisRecipe(program: programs.redisServer!, folder: place.folder + "/redis", fsync: configuration.redisFsync)
        case .nats:
            return NATSRecipe(
                program: programs.natsServer!, folder: place.folder + "/nats", name: "meshlog-\(place.id)",
                payloadBytesMax: configuration.natsPayloadBytesMax, monitorPort: configuration.natsMonitorPort)
        case .postgresql:
            let home = try place.postgresql(programs)
            return PostgreSQLRecipe(
                programFolder: home.programs, folder: home.folder, account: home.account,
                sharedBuffersMiB: configuration.postgresqlSharedBuffersMiB, connectionsMax: configuration.postgresqlConnectionsMax,
                fsync: configuration.postgresqlFsync, hasTimescale: home.hasTimescale, lock: home.lock)
        }
    }
}
