internal import AsyncHTTPClient
internal import Client
internal import NIOCore
internal import NIOHTTP1

/// Follows the live feed over server-sent events, and comes back where it was when the connection breaks.
struct FeedFollower {
    private let server: MeshlogServer
    private let query: [(String, String)]
    private let since: String?

    /// - Parameter since: position behind which the feed begins; nil: with what comes next.
    init(server: MeshlogServer, query: [(String, String)], since: String?) {
        self.server = server
        self.query = query
        self.since = since
    }

    /// Hands every event to `take` until that returns false.
    ///
    /// - Throws: `CommandFailure` when the server refuses, `ServerError` when it was never there; later losses are told to `onLoss` and repeated.
    func run(onLoss: (String) -> Void, take: (ServerEvent) throws -> Bool) async throws {
        var parser = EventStreamParser()
        var repeats = Repeats(giveUpAfter: .seconds(Int64.max / 4))
        var hasReached = false
        var isLost = false
        while true {
            do {
                var headers = [("accept", "text/event-stream")]
                if !parser.lastID.isEmpty { headers.append(("last-event-id", parser.lastID)) }
                let begin = parser.lastID.isEmpty ? since.map { [("since", $0)] } ?? [] : []
                let response = try await server.stream("/v1/feed", query + begin, headers: headers)
                let status = Int(response.status.code)
                guard status == 200 else {
                    let body = try await response.body.collect(upTo: 1 << 20)
                    let failure = CommandFailure(status: status, body: Array(buffer: body), asked: "GET /v1/feed")
                    guard hasReached, failure.exit == .missingServer else { throw failure }
                    throw ServerError.interrupted(url: server.url, reason: failure.description)
                }
                guard response.headers["content-type"].first?.hasPrefix("text/event-stream") == true else {
                    throw CommandFailure(.failed, "GET /v1/feed was not answered with events; is \(server.url) a Meshlog?")
                }
                hasReached = true
                if isLost { onLoss("connected again") }
                isLost = false
                for try await chunk in response.body {
                    for event in parser.take(chunk.readableBytesView) {
                        repeats.succeeded()
                        if try !take(event) { return }
                    }
                }
                throw ServerError.interrupted(url: server.url, reason: "the server ended the feed")
            } catch {
                let told = server.told(error)
                guard let lost = told as? ServerError, hasReached else { throw told }
                if !isLost { onLoss("\(lost.summary); coming back\(parser.lastID.isEmpty ? "" : " behind \(parser.lastID)")") }
                isLost = true
            }
            parser.restart()
            let wait = repeats.next(jitter: Double.random(in: 0...1)) ?? .seconds(5)
            try await Task.sleep(for: max(wait, .milliseconds(min(parser.retryMilliseconds ?? 0, 60_000))))
        }
    }
}
