internal import ArgumentParser
internal import Client
internal import Core
internal import Foundation

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a running Meshlog under load, to see what this machine does.",
        discussion: """
            meshlog bench http                                       single posts on 64 connections
            meshlog bench ndjson --messages 1000000 --connections 4  streams of 1,000 lines a request
            meshlog bench websocket --bytes 1000 --connections 8     256 messages on their way on each

            The messages are real: they are appended, decided, archived and republished, on the topic given. The load generator takes part of the \
            machine's processors itself. Each post waits for its answer, so more connections give more messages a second, up to a point.
            Latency is that of a request (http: one message, ndjson: 1,000) or of one message (websocket).
            """)
    @Argument(help: "http, ndjson or websocket") var mode: LoadMode = .http
    @OptionGroup var client: ClientFlags
    @Option(help: "messages in all") var messages = 100_000
    @Option(help: "connections") var connections: Int?
    @Option(help: "size of a message's JSON") var bytes = 220
    @Option(help: "their topic") var topic = "meshlog.bench"
    @Flag(help: "print the result as JSON") var json = false

    func validate() throws {
        if messages < 1 { throw ValidationError("--messages is at least 1") }
        if let connections, !(1...10_000).contains(connections) { throw ValidationError("--connections is 1 to 10000") }
        if Subject.topicFault(Array(topic.utf8).span) != nil { throw ValidationError("--topic is a topic such as meshlog.bench") }
        if bytes > Limits.messageBytesMax { throw ValidationError("--bytes is at most \(Limits.messageBytesMax)") }
        if LoadMessage.make(topic: topic, size: bytes) == nil { throw ValidationError("--bytes is too small for a message on this topic") }
    }

    func run() async throws {
        let url = try client.resolve()
        guard let place = URLComponents(string: url), place.scheme == "http", let host = place.host, let message = LoadMessage.make(topic: topic, size: bytes)
        else { throw CommandFailure(.usage, "bench speaks plain http, not \(url)") }
        let width = connections ?? (mode == .http ? 64 : 4)
        let load = LoadGenerator(
            host: host, port: place.port ?? 80, path: place.percentEncodedPath + "/v1/messages", mode: mode, messages: messages,
            connections: width, message: message)
        if !json {
            Output.note("\(Amounts.count(messages)) messages of \(bytes) bytes by \(mode.rawValue) on \(width) connections to \(url)")
        }
        let result: (report: LoadReport, elapsed: Duration)
        do {
            result = try await load.run()
        } catch {
            throw ServerError(error, url: url)
        }
        if json {
            Output.json(result.report.json(mode: mode.rawValue, connections: width, messageBytes: bytes, elapsed: result.elapsed))
        } else {
            for line in result.report.lines(elapsed: result.elapsed) { Output.line(line) }
        }
        if result.report.broken > 0 {
            throw CommandFailure(.missingServer, "\(result.report.broken) of \(width) connections broke; the first: \(result.report.firstFault ?? "")")
        }
        if result.report.refused > 0 { throw CommandFailure(.refused, "\(Amounts.count(result.report.refused)) messages were not acknowledged") }
    }
}

extension LoadMode: ExpressibleByArgument {}
