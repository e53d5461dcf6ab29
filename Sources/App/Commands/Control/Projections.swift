internal import ArgumentParser
internal import Client
internal import NIOHTTP1

struct Projections: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Projections: the views that are folded from the log.",
        discussion: """
            meshlog projections                                       every projection: where it stands, how far behind
            meshlog projections rows subjects --where sent.gte=10
            meshlog projections rows topics --at 2026-11-22T02:14:00Z
            meshlog projections parked registry
            meshlog rebuild subjects --verify
            """,
        subcommands: [
            ProjectionList.self, ProjectionShow.self, ProjectionRows.self, ProjectionParked.self, ProjectionRetry.self, ProjectionDiscard.self,
            ProjectionResume.self,
        ], defaultSubcommand: ProjectionList.self)
}

struct ProjectionList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List projections (the default).", discussion: "meshlog projections --json | jq '.projections[].lag_entries'")
    @OptionGroup var client: ClientFlags
    @Flag(help: "print them as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/projections") }
        if json { return Output.json(page.bytes) }
        var table = TextTable([
            .init("NAME"), .init("STATUS"), .init("VERSION", isNumber: true), .init("ROWS", isNumber: true), .init("LAG", isNumber: true),
            .init("PARKED", isNumber: true),
            .init("POSITION"), .init("REBUILD", widthMax: 40), .init("FAILURE"),
        ])
        for projection in page["projections"]?.elements ?? [] {
            func member(_ name: String) -> String { projection[name].map { $0.isNull ? "-" : $0.plain } ?? "-" }
            table.add([
                member("name"), member("status"), member("serving_version"), member("rows"), member("lag_entries"), member("parked"), member("position"),
                ProjectionList.rebuild(projection["rebuild"]), projection["failure"].map { $0.isNull ? "" : $0.plain } ?? "",
            ])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
    }

    static func rebuild(_ row: JSONSlice?) -> String {
        guard let row, !row.isNull else { return "" }
        let left = row["seconds_left"].flatMap(\.int).map { ", \($0) s left" } ?? ""
        return "\(row["percent"]?.plain ?? "?") % at \(row["entries_per_second"]?.plain ?? "?")/s\(left)"
    }
}

struct ProjectionShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one projection: what it is, where it stands, earlier generations.", discussion: "meshlog projections show subjects"
    )
    @Argument(help: "its name") var name: String
    @OptionGroup var client: ClientFlags
    @Flag(help: "print it as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let status = try await MeshlogServer.use(url) { try await $0.json("/v1/projections/\(MeshlogServer.escaped(name))") }
        if json { Output.json(status.bytes) } else { FieldList.show(status) }
    }
}

struct ProjectionRows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rows", abstract: "List rows of a projection, or one of them.",
        discussion: """
            meshlog projections rows subjects --where key.prefix=agent
            meshlog projections rows topics --key tasks.plan --at 0-1763776440000-0
            """)
    @Argument(help: "its name") var name: String
    @Option(help: "only the row with this key") var key: String?
    @OptionGroup var list: ListFlags
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the page as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let base = "/v1/projections/\(MeshlogServer.escaped(name))/rows"
        if let key {
            let row = try await MeshlogServer.use(url) { try await $0.json("\(base)/\(MeshlogServer.escaped(key))", list.at.map { [("at", $0)] } ?? []) }
            return json ? Output.json(row.bytes) : FieldList.show(row)
        }
        let page = try await MeshlogServer.use(url) { try await $0.json(base, list.query) }
        if json { return Output.json(page.bytes) }
        let rows = page["rows"]?.elements ?? []
        if rows.isEmpty { return Output.line("no such rows") }
        let names = rows[0]["row"]?.members.map(\.name) ?? []
        var table = TextTable([.init("KEY", widthMax: 48)] + names.map { .init($0.uppercased(), widthMax: 32) })
        for row in rows { table.add([row["key"]?.plain ?? ""] + names.map { name in row["row"]?[name].map { $0.isNull ? "" : $0.plain } ?? "" }) }
        for line in table.lines(width: Output.width) { Output.line(line) }
        if let next = page["next_cursor"], !next.isNull { Output.note("more: --cursor '\(next.plain)'") }
    }
}

struct ProjectionParked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parked", abstract: "List the events that a projection could not apply and passed over.", discussion: "meshlog projections parked registry"
    )
    @Argument(help: "its name") var name: String
    @OptionGroup var client: ClientFlags
    @Flag(help: "print them as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/projections/\(MeshlogServer.escaped(name))/parked") }
        if json { return Output.json(page.bytes) }
        let events = page["parked"]?.elements ?? []
        if events.isEmpty { return Output.line("nothing is parked") }
        var table = TextTable([.init("POSITION"), .init("STATUS"), .init("ATTEMPTS", isNumber: true), .init("REASON", widthMax: 60), .init("ENTRY")])
        for event in events {
            func member(_ name: String) -> String { event[name].map { $0.isNull ? "" : $0.plain } ?? "" }
            table.add([member("position"), member("status"), member("attempts"), member("reason"), member("entry")])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
    }
}

struct ProjectionRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try a parked event again.", discussion: "meshlog projections retry registry 0-1763776440000-0")
    @Argument(help: "its name") var name: String
    @Argument(help: "position of the event") var position: String
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        _ = try await MeshlogServer.use(url) {
            try await $0.change(.POST, "/v1/projections/\(MeshlogServer.escaped(name))/parked/\(MeshlogServer.escaped(position))/retry")
        }
        Output.line("will be tried again; `meshlog projections parked \(name)` tells what came of it")
    }
}

struct ProjectionDiscard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "Give a parked event up.", discussion: "meshlog projections discard registry 0-1763776440000-0")
    @Argument(help: "its name") var name: String
    @Argument(help: "position of the event") var position: String
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        _ = try await MeshlogServer.use(url) {
            try await $0.change(.DELETE, "/v1/projections/\(MeshlogServer.escaped(name))/parked/\(MeshlogServer.escaped(position))")
        }
        Output.line("discarded")
    }
}

struct ProjectionResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a projection that stopped go on.",
        discussion: """
            meshlog projections resume registry                       tries the event that stopped it again
            meshlog projections resume registry --skip                passes over it
            """)
    @Argument(help: "its name") var name: String
    @Flag(help: "pass over the event that stopped it") var skip = false
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        _ = try await MeshlogServer.use(url) {
            try await $0.change(.POST, "/v1/projections/\(MeshlogServer.escaped(name))/resume", [("way", skip ? "skip" : "retry")])
        }
        Output.line("will go on; `meshlog projections show \(name)` tells")
    }
}
