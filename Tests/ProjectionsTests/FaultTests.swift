import Core
import Foundation
import Log
import PostgreSQLDriver
import Projections
import TestSupport
import Testing

@Suite("Faults")
struct FaultTests {
    private typealias Counting = RebuildTests.Counting

    private func event(_ comment: String = "") -> ControlEvent {
        ControlEvent(.config, .updated, key: "k", document: Array("{}".utf8), comment: comment)
    }

    private func count(_ rig: ProjectionRig) throws -> Int? {
        try rig.postgresql().query("SELECT count FROM projections.counting WHERE key = 'config'").int(0, 0)
    }

    @Test("Skipped: counted, and everything else is folded") func skip() async throws {
        try await ProjectionRig.with { rig in
            let host = ProjectionHost(Counting(onFault: .skip, refuses: ["odd"]))
            try await rig.serving(ProjectionCatalog([host]), rig.place()) {
                try rig.append([event(), event("odd"), event(), event("odd")])
                let row = try await rig.caughtUp("counting")
                #expect(row.skipped == 2 && row.events == 2 && row.parked == 0)
                #expect(try count(rig) == 2)
                #expect(try await rig.verify(host).isEqual)
            }
        }
    }

    @Test("Parked: listed with its entry; tried again out of turn once it can be read; a verification repeats that; or given up") func park() async throws {
        try await ProjectionRig.with { rig in
            let strict = ProjectionHost(Counting(onFault: .park, refuses: ["odd", "never"]))
            try await rig.serving(ProjectionCatalog([strict]), rig.place()) {
                try rig.append([event(), event("odd"), event("never"), event()])
                try rig.appendRaw(.control, ["event", "config.updated", "v", "99", "key", "k"])
                let row = try await rig.caughtUp("counting")
                #expect(row.parked == 3 && row.events == 2)
                let parked = try ProjectionRequests.parked("counting", on: rig.postgresql())
                #expect(parked.map(\.status) == [.parked, .parked, .parked])
                #expect(parked[0].reason == "not with odd" && String(decoding: parked[0].entry, as: UTF8.self).contains(#""comment":"odd""#))
                #expect(parked[2].reason.contains("version 99"))
                #expect(try await rig.verify(strict).isEqual)
            }
            // The code was mended, without other rows for what it knew before.
            let mended = ProjectionHost(Counting(onFault: .park, refuses: ["never"]))
            try await rig.serving(ProjectionCatalog([mended]), rig.place("mended")) {
                try rig.append([event()])
                try await rig.caughtUp("counting")
                let first = try #require(try ProjectionRequests.parked("counting", on: rig.postgresql()).first)
                #expect(try ProjectionRequests.settle("counting", [first.position], as: .retry, on: rig.postgresql()) == 1)
                let row = try await rig.until("counting") { $0.parked == 2 }
                #expect(row.events == 4)
                #expect(try count(rig) == 4)
                // One that still fails stays parked.
                let never = try ProjectionRequests.parked("counting", after: first.position, on: rig.postgresql())[0]
                _ = try ProjectionRequests.settle("counting", [never.position], as: .retry, on: rig.postgresql())
                #expect(try await onThread { waitUntil { try ProjectionRequests.parked("counting", on: rig.postgresql())[1].attempts == 2 } })
                #expect(try ProjectionRequests.parked("counting", on: rig.postgresql()).map(\.status) == [.applied, .parked, .parked])
                let proof = try await rig.verify(mended)
                #expect(proof.isEqual, "\(proof.text)")
                #expect(try ProjectionRequests.settle("counting", nil, as: .discarded, on: rig.postgresql()) == 2)
                #expect(try GenerationTable.serving("counting", on: rig.postgresql())?.parked == 0)
                try rig.append([event()])
                try await rig.caughtUp("counting")
                let last = try await rig.verify(mended)
                #expect(last.isEqual, "\(last.text)")
            }
        }
    }

    @Test("Stopped: stands before the event with its reason, the others go on; resumed it tries again, or passes over that one") func stop() async throws {
        try await ProjectionRig.with { rig in
            let host = ProjectionHost(Counting(onFault: .stop, refuses: ["odd", "even"]))
            let other = ProjectionHost(ControlProjection(.config))
            try await rig.serving(ProjectionCatalog([host, other]), rig.place()) {
                let positions = try rig.append([event(), event("odd"), event(), event("even"), event()])
                let stopped = try await rig.until("counting") { $0.status == .stopped }
                #expect(stopped.position == positions[0] && stopped.failureAt == positions[1] && stopped.failure?.contains("not with odd") == true)
                #expect(try count(rig) == 1)
                try await rig.caughtUp("config")
                // Still refused: it stops again, in the same place.
                _ = try ProjectionRequests.resume("counting", .retry, on: rig.postgresql())
                #expect(try await rig.until("counting") { $0.status == .stopped }.failureAt == positions[1])
                _ = try ProjectionRequests.resume("counting", .skip, on: rig.postgresql())
                let next = try await rig.until("counting") { $0.status == .stopped && $0.failureAt == positions[3] }
                #expect(next.position == positions[2])
                _ = try ProjectionRequests.resume("counting", .skip, on: rig.postgresql())
                let row = try await rig.caughtUp("counting")
                #expect(row.events == 3)
                #expect(try ProjectionRequests.parked("counting", on: rig.postgresql()).map(\.status) == [.discarded, .discarded])
                #expect(try await rig.verify(host).isEqual)
                // A rebuild passes over the same events.
                _ = try ProjectionRequests.rebuild(host.definition, on: rig.postgresql())
                let rebuilt = try await rig.until("counting") { $0.generation == 2 }
                #expect(rebuilt.digest == row.digest)
                #expect(throws: ProjectionError.self) { try ProjectionRequests.resume("counting", .retry, on: rig.postgresql()) }
            }
        }
    }
}
