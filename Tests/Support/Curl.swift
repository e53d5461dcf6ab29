internal import Foundation

/// Runs `curl` as the examples write it.
package enum Curl {
    package struct Answer: Sendable {
        package let status: Int
        /// As curl prints them.
        package let headers: String
        package let body: String

        package var value: Any? { try? JSONSerialization.jsonObject(with: Data(body.utf8), options: .fragmentsAllowed) }
        package var object: [String: Any] { value as? [String: Any] ?? [:] }
        package var array: [[String: Any]] { value as? [[String: Any]] ?? [] }
        package var data: [String: Any] { object["data"] as? [String: Any] ?? [:] }
        package var error: String? { object["error"] as? String }
    }

    /// `curl -i -X method -H 'Content-Type: application/json' -d body http://127.0.0.1:port/path`
    package static func run(port: Int, _ method: String, _ path: String, _ body: String? = nil) async throws -> Answer {
        let output = try await onThread {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
            process.arguments =
                ["-s", "-D", "/dev/stderr", "-X", method, "-w", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"]
                + (body.map { ["-H", "Content-Type: application/json", "-d", $0] } ?? [])
            let (pipe, errors) = (Pipe(), Pipe())
            process.standardOutput = pipe
            process.standardError = errors
            try process.run()
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            let headers = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (String(decoding: data, as: UTF8.self), String(decoding: headers, as: UTF8.self))
        }
        let end = output.0.lastIndex(of: "\n") ?? output.0.startIndex
        return Answer(status: Int(output.0[end...].dropFirst()) ?? 0, headers: output.1, body: String(output.0[..<end]))
    }
}
