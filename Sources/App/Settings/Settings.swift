internal import ArgumentParser
internal import Core
internal import Foundation
internal import Ingress
internal import Log
internal import Logging
internal import NATSDriver
internal import RedisDriver
internal import Replay
internal import Yams

/// One setting: how it is named in the environment and the file, and what it is when nobody sets it.
struct SettingKey: Sendable {
    let name: String
    let fallback: String
    let help: String

    /// `redis-url` is `MESHLOG_REDIS_URL` in the environment and `redis_url` in the file.
    var environment: String { "MESHLOG_" + name.uppercased().replacing("-", with: "_") }
    var fileKey: String { name.replacing("-", with: "_") }

    static let all: [SettingKey] = [
        .init(name: "host", fallback: "127.0.0.1", help: "address the HTTP port listens on"),
        .init(name: "port", fallback: "8080", help: "HTTP and WebSocket port; 0 takes a free one"),
        .init(name: "redis-url", fallback: "redis://127.0.0.1:6379", help: "the log: redis://[user:password@]host:port[/db]"),
        .init(name: "postgresql-url", fallback: "postgresql://127.0.0.1:5432/meshlog", help: "the archive: postgresql://[user[:password]@]host:port/database"),
        .init(name: "nats-url", fallback: "nats://127.0.0.1:4222", help: "the default backbone: nats://host:port[,nats://…]"),
        .init(name: "nats-credentials", fallback: "", help: "file with NATS credentials (.creds)"),
        .init(
            name: "key-prefix", fallback: "meshlog", help: "prefix of all Redis keys; two logs on one server need two, and a database each"),
        .init(name: "instance", fallback: "", help: "name of this process in leases and consumer groups; host and pid by default"),
        .init(name: "home", fallback: "", help: "folder with streams/ and migrations/; found from the program's place by default"),
        .init(name: "roles", fallback: "doors,router,archive,republish,projections,webhooks,views", help: "what this process does; comma-separated"),
        .init(name: "list", fallback: "MESSAGES", help: "Redis list that is a door; empty for none"),
        .init(name: "list-order", fallback: "rpush", help: "how clients push into the list: rpush or lpush"),
        .init(name: "nats-subject", fallback: "MESSAGES", help: "NATS subject that is a door; empty for none"),
        .init(name: "jetstream-subject", fallback: "MESSAGES.durable", help: "JetStream subject that is a door; empty for none"),
        .init(name: "jetstream-stream", fallback: "MESHLOG_DOOR", help: "JetStream stream that keeps what comes by that door"),
        .init(name: "backbone-name", fallback: "default", help: "name of the default backbone in verdicts and deliveries"),
        .init(name: "backbone-stream", fallback: "MESHLOG", help: "JetStream stream that keeps what is republished"),
        .init(name: "backbone-max-age", fallback: "7d", help: "how long that stream keeps messages"),
        .init(name: "republish-body", fallback: "message", help: "what goes out on NATS: message (JSON with topic and data) or payload (the bytes alone)"),
        .init(name: "dedupe-window", fallback: "24h", help: "how long a message_uuid or Idempotency-Key given by a client is remembered"),
        .init(name: "disclose-conditions", fallback: "on", help: "whether a refusal shows the condition of a rule without description: on or off"),
        .init(name: "trim-interval", fallback: "30s", help: "how often retention is applied"),
        .init(name: "archive-retention", fallback: "forever", help: "how long the archive keeps rows: a duration such as 90d, or forever"),
        .init(name: "webhook-key-file", fallback: "", help: "file with at least 32 secret bytes, from which the secrets of webhooks are derived"),
        .init(name: "webhook-allow", fallback: "", help: "networks that webhooks may reach although they are refused, such as 10.1.0.0/16; comma-separated"),
        .init(name: "log-level", fallback: "info", help: "trace, debug, info, notice, warning, error"),
    ]

    static func named(_ name: String) -> SettingKey {
        guard let key = all.first(where: { $0.name == name }) else { preconditionFailure("every setting is in the table: \(name)") }
        return key
    }
}

