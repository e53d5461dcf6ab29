import Core
import Foundation
import Log
import RedisDriver
import TestSupport

/// A Meshlog without a router: tests decide in its place.
extension DoorRig {
    static func undecided(_ body: @escaping @Sendable (DoorRig) throws -> Void) async throws {
        let meshlog = try await MeshlogProcess.shared("verdicts", arguments: ["--roles", "doors,views"])
        try await onThread { try body(try DoorRig(meshlog)) }
    }

    /// The one message on this topic, as soon as it is there.
    func message(on topic: String) throws -> (position: Position, uuid: MessageUUID) {
        var found: (position: Position, uuid: MessageUUID)?
        _ = waitUntil {
            for entry in try redis.run("XREVRANGE", [keys.stream(.messages), "+", "-", "COUNT", "2000"]).array ?? [] {
                let fields = entry.array?[1].pairs ?? [:]
                guard fields["topic"]?.text == topic, let id = entry.array?[0].text, let position = Position(streamID: id) else { continue }
                found = (position, fields["message_uuid"]?.text.flatMap { MessageUUID($0) } ?? MessageUUID(high: 0, low: 0))
            }
            return found != nil
        }
        guard let found else { throw RawConnection.Broken(description: "no message on \(topic)") }
        return found
    }

    /// Writes a verdict, as the router does.
    func decide(_ position: Position, _ verdict: VerdictEntry) throws {
        var command = RESPWriter()
        let fields = verdict.loggedFields
        command.begin(3 + 2 * fields.count)
        for argument in ["XADD", keys.stream(.verdicts), position.streamID] { command.argument(argument) }
        for (name, value) in fields {
            command.argument(name.description)
            command.argument(value)
        }
        if case .error(let text) = try redis.pipeline(command)[0] { throw RedisError.server(text) }
    }

    /// A verdict in few words.
    static func verdict(
        _ uuid: MessageUUID, _ outcome: Outcome, rule: String = "default", reason: String = "", _ detail: (inout VerdictDetail) -> Void = { _ in }
    ) -> VerdictEntry {
        var verdict = VerdictEntry(
            messageUUID: uuid, outcome: outcome, rule: rule, reason: reason, policyRevision: "0-1-0", targets: outcome == .block ? [] : ["default"],
            subject: Array("s".utf8))
        detail(&verdict.detail)
        return verdict
    }

    /// A limit that a message came by: 10 in a second, and when the next one passes.
    static func touch(_ rule: String, remaining: Int64, retryAfter: Int64 = 0, shadow: Bool = false) -> [UInt8] {
        let limit = #"{"rate":10,"period_ms":1000,"burst":10}"#
        guard let limit = (try? JSONDocument(limit).root).flatMap({ RateLimit($0) }) else { return [] }
        return LimitTouch(
            key: .init(rule: rule, key: "bob", isShadow: shadow), limit: limit, arrival: nil, isTaken: retryAfter == 0, remaining: remaining,
            retryAfter: retryAfter, reset: 500_000
        ).json
    }

    /// PUT of a document of the control plane; returns when it is acknowledged.
    func put(_ path: String, _ body: String) throws {
        let connection = try meshlog.connect()
        try connection.write(
            Array("PUT \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
        let answer = try connection.answer()
        guard answer.status < 300 else { throw RawConnection.Broken(description: "\(answer.status) \(answer.text)") }
    }
}

/// JSON of a test's answer.
func object(_ bytes: [UInt8]) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw RawConnection.Broken(description: "no JSON object: \(String(decoding: bytes.prefix(300), as: UTF8.self))")
    }
    return object
}
