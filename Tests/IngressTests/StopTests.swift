import Core
import Foundation
import Log
import RedisDriver
import TestSupport
import Testing

/// What a stop does to requests that are still coming in.
@Suite("Stop")
struct StopTests {
    private static func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

    @Test("A stop ends within seconds though bodies are still coming, and tells what of a stream is in the log", .timeLimit(.minutes(2)))
    func uploads() async throws {
        let process = try await MeshlogProcess.start("stop")
        try await onThread {
            let rig = try DoorRig(process)
            func open(_ type: String, _ body: String) throws -> RawConnection {
                let connection = try process.connect()
                try connection.write(Array("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: \(type)\r\n\(body)".utf8))
                return connection
            }
            let half = try open("application/json", "Content-Length: 100\r\n\r\n{")
            let array = try open("application/json", "Transfer-Encoding: chunked\r\n\r\n" + Self.chunk("["))
            let lines = try open(
                "application/x-ndjson", "Transfer-Encoding: chunked\r\n\r\n" + Self.chunk(#"{"topic":"a"}"# + "\n" + #"{"topic":"b","#))
            #expect(waitUntil { try rig.length(.messages) == 1 })
            let start = ContinuousClock.now
            kill(process.pid, SIGTERM)
            let summary = try lines.answer()
            #expect(
                summary.status == 503 && summary.headers["retry-after"] != nil
                    && summary.headers["content-type"] == "application/problem+json")
            let body = try object(summary.body)
            #expect(body["accepted"] as? Int == 1 && body["refused"] as? Int == 0 && body["lines"] as? Int == 1, "\(summary.text)")
            #expect(body["type"] as? String == "urn:meshlog:problem:log-unavailable")
            let refused = try array.answer()
            #expect(
                refused.status == 503 && refused.headers["retry-after"] != nil && refused.text.contains("urn:meshlog:problem:stopping"),
                "\(refused.text)")
            #expect(half.readToEnd() == [])
            #expect(waitUntil { !process.isRunning })
            #expect(ContinuousClock.now - start < .seconds(15))
            #expect(try rig.length(.messages) == 1, "half a line is none")
        }
    }
}
