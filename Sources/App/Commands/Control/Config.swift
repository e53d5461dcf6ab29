internal import ArgumentParser
internal import Client
internal import Core
internal import NIOHTTP1

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The configuration: what is set where, which value holds, and why.",
        discussion: """
            meshlog config                                            every value
            meshlog config set max_message_bytes 65536 --topic 'tasks.>' --comment 'keep tasks small'
            meshlog config explain tasks.plan planner max_message_bytes
            meshlog config unset max_message_bytes --topic 'tasks.>'
            meshlog config known                                      the values that Meshlog itself acts on
            """,
        subcommands: [ConfigList.self, ConfigGet.self, ConfigSet.self, ConfigUnset.self, ConfigExplain.self, ConfigKnown.self, ConfigHistory.self],
        defaultSubcommand: ConfigList.self)
}

/// Where a value is set; without any of these it is set globally.
struct ScopeFlags: ParsableArguments {
    @Option(help: "for the topics of an organisation") var org: String?
    @Option(help: "for a topic, or a pattern of topics such as 'tasks.>'") var topic: String?
    @Option(help: "for a subject") var subject: String?

    func validate() throws {
        if [org, topic, subject].compactMap(\.self).count > 1 { throw ValidationError("a value is set at one level: --org, --topic or --subject") }
    }

    /// The route of a value.
    func path(_ name: String) -> String {
        let name = MeshlogServer.escaped(name)
        for (level, scope) in [("org", org), ("topic", topic), ("subject", subject)] {
            if let scope { return "/v1/config/\(level)/\(MeshlogServer.escaped(scope))/\(name)" }
        }
        return "/v1/config/global/\(name)"
    }
}

struct ConfigList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every value that is set (the default).",
        discussion: """
            meshlog config list --where level=topic
            meshlog config list --at 2026-11-22T02:14:00Z --json
            """)
    @OptionGroup var list: ListFlags
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the page as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/config", list.query) }
        if json { return Output.json(page.bytes) }
        let documents = page["documents"]?.elements ?? []
        if documents.isEmpty { return Output.line("nothing is set; `meshlog config known` lists what can be") }
        var table = TextTable([
            .init("LEVEL"), .init("SCOPE", widthMax: 36), .init("NAME", widthMax: 36), .init("VALUE", widthMax: 40), .init("CHANGED (UTC)"),
            .init("BY", widthMax: 30),
            .init("COMMENT"),
        ])
        for record in documents {
            let document = record["document"]
            func member(_ name: String) -> String { document?[name]?.plain ?? "" }
            table.add([
                member("level"), member("scope"), member("name"), member("value"), DocumentText.time(record["revision_ts"]), DocumentText.author(record),
                record["comment"].map { $0.isNull ? "" : $0.plain } ?? "",
            ])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
        if let next = page["next_cursor"], !next.isNull { Output.note("more: --cursor '\(next.plain)'") }
    }
}

struct ConfigGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print what is set at one place; `explain` says what holds.",
        discussion: "meshlog config get max_message_bytes --topic 'tasks.>'")
    @Argument(help: "name of the value") var name: String
    @OptionGroup var scope: ScopeFlags
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let document = try await MeshlogServer.use(url) { try await $0.json(scope.path(name)) }
        Output.json((document["value"] ?? document).bytes)
    }
}

struct ConfigSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set a value; it is in force on every process when this returns, give or take milliseconds.",
        discussion: """
            meshlog config set max_message_bytes 65536
            meshlog config set rate_limit_default '{"rate": 100, "period_ms": 1000}' --subject planner
            meshlog config set greeting hello --topic tasks.plan          what is no JSON is taken as text
            """)
    @Argument(help: "name of the value") var name: String
    @Argument(help: "JSON; anything else is taken as text") var value: String
    @OptionGroup var scope: ScopeFlags
    @OptionGroup var change: ChangeFlags
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        var object = JSONObject()
        if let json = JSONSlice(Array(value.utf8)) { object.add("value", raw: json.bytes) } else { object.add("value", value) }
        let body = object.finish()
        let answer = try await MeshlogServer.use(url) { try await $0.change(.PUT, scope.path(name), body: body, headers: change.headers) }
        Output.line("set at \(answer.headers.first(name: "meshlog-position") ?? "?")")
    }
}

