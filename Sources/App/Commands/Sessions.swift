internal import ArgumentParser
internal import Client
internal import Core
internal import NIOHTTP1

struct Sessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Held messages: what waits for a person, and what he says.",
        discussion: """
            meshlog sessions                                              what waits
            meshlog sessions show 0-1763776440000-0                       the message that is held, and why
            meshlog sessions approve 0-1763776440000-0 --by supervisor
            meshlog sessions edit 0-1763776440000-0 --data better.json --by supervisor --comment 'without the name'
            meshlog sessions deny 0-1763776440000-0 --by supervisor
            """,
        subcommands: [SessionList.self, SessionShow.self, SessionApprove.self, SessionEdit.self, SessionDeny.self], defaultSubcommand: SessionList.self)
}

struct SessionList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List sessions (the default): pending approvals, unless asked for others.",
        discussion: """
            meshlog sessions --status any --kind any
            meshlog sessions --rule hold-terminations --at 2026-11-22T02:14:00Z
            """)
    @Option(help: "pending, approved, edited, denied, expired, released or any") var status = "pending"
    @Option(help: "approval, delay or any") var kind = "approval"
    @Option(help: "the constraint that holds") var rule: String?
    @Option(help: "topic of the message") var topic: String?
    @Option(help: "sender of the message") var source: String?
    @Option(help: ArgumentHelp("as it was at a position or time (RFC 3339)", valueName: "position")) var at: String?
    @Option(help: "rows, at most \(Limits.pageRowsMax)") var limit = 100
    @Option(help: "go on where another page ended; it names its cursor") var cursor: String?
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the page as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let more = [("rule", rule), ("topic", topic), ("source", source), ("at", at), ("cursor", cursor)].compactMap { name, value in value.map { (name, $0) } }
        let query = [("status", status), ("kind", kind), ("limit", String(limit))] + more
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/sessions", query) }
        if json { return Output.json(page.bytes) }
        let rows = page["sessions"]?.elements ?? []
        if rows.isEmpty { return Output.line("no such sessions") }
        var table = TextTable([
            .init("SESSION"), .init("STATUS"), .init("TOPIC", widthMax: 32), .init("FROM", widthMax: 24), .init("RULE", widthMax: 32), .init("EXPIRES"),
            .init("BY", widthMax: 24), .init("REASON"),
        ])
        for row in rows {
            func member(_ name: String) -> String { row[name].map { $0.isNull ? "" : $0.plain } ?? "" }
            table.add(["session_id", "status", "topic", "source_subject_id", "rule", "expires_at", "decided_by", "reason"].map(member))
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
        if let next = page["next_cursor"], !next.isNull { Output.note("more: --cursor '\(next.plain)'") }
    }
}

struct SessionShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one session with the message that is held.", discussion: "meshlog sessions show 0-1763776440000-0")
    @Argument(help: "its id: the position of what is held") var id: String
    @OptionGroup var client: ClientFlags
    @Flag(help: "print it as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let session = try await MeshlogServer.use(url) { try await $0.json("/v1/sessions/\(MeshlogServer.escaped(id))") }
        if json { Output.json(session.bytes) } else { FieldList.show(session) }
    }
}

/// Who decides about which session, and why.
struct SessionDecisionFlags: ParsableArguments {
    @Argument(help: "the session's id: the position of what is held") var id: String
    @Option(help: "who decides; it stands in the event, and the rule may name who may") var by: String?
    @Option(help: "why; it stands in the event") var comment: String?
    @Option(help: "decide only about what has this digest [what is held, which is shown]") var digest: String?
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the answer as JSON") var json = false

    /// Shows what is held, and sends the decision about exactly that.
    ///
    /// - Parameter message: what an edit gives anew, as JSON text.
    func send(_ decision: String, message: [UInt8]? = nil) async throws {
        let url = try client.resolve()
        let path = "/v1/sessions/\(MeshlogServer.escaped(id))"
        let answer = try await MeshlogServer.use(url) { server in
            var named = digest
            if named == nil {
                let session = try await server.json(path)
                if !json, let held = session["message"], !held.isNull {
                    Output.note("held: \(DisplayText.cut(DisplayText.line(held.text), to: max(60, Output.errorWidth - 6)))")
                }
                named = session["digest"]?.string
            }
            var body = JSONObject()
            body.add("digest", named ?? "")
            if let by { body.add("by", by) }
            if let comment { body.add("comment", comment) }
            if let message { body.add("message", raw: message) }
            return try await server.change(.POST, "\(path)/\(decision)", body: body.finish())
        }
        if json { return Output.json(answer.body) }
        let status = JSONSlice(answer.body)
        let released = status?["released"].flatMap { $0.isNull ? nil : $0.plain }
        Output.line("\(status?["status"]?.plain ?? decision)\(released.map { "; the message goes on at \($0)" } ?? "")")
    }
}

struct SessionApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Let a held message go as it is.", discussion: "meshlog sessions approve 0-1763776440000-0 --by supervisor")
    @OptionGroup var flags: SessionDecisionFlags

    func run() async throws { try await flags.send("approve") }
}

struct SessionDeny: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deny", abstract: "Let a held message go nowhere.",
        discussion: "meshlog sessions deny 0-1763776440000-0 --by supervisor --comment 'not now'")
    @OptionGroup var flags: SessionDecisionFlags

    func run() async throws { try await flags.send("deny") }
}

struct SessionEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Let a held message go with other content.",
        discussion: """
            meshlog sessions edit 0-1763776440000-0 --data better.json --by supervisor
            echo '{"data": {"text": "…"}, "destination_subject_ids": ["desk"]}' | meshlog sessions edit 0-1763776440000-0 --message -
            """)
    @Option(help: "file with the payload that takes the place of the message's, as JSON; - is standard input") var data: String?
    @Option(help: "file with the members that take the place of the message's own, as a JSON object; - is standard input") var message: String?
    @OptionGroup var flags: SessionDecisionFlags

    func validate() throws {
        if (data == nil) == (message == nil) { throw ValidationError("give either --data FILE or --message FILE") }
    }

    func run() async throws {
        var changes = try await DocumentText.read(data ?? message ?? "-")
        if data != nil {
            var object = JSONObject()
            object.add("data", raw: changes)
            changes = object.finish()
        }
        try await flags.send("edit", message: changes)
    }
}
