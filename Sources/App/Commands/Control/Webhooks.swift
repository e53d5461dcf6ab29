internal import ArgumentParser
internal import Client
internal import Foundation
internal import NIOHTTP1

struct Webhooks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Webhooks: who is told of messages that broke their templates, and what came of it.",
        discussion: """
            meshlog webhooks
            echo '{"url": "https://hooks.example.com/meshlog", "events": ["validation.failed"]}' | meshlog webhooks set quality -
            meshlog webhooks secret quality
            meshlog webhooks test quality
            meshlog webhooks attempts quality
            """,
        subcommands: [
            WebhookAttempts.self, WebhookSecretCommand.self, WebhookTest.self,
            DocumentList<WebhookNoun>.self, DocumentGet<WebhookNoun>.self, DocumentSet<WebhookNoun>.self, DocumentPatch<WebhookNoun>.self,
            DocumentDelete<WebhookNoun>.self, DocumentHistory<WebhookNoun>.self,
        ], defaultSubcommand: DocumentList<WebhookNoun>.self)
}

struct WebhookAttempts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attempts", abstract: "Show what came of deliveries to one webhook, the newest first.", discussion: "meshlog webhooks attempts quality")
    @Argument(help: "its key") var key: String
    @Option(help: "attempts of a page") var limit = 20
    @Option(help: "go on where another page ended; it names its cursor") var cursor: String?
    @OptionGroup var client: ClientFlags
    @Flag(help: "print the page as JSON") var json = false

    func run() async throws {
        let url = try client.resolve()
        let page = try await MeshlogServer.use(url) {
            try await $0.json("/v1/webhooks/\(MeshlogServer.escaped(key))/attempts", [("limit", String(limit))] + (cursor.map { [("cursor", $0)] } ?? []))
        }
        if json { return Output.json(page.bytes) }
        let columns = [
            ("TIME (UTC)", "ts"), ("TYPE", "type"), ("ATTEMPT", "attempt"), ("RESULT", "result"), ("STATUS", "status"), ("NEXT (UTC)", "next_ts"),
            ("ERROR", "error"),
        ]
        var table = TextTable(columns.map { .init($0.0, widthMax: 60) })
        for attempt in page["attempts"]?.elements ?? [] {
            table.add(
                columns.map { title, member in
                    guard let value = attempt[member], !value.isNull else { return "" }
                    return title.hasSuffix("(UTC)") ? DocumentText.time(value) : value.plain
                })
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
        if let next = page["next_cursor"], !next.isNull { Output.note("more: --cursor '\(next.plain)'") }
    }
}

struct WebhookSecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Print the secret that one webhook's signatures are made with.", discussion: "meshlog webhooks secret quality")
    @Argument(help: "its key") var key: String
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let answer = try await MeshlogServer.use(url) { try await $0.json("/v1/webhooks/\(MeshlogServer.escaped(key))/secret") }
        Output.line(answer["secret"]?.plain ?? "")
    }
}

struct WebhookTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Send a webhook.test to one webhook; `attempts` shows what came of it.", discussion: "meshlog webhooks test quality")
    @Argument(help: "its key") var key: String
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let url = try client.resolve()
        let answer = try await MeshlogServer.use(url) { try await $0.change(.POST, "/v1/webhooks/\(MeshlogServer.escaped(key))/test") }
        Output.line("sent as \(JSONSlice(answer.body)?["message_id"]?.plain ?? "?")")
    }
}