/// Flags of every command that serves.
struct ServeFlags: ParsableArguments {
    @Option(help: "YAML file with settings (default: meshlog.yaml when it is there)") var config: String?
    @Option(help: help("host")) var host: String?
    @Option(help: help("port")) var port: String?
    @Option(help: help("redis-url")) var redisURL: String?
    @Option(help: help("postgresql-url")) var postgresqlURL: String?
    @Option(help: help("nats-url")) var natsURL: String?
    @Option(help: help("nats-credentials")) var natsCredentials: String?
    @Option(help: help("key-prefix")) var keyPrefix: String?
    @Option(help: help("instance")) var instance: String?
    @Option(help: help("home")) var home: String?
    @Option(help: help("roles")) var roles: String?
    @Option(help: help("list")) var list: String?
    @Option(help: help("list-order")) var listOrder: String?
    @Option(help: help("nats-subject")) var natsSubject: String?
    @Option(help: help("jetstream-subject")) var jetstreamSubject: String?
    @Option(help: help("jetstream-stream")) var jetstreamStream: String?
    @Option(help: help("backbone-name")) var backboneName: String?
    @Option(help: help("backbone-stream")) var backboneStream: String?
    @Option(help: help("backbone-max-age")) var backboneMaxAge: String?
    @Option(help: help("republish-body")) var republishBody: String?
    @Option(help: help("dedupe-window")) var dedupeWindow: String?
    @Option(help: help("disclose-conditions")) var discloseConditions: String?
    @Option(help: help("trim-interval")) var trimInterval: String?
    @Option(help: help("archive-retention")) var archiveRetention: String?
    @Option(help: help("webhook-key-file")) var webhookKeyFile: String?
    @Option(help: help("webhook-allow")) var webhookAllow: String?
    @Option(help: help("log-level")) var logLevel: String?
    @Flag(help: "serve an echo WebSocket at /echo, for conformance suites") var wsEcho = false

    private static func help(_ name: String) -> ArgumentHelp {
        let key = SettingKey.named(name)
        return "\(key.help) [\(key.fallback.isEmpty ? "unset" : key.fallback); \(key.environment)]"
    }

    /// What was given on the command line, by setting.
    var given: [String: String] {
        let pairs: [(String, String?)] = [
            ("host", host), ("port", port), ("redis-url", redisURL), ("postgresql-url", postgresqlURL), ("nats-url", natsURL),
            ("nats-credentials", natsCredentials), ("key-prefix", keyPrefix), ("instance", instance), ("home", home), ("roles", roles), ("list", list),
            ("list-order", listOrder), ("nats-subject", natsSubject), ("jetstream-subject", jetstreamSubject), ("jetstream-stream", jetstreamStream),
            ("backbone-name", backboneName), ("backbone-stream", backboneStream), ("backbone-max-age", backboneMaxAge), ("republish-body", republishBody),
            ("dedupe-window", dedupeWindow), ("disclose-conditions", discloseConditions), ("trim-interval", trimInterval),
            ("archive-retention", archiveRetention),
            ("webhook-key-file", webhookKeyFile), ("webhook-allow", webhookAllow), ("log-level", logLevel),
        ]
        return Dictionary(uniqueKeysWithValues: pairs.compactMap { name, value in value.map { (name, $0) } })
    }
}

/// A setting that cannot be used; says which, why, and what would pass.
struct SettingError: Error, CustomStringConvertible {
    let description: String
}

/// What a serving process may do.
enum Role: String, CaseIterable, Sendable {
    case doors, router, archive, republish, projections, webhooks, views
}

/// Whether something is done.
enum Switch: String, CaseIterable, Sendable {
    case on, off
}

