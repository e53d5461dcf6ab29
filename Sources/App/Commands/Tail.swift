internal import ArgumentParser
internal import Client
internal import Core

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow messages as they come in.",
        discussion: """
            meshlog tail
            meshlog tail --topic 'tasks.>' --type statement
            meshlog tail --since 0-0-0 --count 10          the first ten of the log
            meshlog tail --json | jq .topic

            Each message is one line: time (UTC), position, topic, sender → recipients, type, and the start of its content, cut to the terminal.
            When the connection breaks, tail comes back behind the last message it has shown; none is missed.
            """)
    @OptionGroup var filter: FilterFlags
    @OptionGroup var client: ClientFlags
    @Option(help: ArgumentHelp("begin behind this position; 0-0-0 is the beginning of all", valueName: "position")) var since: String?
    @Option(help: "end after so many messages") var count: Int?
    @Flag(help: "print each message as one line of JSON, as the feed has it") var json = false

    func validate() throws {
        if let since, Position(since) == nil { throw ValidationError("--since is a position such as 0-1763782202123-0") }
        if let count, count < 1 { throw ValidationError("--count is at least 1") }
    }

    func run() async throws {
        let url = try client.resolve()
        let ink = Output.ink
        try await MeshlogServer.use(url) { server in
            var left = count ?? Int.max
            let follower = FeedFollower(server: server, query: filter.query, since: since)
            try await follower.run(onLoss: { Output.note("meshlog: \($0)") }) { event in
                guard event.name == "message" else {
                    Output.note(
                        "meshlog: the feed says \(event.name): \(DisplayText.cut(DisplayText.line(String(decoding: event.data, as: UTF8.self)), to: 300))")
                    return true
                }
                if json {
                    Output.jsonLine(event.data)
                } else if let message = JSONSlice(event.data) {
                    Output.line(MessageLine(message).text(width: Output.width, ink: ink))
                }
                left -= 1
                return left > 0 && Output.hasReader
            }
        }
    }
}
