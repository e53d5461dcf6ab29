internal import ArgumentParser
internal import Foundation
internal import Log
internal import Logging
internal import Stack

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start Redis, PostgreSQL and NATS privately on this machine, and serve them.",
        discussion: """
            The servers are child processes on 127.0.0.1 with their data under .meshlog/; Ctrl-C stops everything, and the next start has the data.

            meshlog up
            meshlog up --data /var/lib/meshlog --port 9000
            """)
    @OptionGroup var flags: ServeFlags
    @Option(help: "folder for the data of all servers [.meshlog; MESHLOG_DATA]") var data: String?
    @Option(help: "port of the private Redis; 0 takes a free one [16379; MESHLOG_REDIS_PORT]") var redisPort: Int?
    @Option(help: "port of the private PostgreSQL; 0 takes a free one [15432; MESHLOG_POSTGRESQL_PORT]") var postgresqlPort: Int?
    @Option(help: "port of the private NATS; 0 takes a free one [14222; MESHLOG_NATS_PORT]") var natsPort: Int?
    @Option(help: "when Redis syncs its file: always, everysec or no [always; MESHLOG_REDIS_FSYNC]") var redisFsync: String?

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let foreign = [("--redis-url", flags.redisURL), ("--postgresql-url", flags.postgresqlURL), ("--nats-url", flags.natsURL)].filter { $0.1 != nil }.map(
            \.0)
        guard foreign.isEmpty else {
            throw SettingError(
                description: "meshlog up starts servers of its own and takes no \(foreign.joined(separator: ", ")); `meshlog serve` uses servers that you have")
        }
        let early = try Settings.resolve(flags)
        Logs.start(early.logLevel)
        var configuration = EmbeddedStack.Configuration(dataFolder: data ?? environment["MESHLOG_DATA"] ?? ".meshlog")
        for (kind, flag, name) in [
            (ServerKind.redis, redisPort, "MESHLOG_REDIS_PORT"), (.postgresql, postgresqlPort, "MESHLOG_POSTGRESQL_PORT"),
            (.nats, natsPort, "MESHLOG_NATS_PORT"),
        ] {
            guard let text = flag.map(String.init) ?? environment[name] else { continue }
            guard let port = Int(text), port == 0 || Settings.isPort(port) else {
                throw SettingError(
                    description:
                        "the port of the private \(kind.title) is '\(text)'; expected a number from 0 to 65535 (0 takes a free one)")
            }
            configuration.ports[kind] = port
        }
        if let text = redisFsync ?? environment["MESHLOG_REDIS_FSYNC"] {
            guard let fsync = EmbeddedStack.RedisFsync(rawValue: text) else {
                throw SettingError(description: "redis-fsync is '\(text)'; expected always, everysec or no")
            }
            configuration.redisFsync = fsync
        }
        try HTTPPort.require(early)
        let stack = try await EmbeddedStack.start(configuration, logger: Logger(label: "meshlog.stack"))
        let keyFile = try WebhookKeyFile.prepare(in: configuration.dataFolder)
        let settings = try Settings.resolve(
            flags, overrides: ["redis-url": stack.redis.url, "postgresql-url": stack.postgresql.url, "nats-url": stack.nats.url],
            // The folder's lock keeps a second process out, so a restart may take its own leases over at once.
            fallbacks: [
                "instance": "up:\(ProcessInfo.processInfo.hostName):\(URL(fileURLWithPath: configuration.dataFolder).path)", "webhook-key-file": keyFile,
            ])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await stack.supervise() }
            group.addTask {
                try await Wiring(settings: settings).run { port in Up.welcome(settings, stack, port) }
            }
            let end = await group.nextResult()
            // First: the supervision may be waiting for a server that is still loading, and ends with it.
            await stack.stop()
            group.cancelAll()
            try end?.get()
        }
    }

    private static func welcome(_ settings: Settings, _ stack: EmbeddedStack, _ port: Int) {
        let http = settings.url(port: port)
        let push =
            settings.list.isEmpty
            ? "" : "\n  redis-cli -p \(stack.redis.port) RPUSH \(settings.list) '{\"topic\": \"internal.updates\", \"data\": 1}'"
        EmbeddedReport.writeServing(url: http, folder: stack.configuration.dataFolder)
        Output.say(
            """

            Meshlog is up.
              HTTP, WebSocket  \(http)
              Redis (the log)  \(stack.redis.url)
              PostgreSQL       \(stack.postgresql.url)
              NATS             \(stack.nats.url)

            Try:
              curl -s \(http)/v1/messages -d '{"topic": "internal.updates", "data": {"hello": "world"}}'
              curl -N \(http)/v1/feed\(push)
              redis-cli -p \(stack.redis.port) XRANGE '\(settings.keys.stream(.messages))' - + COUNT 2
              psql '\(stack.postgresql.url)' -c 'SELECT topic, message_data FROM message_exchange LIMIT 5'

            Ctrl-C stops everything; the data stays.
            """)
    }
}
