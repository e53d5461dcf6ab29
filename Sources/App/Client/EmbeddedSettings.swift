internal import NATSDriver
internal import RedisDriver

/// Settings of a command that works beside a serving process: addresses that nobody set are those of the embedded stack, when it runs.
enum EmbeddedSettings {
    static func resolve(_ flags: ServeFlags, folder: String = EmbeddedReport.usualFolder) throws -> Settings {
        let settings = try Settings.resolve(flags)
        guard let report = EmbeddedReport.read(folder) else { return settings }
        func fallback(_ name: String) -> String { SettingKey.named(name).fallback }
        var overrides: [String: String] = [:]
        if settings.redis == (try RedisEndpoint(url: fallback("redis-url"))), !report.redisURL.isEmpty { overrides["redis-url"] = report.redisURL }
        if settings.postgresqlURL == fallback("postgresql-url"), !report.postgresqlURL.isEmpty { overrides["postgresql-url"] = report.postgresqlURL }
        if settings.nats.url == fallback("nats-url"), !report.natsURL.isEmpty { overrides["nats-url"] = report.natsURL }
        return try Settings.resolve(flags, overrides: overrides)
    }
}
