internal import Foundation
internal import Glibc
internal import Stack

/// Where the embedded stack of a data folder runs now, as `meshlog up` has written it down.
struct EmbeddedReport {
    let folder: String
    /// Empty while Meshlog itself does not listen yet.
    let url: String
    let redisURL: String
    let postgresqlURL: String
    let natsURL: String

    /// The folder that `up` uses unless it is told another.
    static var usualFolder: String { ProcessInfo.processInfo.environment["MESHLOG_DATA"] ?? ".meshlog" }

    /// Reads `stack.json` and `serve.json`; nil when no stack runs on the folder.
    static func read(_ folder: String = usualFolder) -> EmbeddedReport? {
        // A report outlives its process when that was killed; the lock does not.
        guard let stack = object("\(folder)/stack.json"), let pid = stack["pid"] as? Int,
            FolderLock.holder(of: folder).map({ Int($0) }) == pid
        else { return nil }
        func url(_ server: String) -> String { (stack[server] as? [String: Any])?["url"] as? String ?? "" }
        let serving = object("\(folder)/serve.json")
        let isServing = serving?["pid"] as? Int == pid
        return EmbeddedReport(
            folder: folder, url: isServing ? serving?["url"] as? String ?? "" : "", redisURL: url("redis"), postgresqlURL: url("postgresql"),
            natsURL: url("nats"))
    }

    /// Writes `serve.json`: where Meshlog itself listens. Without it clients only lose their default.
    static func writeServing(url: String, folder: String) {
        let report: [String: Any] = ["pid": Int(getpid()), "url": url]
        guard let data = try? JSONSerialization.data(withJSONObject: report, options: [.sortedKeys, .withoutEscapingSlashes]) else { return }
        try? data.write(to: URL(fileURLWithPath: "\(folder)/serve.json"), options: .atomic)
    }

    private static func object(_ path: String) -> [String: Any]? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    }
}
