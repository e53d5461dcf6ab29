internal import ArgumentParser
internal import Client
internal import Core
internal import NIOHTTP1

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the configuration or topic groups back to what they were, as new events.",
        discussion: """
            meshlog restore 2026-11-22T02:14:00Z --dry-run            what would change
            meshlog restore 0-1763776440000-0 --kinds config,topics --comment 'undo the night'
            """)
    @Argument(help: "position or time (RFC 3339) whose state comes back") var to: String
    @Option(help: "what is brought back, comma-separated: config, topics, backbones, constraints, templates, webhooks") var kinds = "config,topics"
    @Option(help: "why; it stands in the events") var comment: String?
    @Flag(help: "only say what would change") var dryRun = false
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the answer as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        var list: [UInt8] = [UInt8(ascii: "[")]
        for kind in kinds.split(separator: ",") {
            if list.count > 1 { list.append(UInt8(ascii: ",")) }
            JSONText.append(String(kind), to: &list)
        }
        var object = JSONObject()
        object.add("to", to)
        object.add("kinds", raw: list + [UInt8(ascii: "]")])
        object.add("dry_run", dryRun)
        if let comment { object.add("comment", comment) }
        let body = object.finish()
        let answer = try await MeshlogServer.use(url) { try await $0.change(.POST, "/v1/restore", body: body) }
        if json { return Output.json(answer.body) }
        let changes = JSONSlice(answer.body)?["changes"]?.elements ?? []
        if changes.isEmpty { return Output.line("nothing differs") }
        var table = TextTable([.init("KIND"), .init("CHANGE"), .init("POSITION"), .init("KEY")])
        for change in changes {
            table.add([
                change["kind"]?.plain ?? "", change["change"]?.plain ?? "", change["position"].map { $0.isNull ? "" : $0.plain } ?? "",
                change["key"]?.plain ?? "",
            ])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
        Output.note(dryRun ? "nothing was changed: --dry-run" : "\(changes.count) documents brought back")
    }
}
