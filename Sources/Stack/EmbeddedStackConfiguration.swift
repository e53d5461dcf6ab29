extension EmbeddedStack {
    /// What the embedded stack runs, where, and how.
    package struct Configuration: Sendable {
        /// Everything lies here: `redis/`, `postgresql/`, `nats/`, `logs/`, `stack.json` (addresses and pids of the running servers).
        package var dataFolder: String
        /// Where root's PostgreSQL has its part when its account cannot reach the data folder.
        package var fallbackFolder = "/var/lib/meshlog"
        package var servers: Set<ServerKind> = Set(ServerKind.allCases)
        /// The port of each server; 0: any free one.
        package var ports: [ServerKind: Int] = Ports.standard
        /// What changes the port, for the error that says that it is taken.
        package var portSettings: [ServerKind: String] = [
            .redis: "--redis-port (MESHLOG_REDIS_PORT)",
            .postgresql: "--postgresql-port (MESHLOG_POSTGRESQL_PORT)",
            .nats: "--nats-port (MESHLOG_NATS_PORT)",
        ]
        package var redisFsync: RedisFsync = .always
        /// Largest NATS message, 1–8 MiB; a message of Meshlog plus its headers must fit.
        package var natsPayloadBytesMax = 8 << 20
        /// nats-server's HTTP monitor on 127.0.0.1; nil: off.
        package var natsMonitorPort: Int?
        package var postgresqlSharedBuffersMiB = 128
        package var postgresqlConnectionsMax = 100
        /// False only for tests that do not test durability: a machine crash may then destroy the archive.
        package var postgresqlFsync = true

        package init(dataFolder: String) { self.dataFolder = dataFolder }
    }

    /// When Redis calls fsync on its append-only file.
    package enum RedisFsync: String, CaseIterable, Sendable {
        /// Before every reply: what is acknowledged survives a power cut.
        case always
        /// Once a second: a power cut loses up to a second; a killed process loses nothing.
        case everysec
        /// When the kernel likes, typically every 30 s.
        case no
    }
}
