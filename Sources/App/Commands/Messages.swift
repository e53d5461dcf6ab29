internal import ArgumentParser
internal import Client
internal import Core

struct Messages: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look messages up.",
        discussion: """
            meshlog messages                                         the newest ones
            meshlog messages --topic 'tasks.>' --from 2026-11-22T03:00:00Z --limit 50
            meshlog messages get 19164b3d-b1cb-5c74-9a4d-5f5a32443ff5
            meshlog messages trace 19164b3d-b1cb-5c74-9a4d-5f5a32443ff5
            """,
        subcommands: [MessageList.self, MessageGet.self, MessageTrace.self], defaultSubcommand: MessageList.self)
}

struct MessageList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List messages as a table (the default).",
        discussion: """
            meshlog messages --source planner --limit 5
            meshlog messages --outcome block --json | jq .
            """)
    @OptionGroup var filter: FilterFlags
    @OptionGroup var client: ClientFlags
    @Option(help: "what was decided: deliver, block, reroute, hold or expire") var outcome: String?
    @Option(help: ArgumentHelp("earliest time (RFC 3339)", valueName: "time")) var from: String?
    @Option(help: ArgumentHelp("latest time (RFC 3339)", valueName: "time")) var to: String?
    @Option(help: "rows, at most \(Limits.pageRowsMax)") var limit = 20
    @Flag(help: "oldest first") var oldest = false
    @Option(help: "go on where another page ended; it names its cursor") var cursor: String?
    @Flag(help: "print the page as JSON") var json = false

    func validate() throws {
        if !(1...Limits.pageRowsMax).contains(limit) { throw ValidationError("--limit is 1 to \(Limits.pageRowsMax)") }
    }

    func run() async throws {
        let url = try client.resolve()
        let more = [("outcome", outcome), ("from", from), ("to", to), ("cursor", cursor)].compactMap { name, value in value.map { (name, $0) } }
        let order = oldest ? [("order", "oldest")] : []
        let query = filter.query + more + order + [("limit", String(limit))]
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/messages", query) }
        if json { return Output.json(page.bytes) }
        let rows = page["messages"]?.elements ?? []
        if rows.isEmpty { return Output.line("no such messages") }
        var table = TextTable([
            .init("TIME (UTC)"), .init("POSITION"), .init("MESSAGE", widthMax: 36), .init("TOPIC", widthMax: 32), .init("FROM → TO", widthMax: 32),
            .init("TYPE", widthMax: 16), .init("OUTCOME"), .init("CONTENT"),
        ])
        for row in rows {
            let message = MessageLine(row)
            let parties = message.source.isEmpty && message.destinations.isEmpty ? "" : "\(message.source) → \(message.destinations.joined(separator: ", "))"
            table.add([
                "\(message.day) \(message.time)", message.position, message.uuid, message.topic, parties, message.type, message.outcome,
                String(message.payload.prefix(200)),
            ])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
        if let next = page["next_cursor"], !next.isNull { Output.note("more: --cursor '\(next.plain)'") }
    }
}

struct MessageGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show one message.", discussion: "meshlog messages get 19164b3d-b1cb-5c74-9a4d-5f5a32443ff5")
    @Argument(help: "its message_uuid") var uuid: String
    @OptionGroup var client: ClientFlags
    @Flag(help: "print it as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let message = try await MeshlogServer.use(url) { try await $0.json("/v1/messages/\(MeshlogServer.escaped(uuid))") }
        if json { Output.json(message.bytes) } else { FieldList.show(message) }
    }
}

struct MessageTrace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Show a message's whole way: entry, verdict, archive, deliveries.",
        discussion: "meshlog messages trace 19164b3d-b1cb-5c74-9a4d-5f5a32443ff5")
    @Argument(help: "its message_uuid") var uuid: String
    @OptionGroup var client: ClientFlags
    @Flag(help: "print it as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let trace = try await MeshlogServer.use(url) { try await $0.json("/v1/messages/\(MeshlogServer.escaped(uuid))/trace") }
        if json { Output.json(trace.bytes) } else { FieldList.show(trace) }
    }
}
