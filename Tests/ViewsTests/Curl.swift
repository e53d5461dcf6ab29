internal import Foundation
internal import TestSupport

/// Runs `curl` as the examples write it.
enum Curl {
    struct Answer: Sendable {
        let status: Int
        let body: String

        var value: Any? { try? JSONSerialization.jsonObject(with: Data(body.utf8), options: .fragmentsAllowed) }
        var object: [String: Any] { value as? [String: Any] ?? [:] }
        var array: [[String: Any]] { value as? [[String: Any]] ?? [] }
        var data: [String: Any] { object["data"] as? [String: Any] ?? [:] }
        var error: String? { object["error"] as? String }
    }

    /// `curl -X method -H 'Content-Type: application/json' -d body http://127.0.0.1:port/path`
    static func run(_ rig: ViewsRig, _ method: String, _ path: String, _ body: String? = nil) async throws -> Answer {
        let port = rig.port
        let output = try await onThread {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
            process.arguments =
                ["-s", "-X", method, "-w", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"]
                + (body.map { ["-H", "Content-Type: application/json", "-d", $0] } ?? [])
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: data, as: UTF8.self)
        }
        let end = output.lastIndex(of: "\n") ?? output.startIndex
        return Answer(status: Int(output[end...].dropFirst()) ?? 0, body: String(output[..<end]))
    }
}
