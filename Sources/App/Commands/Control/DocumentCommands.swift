internal import ArgumentParser
internal import Client
internal import Foundation
internal import NIOHTTP1

struct DocumentList<Noun: DocumentNoun>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list", abstract: "List every \(Noun.noun) as a table (the default).",
            discussion: """
                meshlog \(Noun.word)
                meshlog \(Noun.word) list --at 2026-11-22T02:14:00Z
                meshlog \(Noun.word) list --where \(Noun.columns[0].member)=x --json
                """)
    }
    @OptionGroup var list: ListFlags
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the page as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) { try await $0.json("/v1/\(Noun.word)", list.query) }
        if json { return Output.json(page.bytes) }
        let documents = page["documents"]?.elements ?? []
        if documents.isEmpty { return Output.line("no \(Noun.noun) yet") }
        var table = TextTable([.init("KEY", widthMax: 40)] + Noun.columns.map { .init($0.title, widthMax: 36) } + [.init("CHANGED (UTC)"), .init("BY")])
        for document in documents {
            let values = Noun.columns.map { document["document"]?[$0.member].map { $0.isNull ? "" : $0.plain } ?? "" }
            table.add([document["key"]?.plain ?? ""] + values + [DocumentText.time(document["revision_ts"]), DocumentText.author(document)])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
        if let next = page["next_cursor"], !next.isNull { Output.note("more: --cursor '\(next.plain)'") }
    }
}

struct DocumentGet<Noun: DocumentNoun>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "get", abstract: "Print one \(Noun.noun) as JSON.", discussion: "meshlog \(Noun.word) get \(Noun.example)")
    }
    @Argument(help: "its key") var key: String
    @Option(help: ArgumentHelp("as it was at a position or time (RFC 3339)", valueName: "position")) var at: String?
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let document = try await MeshlogServer.use(url) {
            try await $0.json("/v1/\(Noun.word)/\(MeshlogServer.escaped(key))", at.map { [("at", $0)] } ?? [])
        }
        Output.json(document.bytes)
    }
}

struct DocumentSet<Noun: DocumentNoun>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "set", abstract: "Create or replace one \(Noun.noun).",
            discussion: """
                meshlog \(Noun.word) set \(Noun.example) document.json
                jq … | meshlog \(Noun.word) set \(Noun.example) - --comment 'as agreed'
                """)
    }
    @Argument(help: "its key") var key: String
    @Argument(help: "file with the JSON document; - is standard input") var file: String
    @OptionGroup var change: ChangeFlags
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let body = try await DocumentText.read(file)
        let answer = try await MeshlogServer.use(url) {
            try await $0.change(.PUT, "/v1/\(Noun.word)/\(MeshlogServer.escaped(key))", body: body, headers: change.headers)
        }
        Output.line("\(answer.status == 201 ? "created" : "replaced") at \(answer.headers.first(name: "meshlog-position") ?? "?")")
    }
}

struct DocumentPatch<Noun: DocumentNoun>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "patch", abstract: "Change members of one \(Noun.noun): a merge patch, in which null removes.",
            discussion: "meshlog \(Noun.word) patch \(Noun.example) '{\"description\": \"…\"}'")
    }
    @Argument(help: "its key") var key: String
    @Argument(help: "JSON object with the members to change (RFC 7396)") var patch: String
    @OptionGroup var change: ChangeFlags
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let answer = try await MeshlogServer.use(url) {
            try await $0.change(.PATCH, "/v1/\(Noun.word)/\(MeshlogServer.escaped(key))", body: Array(patch.utf8), headers: change.headers)
        }
        Output.line("changed at \(answer.headers.first(name: "meshlog-position") ?? "?")")
    }
}

struct DocumentDelete<Noun: DocumentNoun>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "delete", abstract: "Delete one \(Noun.noun); its history stays.", discussion: "meshlog \(Noun.word) delete \(Noun.example)")
    }
    @Argument(help: "its key") var key: String
    @OptionGroup var change: ChangeFlags
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let answer = try await MeshlogServer.use(url) {
            try await $0.change(.DELETE, "/v1/\(Noun.word)/\(MeshlogServer.escaped(key))", headers: change.headers)
        }
        Output.line("deleted at \(answer.headers.first(name: "meshlog-position") ?? "?")")
    }
}

struct DocumentHistory<Noun: DocumentNoun>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "history", abstract: "Show who changed one \(Noun.noun), when and to what.", discussion: "meshlog \(Noun.word) history \(Noun.example)"
        )
    }
    @Argument(help: "its key") var key: String
    @Option(help: "changes of a page, the newest first") var limit = 20
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the page as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) {
            try await $0.json("/v1/\(Noun.word)/\(MeshlogServer.escaped(key))/history", [("limit", String(limit))])
        }
        if json { return Output.json(page.bytes) }
        DocumentText.showChanges(page)
    }
}
