internal import Foundation

/// A private nats-server with JetStream on files.
struct NATSRecipe: ServerRecipe {
    let program: String
    let folder: String
    /// Unique to the data folder, so that a probe knows whose answer it got.
    let name: String
    let payloadBytesMax: Int
    let monitorPort: Int?

    var kind: ServerKind { .nats }
    var programs: Set<String> { ["nats-server"] }

    private var configuration: String { folder + "/nats.conf" }

    func prepare(port: Int) throws(StackError) -> [String] {
        try Folder.make(folder, mode: 0o700)
        try Folder.make(folder + "/jetstream", mode: 0o700)
        let monitor = monitorPort.map { "http: \"127.0.0.1:\($0)\"" } ?? "# No HTTP monitor: natsMonitorPort is not set."
        let text = """
            # Written by Meshlog at every start; own settings go into local.conf beside it.
            server_name: "\(name)"
            host: "127.0.0.1"
            port: \(port)
            \(monitor)
            max_payload: \(payloadBytesMax)
            # What a slow subscriber may have outstanding before it is cut off; above 8 payloads of the largest size.
            max_pending: \(max(64 << 20, 8 * payloadBytesMax))
            jetstream {
              store_dir: "\(folder.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\""))/jetstream"
              max_memory_store: 256MB
            }
            include "local.conf"

            """
        try Folder.touch(folder + "/local.conf")
        try Folder.write(text, to: configuration)
        return []
    }

    func command(port: Int, logPath: String) -> ChildCommand {
        ChildCommand(
            program: program, arguments: ["-c", configuration], folder: folder, logPath: logPath, account: nil, deathSignal: kind.stopSignal
        )
    }

    /// The server opens its client port after JetStream has recovered, and greets every connection with an INFO line.
    func probe(port: Int, pid: Int32) -> Readiness {
        guard let socket = LoopbackSocket(port: port, within: StackLimits.answerWithin) else { return .starting }
        guard let line = socket.receive(until: { $0.hasSuffix("\r\n") }), line.hasPrefix("INFO ") else { return .starting }
        guard let info = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(5).utf8)) as? [String: Any] else { return .starting }
        guard info["server_name"] as? String == name else { return .starting }
        return info["jetstream"] as? Bool == true ? .ready : .broken("JetStream is not enabled")
    }

    func url(port: Int) -> String { "nats://127.0.0.1:\(port)" }
}