/// All settings of a serving process, checked.
struct Settings: Sendable {
    var host: String
    var port: Int
    var redis: RedisEndpoint
    var postgresqlURL: String
    var nats: NATSOptions
    var keys: LogKeys
    var instance: String
    var home: String
    var roles: Set<Role>
    var list: String
    var listOrder: ListDoor.Order
    var natsSubject: String
    var jetstreamSubject: String
    var jetstreamStream: String
    var backboneName: String
    var backboneStream: String
    var backboneMaxAge: Duration
    var republishBody: RepublishBody
    var dedupeWindowMs: UInt64
    /// Whether a sender may see the condition of a rule that has no description.
    var disclosesConditions: Bool
    var trimInterval: Duration
    /// Nil for ever.
    var archiveRetention: Duration?
    /// Nil when none is set.
    var webhookKey: WebhookKey?
    /// Networks that webhooks may reach.
    var webhookAllow: [NetworkBlock]
    var logLevel: Logger.Level
    var wsEcho: Bool

    /// Takes each setting from the flag, else the environment, else the file, else its default.
    ///
    /// - Parameters:
    ///   - overrides: what a command knows better than all of them (the embedded stack's addresses).
    ///   - fallbacks: what a command knows better than the table's defaults.
    static func resolve(
        _ flags: ServeFlags, environment: [String: String] = ProcessInfo.processInfo.environment, overrides: [String: String] = [:],
        fallbacks: [String: String] = [:]
    ) throws -> Settings {
        let given = flags.given
        let file = try readFile(flags.config)
        func text(_ name: String) -> String {
            let key = SettingKey.named(name)
            return overrides[name] ?? given[name] ?? environment[key.environment] ?? file[key.fileKey] ?? fallbacks[name] ?? key.fallback
        }
        func refuse(_ name: String, _ expected: String) -> SettingError {
            SettingError(description: "the setting \(name) is '\(text(name))'; expected \(expected)")
        }
        func duration(_ name: String) throws -> UInt64 {
            guard let ms = StreamCatalog.duration(text(name)), ms > 0 else { throw refuse(name, "a duration such as 500ms, 5s, 30m, 24h or 7d") }
            return ms
        }
        func choice<T: RawRepresentable & CaseIterable>(_ name: String, _: T.Type) throws -> T where T.RawValue == String {
            guard let value = T(rawValue: text(name)) else { throw refuse(name, T.allCases.map(\.rawValue).joined(separator: " or ")) }
            return value
        }
        guard let port = Int(text("port")), port == 0 || Settings.isPort(port) else { throw refuse("port", "a number from 0 to 65535") }
        guard let level = Logger.Level(rawValue: text("log-level")) else {
            throw refuse("log-level", "trace, debug, info, notice, warning or error")
        }
        var roles: Set<Role> = []
        for name in text("roles").split(separator: ",") {
            guard let role = Role(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
                throw refuse("roles", "some of \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            roles.insert(role)
        }
        if roles.isEmpty { throw refuse("roles", "some of \(Role.allCases.map(\.rawValue).joined(separator: ", "))") }
        for name in ["nats-subject", "jetstream-subject"]
        where !text(name).isEmpty && Subject.literalFault(Array(text(name).utf8).span) != nil {
            throw refuse(name, "a NATS subject without wildcards")
        }
        if !text("nats-subject").isEmpty, text("nats-subject") == text("jetstream-subject") {
            throw refuse("jetstream-subject", "another subject than nats-subject: on one, every message would come in twice")
        }
        for name in ["jetstream-stream", "backbone-stream"] where !Settings.isStreamName(text(name)) {
            throw refuse(name, "a name of 1 to 255 printable characters without spaces and . * > / \\")
        }
        if text("jetstream-stream") == text("backbone-stream") { throw refuse("backbone-stream", "another stream than jetstream-stream") }
        if text("backbone-name").allSatisfy(\.isWhitespace) { throw refuse("backbone-name", "a name") }
        guard text("key-prefix").utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "}") }),
            !text("key-prefix").isEmpty
        else { throw refuse("key-prefix", "printable characters without spaces and braces") }
        let redis: RedisEndpoint
        do { redis = try RedisEndpoint(url: text("redis-url")) } catch {
            throw SettingError(description: "the setting redis-url: \(error)")
        }
        guard Settings.isPort(redis.port) else {
            throw SettingError(description: "the setting redis-url: the port \(redis.port) is none from 1 to 65535")
        }
        // Not repeated: there may be a password in them.
        guard URLComponents(string: text("postgresql-url"))?.port.map(Settings.isPort) ?? true else {
            throw SettingError(description: "the setting postgresql-url: its port is none from 1 to 65535")
        }
        guard NATSServers.list(text("nats-url")) != nil else {
            throw SettingError(description: "the setting nats-url names no servers such as nats://127.0.0.1:4222")
        }
        let opened = try text("webhook-allow").split(separator: ",").map { part in
            guard let block = NetworkBlock(part.trimmingCharacters(in: .whitespaces)) else {
                throw refuse("webhook-allow", "networks such as 10.1.0.0/16,fd00::/8")
            }
            return block
        }
        let credentials = text("nats-credentials")
        if !credentials.isEmpty, FileManager.default.contents(atPath: credentials) == nil {
            throw SettingError(description: "the setting nats-credentials: cannot read \(credentials)")
        }
        let fallbackInstance =
            "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0..<1 << 24))"
        return Settings(
            host: text("host"), port: port, redis: redis, postgresqlURL: text("postgresql-url"),
            nats: NATSOptions(url: text("nats-url"), name: "meshlog", credentials: credentials.isEmpty ? .anonymous : .file(path: credentials)),
            keys: LogKeys(prefix: text("key-prefix")), instance: text("instance").isEmpty ? fallbackInstance : text("instance"),
            home: try Home.find(text("home")), roles: roles, list: text("list"), listOrder: try choice("list-order", ListDoor.Order.self),
            natsSubject: text("nats-subject"), jetstreamSubject: text("jetstream-subject"), jetstreamStream: text("jetstream-stream"),
            backboneName: text("backbone-name"), backboneStream: text("backbone-stream"),
            backboneMaxAge: .milliseconds(Int64(try duration("backbone-max-age"))), republishBody: try choice("republish-body", RepublishBody.self),
            dedupeWindowMs: try duration("dedupe-window"), disclosesConditions: try choice("disclose-conditions", Switch.self) == .on,
            trimInterval: .milliseconds(Int64(try duration("trim-interval"))),
            archiveRetention: text("archive-retention") == "forever" ? nil : .milliseconds(Int64(try duration("archive-retention"))),
            webhookKey: try WebhookKeyFile.read(text("webhook-key-file")), webhookAllow: opened, logLevel: level,
            wsEcho: flags.wsEcho)
    }

    /// Where its HTTP port is reached.
    func url(port: Int) -> String { host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)" }

    /// Can something listen there? 0 stands for any port.
    static func isPort(_ number: Int) -> Bool { (1...65_535).contains(number) }

    /// - Source: NATS, ADR-6, and the server's own bound of 255 bytes.
    private static func isStreamName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !".*>/\\".unicodeScalars.contains($0) }
    }

    /// The settings of a YAML file: a flat mapping; an unknown name is an error, since it would be a setting that does nothing.
    private static func readFile(_ path: String?) throws -> [String: String] {
        let chosen = path ?? "meshlog.yaml"
        guard FileManager.default.fileExists(atPath: chosen) else {
            if path != nil { throw SettingError(description: "there is no file \(chosen)") }
            return [:]
        }
        guard let data = FileManager.default.contents(atPath: chosen) else {
            throw SettingError(description: "cannot read the settings in \(chosen)")
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw SettingError(description: "\(chosen) is no UTF-8 text") }
        let composed: Node?
        do { composed = try Yams.compose(yaml: text) } catch { throw SettingError(description: "\(chosen) is no YAML: \(error)") }
        guard let node = composed else { return [:] }
        guard let mapping = node.mapping else {
            throw SettingError(description: "\(chosen) is no mapping of settings such as 'port: 8080'")
        }
        let known = SettingKey.all.map(\.fileKey)
        var out: [String: String] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard known.contains(name) else { throw SettingError(description: "\(chosen) has '\(name)'; known are \(known.joined(separator: ", "))") }
            guard let scalar = value.scalar else { throw SettingError(description: "\(chosen): \(name) is a single value") }
            out[name] = scalar.string
        }
        return out
    }
}
