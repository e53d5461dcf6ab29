/// Settings of a command that works beside a serving process: addresses that nobody set are those of the embedded stack, when it runs.
enum EmbeddedSettings {
    static func resolve(_ flags: ServeFlags, folder: String = EmbeddedReport.usualFolder) throws -> Settings {
        guard let report = EmbeddedReport.read(folder) else { return try Settings.resolve(flags) }
        let addresses = ["redis-url": report.redisURL, "postgresql-url": report.postgresqlURL, "nats-url": report.natsURL]
        return try Settings.resolve(flags, fallbacks: addresses.filter { !$0.value.isEmpty })
    }
}
