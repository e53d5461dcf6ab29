import Foundation
import Stack
import TestSupport
import Testing

/// What scripts get from commands that a server refuses.
@Suite("Refused commands")
struct CommandRefusalTests {
    @Test("A command that the server refuses ends with 2 and says why, whatever it asked for", .timeLimit(.minutes(3))) func refused() async throws {
        let process = try await MeshlogProcess.start("refusals")
        let port = process.port
        func run(_ arguments: [String], port: Int) async throws -> (status: Int32, output: String, errors: String) {
            try await MeshlogProcess.command(arguments + ["--url", "http://127.0.0.1:\(port)"])
        }
        let constraint = #"{"scope":{"topics":["held.>"]},"action":{"type":"hold","timeout_ms":600000,"approvers":["eve"]}}"#
        #expect(try await Curl.run(port: port, "PUT", "/v1/constraints/ask", constraint).status == 201)
        let held = try await Curl.run(port: port, "POST", "/v1/messages", #"{"topic":"held.one","data":1}"#)
        let id = try #require(held.object["position"] as? String, "\(held.body)")
        #expect(await eventually(within: .seconds(60)) { try await Curl.run(port: port, "GET", "/v1/sessions/\(id)").status == 200 })
        for (arguments, status, says) in [
            (["sessions", "approve", id, "--by", "mallory"], 2, "eve"), (["sessions", "approve", id], 2, "Nobody is named"),
            (["sessions", "approve", id, "--by", "eve", "--digest", "00"], 2, "something else than what is held"),
            (["sessions", "approve", id, "--by", "eve"], 0, ""), (["sessions", "deny", id, "--by", "eve"], 2, "The session has ended"),
            (["sessions", "show", "0-1-1"], 2, "no such session"), (["sessions", "show", "soon"], 2, "position"),
            (["sessions", "--status", "open"], 2, "pending"),
            (["templates", "get", "none"], 2, "no such template"), (["templates", "delete", "none"], 2, "no such template"),
            (["constraints", "patch", "ask", "[1]"], 2, "JSON object"),
            (["constraints", "patch", "ask", #"{"description":"x"}"#, "--if-match", "0-1-1"], 2, "another version"), (["constraints", "get", "ask"], 0, ""),
        ] as [([String], Int32, String)] {
            let answer = try await run(arguments, port: port)
            #expect(answer.status == status && (says.isEmpty || answer.errors.contains(says)), "\(arguments): \(answer)")
        }
        let away = try await run(["templates", "get", "none"], port: SharedStack.freePort())
        #expect(away.status == 69, "\(away)")
    }

    @Test("A taken port for HTTP is named with its holder and the setting that changes it, before any server is started") func takenPort()
        async throws
    {
        let redis = try await SharedStack.shared.redis
        let text =
            "Port \(redis.port) for HTTP is taken by process \(redis.pid ?? 0) (redis-server). Stop that one, or choose another port with --port (MESHLOG_PORT)."
        try await withTemporaryFolder { folder in
            let up = try await MeshlogProcess.command(["up", "--data", folder, "--port", String(redis.port), "--home", Repository.root])
            #expect(up.status == 1 && up.errors.contains(text), "\(up)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
        let serve = try await MeshlogProcess.command(["serve", "--port", String(redis.port), "--home", Repository.root])
        #expect(serve.status == 1 && serve.errors.contains(text), "\(serve)")
    }

    @Test("A server's address is refused by the command that starts its own servers") func foreignServers() async throws {
        let answer = try await MeshlogProcess.command(["up", "--nats-url", "nats://127.0.0.1:1", "--redis-url", "redis://127.0.0.1:1"])
        #expect(answer.status == 64, "\(answer)")
        #expect(answer.errors.contains("takes no --redis-url, --nats-url") && answer.errors.contains("meshlog serve"), "\(answer)")
    }
}
