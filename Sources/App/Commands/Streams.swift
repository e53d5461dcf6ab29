internal import ArgumentParser
internal import Client
internal import Core
internal import Log
internal import RedisDriver

struct Streams: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look into the streams of the log, and keep them as declared.",
        discussion: """
            meshlog streams                                          every stream and its groups
            meshlog streams read messages --limit 5 --reverse        the five newest entries
            meshlog streams check                                    does Redis fit streams/*.yaml?
            meshlog streams apply                                    make it fit
            """,
        subcommands: [StreamList.self, StreamRead.self, StreamApply.self, StreamCheck.self], defaultSubcommand: StreamList.self)
}

struct StreamList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List streams: length, first and last position, and how far each group is (the default).",
        discussion: "meshlog streams --json | jq .")
    @OptionGroup var client: ClientFlags
    @Flag(help: "print them as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/streams") }
        if json { return Output.json(page.bytes) }
        var table = TextTable([
            .init("STREAM"), .init("LENGTH", isNumber: true), .init("GROUP"), .init("LAG", isNumber: true), .init("PENDING", isNumber: true), .init("FIRST"),
            .init("LAST"),
        ])
        for stream in (page["streams"] ?? page).elements {
            func field(_ name: String) -> String { stream[name].flatMap { $0.isNull ? nil : $0.plain } ?? "-" }
            let groups = stream["groups"]?.elements ?? []
            let rows = groups.map { group in
                [group["name"]?.plain ?? "-", group["lag"].map { $0.isNull ? "?" : $0.plain } ?? "?", group["pending"]?.plain ?? "-"]
            }
            for (index, row) in (rows.isEmpty ? [["-", "-", "-"]] : rows).enumerated() {
                table.add((index == 0 ? [field("name"), field("length")] : ["", ""]) + row + (index == 0 ? [field("first"), field("last")] : ["", ""]))
            }
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
    }
}

struct StreamRead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Read entries of a stream.",
        discussion: """
            meshlog streams read messages --limit 3
            meshlog streams read verdicts --reverse --limit 1
            meshlog streams read rejected --json | jq '.entries[].fields'
            """)
    @Argument(help: "messages, verdicts, deliveries, control, sessions, rejected, operations or notifications") var name: String
    @OptionGroup var client: ClientFlags
    @Option(help: ArgumentHelp("first position or time (RFC 3339), included", valueName: "position")) var from: String?
    @Option(help: ArgumentHelp("last position or time (RFC 3339), included", valueName: "position")) var to: String?
    @Option(help: "entries, at most \(Limits.pageRowsMax)") var limit = 20
    @Option(help: "go on where another page ended; it names its cursor") var cursor: String?
    @Flag(help: "newest first") var reverse = false
    @Flag(help: "print them as JSON") var json = false

    func validate() throws {
        if !(1...Limits.pageRowsMax).contains(limit) { throw ValidationError("--limit is 1 to \(Limits.pageRowsMax)") }
    }

    func run() async throws {
        let url = try client.resolve()
        var query = [("limit", String(limit))]
        if let from { query.append(("from", from)) }
        if let to { query.append(("to", to)) }
        if let cursor { query.append(("cursor", cursor)) }
        if reverse { query.append(("reverse", "true")) }
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/streams/\(MeshlogServer.escaped(name))/entries", query) }
        if json { return Output.json(page.bytes) }
        let entries = page["entries"]?.elements ?? []
        if entries.isEmpty { return Output.line("no entries there") }
        for (index, entry) in entries.enumerated() {
            if index > 0 { Output.line("") }
            FieldList.show(entry, cut: true)
        }
        if let next = page["next_cursor"], !next.isNull { Output.note("more: --cursor '\(next.plain)'") }
    }
}

/// Where the log is, and what is declared for it.
struct LogFlags: ParsableArguments {
    @Option(help: "the log [the one that `meshlog up` runs in .meshlog, else redis://127.0.0.1:6379; MESHLOG_REDIS_URL]") var redisURL: String?
    @Option(help: "prefix of all Redis keys [meshlog; MESHLOG_KEY_PREFIX]") var keyPrefix: String?
    @Option(help: "folder with streams/ and migrations/; found from the program's place by default [MESHLOG_HOME]") var home: String?
    @Option(help: "YAML file with settings (default: meshlog.yaml when it is there)") var config: String?

    func open() throws -> (setup: LogSetup, session: RedisSession) {
        let given = [("--redis-url", redisURL), ("--key-prefix", keyPrefix), ("--home", home), ("--config", config)]
        let settings = try EmbeddedSettings.resolve(try ServeFlags.parse(given.flatMap { name, value in value.map { [name, $0] } ?? [] }))
        let setup = LogSetup(catalog: try StreamCatalog.load(settings.home + "/streams"), keys: settings.keys, target: settings.backboneName)
        return (setup, try RedisSession(settings.redis, name: "meshlog-streams"))
    }
}

struct StreamApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Create what is declared in streams/ and missing in Redis.",
        discussion: """
            up and serve do this at every start; nothing is ever removed.

            meshlog streams apply --redis-url redis://log:6379
            """)
    @OptionGroup var flags: LogFlags
    @Flag(help: "print what was done as JSON") var json = false

    func run() async throws {
        let (setup, session) = try flags.open()
        let done = try setup.apply(session)
        if json { return Output.json(StringList.json("done", done)) }
        if done.isEmpty { Output.line("nothing to do: Redis fits the declarations") }
        for line in done { Output.line(line) }
    }
}

struct StreamCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say where Redis differs from streams/*.yaml; changes nothing.",
        discussion: """
            Exits 1 when there is a difference.

            meshlog streams check && echo fits
            """)
    @OptionGroup var flags: LogFlags
    @Flag(help: "print the differences as JSON") var json = false

    func run() async throws {
        let (setup, session) = try flags.open()
        let faults = try setup.check(session)
        if json { Output.json(StringList.json("differences", faults)) } else { for fault in faults { Output.line(fault) } }
        guard faults.isEmpty else {
            throw CommandFailure(.failed, "\(faults.count) differences between Redis and the declarations; `meshlog streams apply` creates what is missing")
        }
        if !json { Output.line("Redis fits the declarations") }
    }
}
