import Core
import Foundation
import Log
import NATSDriver
import RedisDriver
import TestSupport
import Testing

/// How long the JetStream door recognises what is delivered again.
@Suite("Redelivery")
struct RedeliveryTests {
    @Test("Messages of the JetStream door, with an id or without, are remembered for a day, however short the dedupe window is")
    func window() async throws {
        let process = try await MeshlogProcess.start("redelivery", arguments: ["--dedupe-window", "5s"])
        try await onThread {
            let rig = try DoorRig(process)
            #expect(rig.awaitNATS())
            let id = try rig.lastID(.messages)
            let named = "19164b3d-b1cb-5c74-9a4d-5f5a32443ff5"
            try rig.nats.publish(subject: process.jetstreamSubject, payload: Array(#"{"topic":"a","message_uuid":"\#(named)"}"#.utf8))
            try rig.nats.publish(subject: process.jetstreamSubject, payload: Array(#"{"topic":"a"}"#.utf8))
            #expect(waitUntil { try rig.entries(.messages, after: id).count == 2 })
            let uuids = try rig.entries(.messages, after: id).map { String(decoding: $0["message_uuid"] ?? [], as: UTF8.self) }
            #expect(uuids.contains(named))
            func lifetime(_ uuid: String) throws -> Int { try rig.redis.run("PTTL", [rig.keys.namePrefix + uuid]).int ?? -3 }
            for uuid in uuids { #expect(try lifetime(uuid) > 86_000_000) }
            let other = "29164b3d-b1cb-5c74-9a4d-5f5a32443ff5"
            let answer = try process.connect().post(
                "/v1/messages", Array(#"{"topic":"a","message_uuid":"\#(other)"}"#.utf8), headers: [("Content-Type", "application/json")])
            #expect(answer.status == 201)
            #expect(try lifetime(other) <= 5_000)
        }
        process.crash()
    }
}
