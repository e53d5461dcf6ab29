import Core
import Foundation
import Log
import Projections
import TestSupport
import Testing

@Suite("Verify")
struct VerifyTests {
    private static let host = ProjectionHost(ControlProjection(.config))

    /// A projection at the head with a few hundred rows; then one wrong write by hand.
    private func verified(_ sql: String, parked: Bool = false) async throws -> Verification {
        try await ProjectionRig.with { rig in
            try await rig.serving(ProjectionCatalog([Self.host]), rig.place()) {
                var history = ControlHistory(seed: 21, keys: 500)
                for _ in 0..<6 {
                    try rig.append(history.events(400))
                    try await rig.caughtUp("config")
                }
            }
            let before = try await rig.verify(Self.host)
            #expect(before.isEqual, "\(before.text)")
            #expect(before.digestsCompared > 1)
            try rig.execute(sql)
            return try await rig.verify(Self.host)
        }
    }

    private static let victim = "(SELECT min(key) FROM projections.config_g1)"

    @Test("A row's text changed by hand is named with both values") func text() async throws {
        let proof = try await verified(
            "UPDATE projections.config_g1 SET row = replace(row::text, '\"document\"', '\"Document\"')::json WHERE key = \(Self.victim)")
        #expect(proof.differencesTotal == 1)
        let difference = try #require(proof.differences.first)
        #expect(difference.kind == .differs && difference.expected?.contains("\"document\"") == true && difference.found?.contains("\"Document\"") == true)
        #expect(proof.text.contains("row '\(difference.key)' differs") && String(decoding: proof.json, as: UTF8.self).contains("\"equal\":false"))
        #expect(proof.checkpoint == [] && proof.firstDifferent == nil)
    }

    @Test("A digest, a removed row, an added row and a moved row are each named") func others() async throws {
        #expect(
            try await verified("UPDATE projections.config_g1 SET digest = decode(repeat('ab', 32), 'hex') WHERE key = \(Self.victim)").differences.map(\.kind)
                == [.digest])
        #expect(try await verified("DELETE FROM projections.config_g1 WHERE key = \(Self.victim)").differences.map(\.kind) == [.missing])
        let extra = try await verified(
            "INSERT INTO projections.config_g1 SELECT 'zzz', row, digest, position_ms, position_seq FROM projections.config_g1 WHERE key = \(Self.victim)")
        #expect(extra.differences.map(\.kind) == [.extra] && extra.differences.first?.key == "zzz")
        #expect(
            try await verified("UPDATE projections.config_g1 SET position_seq = position_seq + 1 WHERE key = \(Self.victim)").differences.map(\.kind) == [
                .position
            ])
    }

    @Test("A checkpoint changed by hand is named: digest, counts, position") func checkpoint() async throws {
        #expect(try await verified("UPDATE projection SET digest = decode(repeat('ab', 32), 'hex')").checkpoint.map(\.field) == ["digest"])
        #expect(try await verified("UPDATE projection SET rows = rows + 1").checkpoint.map(\.field) == ["rows"])
        #expect(try await verified("UPDATE projection SET events = events - 1").checkpoint.map(\.field) == ["events"])
        let moved = try await verified("UPDATE projection SET position_ms = position_ms + 100000")
        #expect(moved.checkpoint.map(\.field) == ["position"])
        let back = try await verified(
            "UPDATE projection p SET (position_ms, position_seq) = (SELECT position_ms, position_seq FROM projection_digest ORDER BY events LIMIT 1)")
        #expect(back.checkpoint.contains { $0.field == "position" } && back.checkpoint.contains { $0.field == "entries" } && back.differencesTotal > 0)
    }

    @Test("A recorded digest that the log does not give is the first differing position") func history() async throws {
        let proof = try await verified(
            """
            UPDATE projection_digest SET digest = decode(repeat('ab', 32), 'hex') WHERE (position_ms, position_seq) >=
              (SELECT position_ms, position_seq FROM projection_digest ORDER BY position_ms, position_seq OFFSET 2 LIMIT 1)
            """)
        #expect(proof.firstDifferent != nil && proof.lastEqual != nil && (proof.lastEqual ?? .zero) < (proof.firstDifferent ?? .zero))
        #expect(proof.text.contains("first differing position: \(proof.firstDifferent?.description ?? "")"))
    }
}
