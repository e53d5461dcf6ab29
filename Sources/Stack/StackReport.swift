internal import Foundation
internal import Synchronization

/// `stack.json` in the data folder: where the servers are now, for scripts such as `tools/crash`.
final class StackReport: Sendable {
    let path: String
    let servers = Mutex<[WeakServer]>([])

    init(path: String) { self.path = path }

    /// Writes the present state; a report that cannot be written is only missing, nothing depends on it.
    func write() {
        servers.withLock { servers in
            var report: [String: Any] = ["pid": Int(ProcessInfo.processInfo.processIdentifier)]
            for server in servers.compactMap(\.server) {
                report[server.kind.rawValue] =
                    [
                        "host": "127.0.0.1", "port": server.port, "url": server.url, "pid": Int(server.pid ?? 0), "log": server.logPath,
                    ] as [String: Any]
            }
            guard
                let data = try? JSONSerialization.data(
                    withJSONObject: report, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            else { return }
            try? Folder.write(String(decoding: data, as: UTF8.self) + "\n", to: path)
        }
    }
}

/// The report must not keep alive what keeps it alive.
struct WeakServer: Sendable {
    weak var server: EmbeddedServer?
}
