internal import Client
internal import NATSDriver

/// Looks at the default backbone's servers.
struct NATSExamination {
    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    func findings() -> [Finding] {
        var out: [Finding] = []
        for (host, port) in NATSServers.list(settings.nats.url) ?? [] { out += server(host, port) }
        if out.contains(where: { $0.check == "reachable" && $0.state == .ok }) { out += account() }
        return out
    }

    private func server(_ host: String, _ port: Int) -> [Finding] {
        do {
            let info = try NATSServerInfo.read(host: host, port: port)
            var facts = NATSFacts()
            facts.version = info.version
            facts.hasJetStream = info.hasJetStream
            facts.payloadBytesMax = info.payloadBytesMax
            return [Finding("NATS", "reachable", .ok, "nats://\(host):\(port)")] + facts.findings
        } catch {
            return [
                Finding(
                    "NATS", "reachable", .fail, "\(error.reason): messages are still taken in and archived, nothing is republished. Start it, or set --nats-url"
                )
            ]
        }
    }

    /// What these credentials may do.
    private func account() -> [Finding] {
        var options = settings.nats
        options.reconnect = .never
        do {
            let connection = try NATSConnection(options)
            defer { connection.close() }
            let isEnabled = try JetStream(connection).isEnabled()
            return [
                isEnabled
                    ? Finding("NATS", "account", .ok, "it may use JetStream")
                    : Finding("NATS", "account", .fail, "JetStream is not enabled for this account: nothing can be republished with an acknowledgement")
            ]
        } catch {
            return [Finding("NATS", "account", .fail, error.reason)]
        }
    }
}
