internal import Client
internal import Foundation
internal import NATSDriver

/// Looks at the default backbone's servers.
struct NATSExamination {
    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    func findings() -> [Finding] {
        var out: [Finding] = []
        for text in settings.nats.url.split(separator: ",") {
            let address = text.trimmingCharacters(in: .whitespaces)
            let place = URLComponents(string: address)
            guard let host = place?.host, !host.isEmpty else {
                out.append(Finding("NATS", "address", .fail, "'\(address)' is no address; write it like nats://127.0.0.1:4222"))
                continue
            }
            out += server(host, place?.port ?? 4222)
        }
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
                    "NATS", "reachable", .fail, "\(error.reason): messages are still taken in and archived, nothing is republished. Start it, or set --nats-url")
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