struct ConfigUnset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unset", abstract: "Take a value away; the next level's holds again.",
        discussion: "meshlog config unset max_message_bytes --topic 'tasks.>'")
    @Argument(help: "name of the value") var name: String
    @OptionGroup var scope: ScopeFlags
    @OptionGroup var change: ChangeFlags
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let answer = try await MeshlogServer.use(url) { try await $0.change(.DELETE, scope.path(name), headers: change.headers) }
        Output.line("unset at \(answer.headers.first(name: "meshlog-position") ?? "?")")
    }
}

struct ConfigExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say which value holds for a topic and a subject, who set it, when, and what it was before.",
        discussion: """
            meshlog config explain tasks.plan planner max_message_bytes
            meshlog config explain tasks.plan planner max_message_bytes --at 2026-11-22T02:14:00Z
            """)
    @Argument(help: "topic") var topic: String
    @Argument(help: "subject: sender") var subject: String
    @Argument(help: "name of the value") var key: String
    @Option(help: ArgumentHelp("as it was at a position or time (RFC 3339)", valueName: "position")) var at: String?
    @OptionGroup var client: ClientFlags
    @Flag(help: "print it as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let query = [("topic", topic), ("subject", subject), ("key", key)] + (at.map { [("at", $0)] } ?? [])
        let answer = try await MeshlogServer.use(url) { try await $0.json("/v1/config/explain", query) }
        if json { return Output.json(answer.bytes) }
        let candidates = answer["candidates"]?.elements ?? []
        let value = answer["value"].map { $0.isNull ? "nothing" : $0.plain } ?? "nothing"
        switch answer["source"]?.string {
        case "default": Output.line("\(key) is \(value), the default: nothing is set for it")
        case "none": Output.line("\(key) is not set, and has no default")
        default: Output.line("\(key) is \(value) for topic \(topic) and subject \(subject)")
        }
        if candidates.isEmpty { return }
        var table = TextTable([
            .init(""), .init("LEVEL"), .init("SCOPE", widthMax: 36), .init("VALUE", widthMax: 30), .init("SET (UTC)"), .init("BY", widthMax: 30),
            .init("BEFORE", widthMax: 30), .init("REMARK"),
        ])
        let winner = answer["set_by"]?["path"]?.string
        for candidate in candidates {
            func member(_ name: String) -> String { candidate[name].map { $0.isNull ? "" : $0.plain } ?? "" }
            let before = candidate["previous"]?["value"]?.plain ?? ""
            let remark = [member("comment"), member("fault")].filter { !$0.isEmpty }.joined(separator: "; ")
            table.add([
                candidate["path"]?.string == winner ? "→" : "", member("level"), member("scope"), member("value"), DocumentText.time(candidate["revision_ts"]),
                DocumentText.author(candidate), before, remark,
            ])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
    }
}

struct ConfigKnown: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "known", abstract: "List the values that Meshlog itself acts on: where they can be set, and what they may be.",
        discussion: "meshlog config known")
    @OptionGroup var client: ClientFlags
    @Flag(help: "print them as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let answer = try await MeshlogServer.use(url) { try await $0.json("/v1/config/known") }
        if json { return Output.json(answer.bytes) }
        var table = TextTable([.init("NAME"), .init("LEVELS"), .init("DEFAULT"), .init("WHAT IT IS")])
        for setting in answer["settings"]?.elements ?? [] {
            let levels = setting["levels"]?.elements.map(\.plain).joined(separator: ", ") ?? ""
            table.add([
                setting["key"]?.plain ?? "", levels, setting["default"].map { $0.isNull ? "" : $0.plain } ?? "",
                setting["purpose"]?.plain ?? "",
            ])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
    }
}

struct ConfigHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show who set a value, when and to what.", discussion: "meshlog config history max_message_bytes --topic 'tasks.>'")
    @Argument(help: "name of the value") var name: String
    @OptionGroup var scope: ScopeFlags
    @Option(help: "changes of a page, the newest first") var limit = 20
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the page as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) { try await $0.json(scope.path(name) + "/history", [("limit", String(limit))]) }
        if json { return Output.json(page.bytes) }
        DocumentText.showChanges(page)
    }
}
