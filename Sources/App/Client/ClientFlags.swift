internal import ArgumentParser
internal import Client
internal import Foundation

/// Where a client command finds Meshlog.
struct ClientFlags: ParsableArguments {
    @Option(help: "address of Meshlog [the one that `meshlog up` runs in .meshlog, else http://127.0.0.1:8080; MESHLOG_URL]") var url: String?

    /// The address without a slash at its end.
    func resolve() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let set = url ?? environment["MESHLOG_URL"].flatMap { $0.isEmpty ? nil : $0 }
        var address = set ?? EmbeddedReport.read().flatMap { $0.url.isEmpty ? nil : $0.url } ?? ClientFlags.usualURL
        while address.hasSuffix("/") { address.removeLast() }
        guard let parts = URLComponents(string: address), let host = parts.host, !host.isEmpty,
            parts.scheme == "http" || parts.scheme == "https",
            parts.port.map(Settings.isPort) ?? true
        else {
            throw CommandFailure(.usage, "'\(address)' is no address of a Meshlog; write it like \(ClientFlags.usualURL)")
        }
        return address
    }

    static let usualURL = "http://127.0.0.1:8080"
}

/// Which messages.
struct FilterFlags: ParsableArguments {
    @Option(help: "topic, or a pattern: * is one token, > the rest ('tasks.>')") var topic: String?
    @Option(help: "sender") var source: String?
    @Option(help: "one of the recipients") var destination: String?
    @Option(help: "sender or one of the recipients") var subject: String?
    @Option(help: "message type") var type: String?

    /// As query parameters of a route.
    var query: [(String, String)] {
        [("topic", topic), ("source", source), ("destination", destination), ("subject", subject), ("type", type)].compactMap { name, value in
            value.map { (name, $0) }
        }
    }
}
