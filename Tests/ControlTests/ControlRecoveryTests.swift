internal import Control
internal import Core
internal import Log
internal import RedisDriver
internal import TestSupport
internal import Testing

/// A log that has lost what the processes know.
@Suite("Control plane of a log that lost its data", .serialized, .timeLimit(.minutes(3)))
struct ControlRecoveryTests {
    private func delete(_ name: String) -> ControlCommand {
        ControlCommand(.delete, .config, ConfigAddress(.global, name: name).key, expected: .exists, author: ControlRig.author)
    }

    @Test("Documents can be changed and deleted through every process, although something new came first, and named versions count")
    func whileServing() async throws {
        try await ControlRig.run { rig in
            let (one, two) = (rig.members[0], rig.members[1])
            for name in ["changed", "gone", "named"] { _ = try await one.writer.run(ControlRig.value(name, "1")) }
            let last = try await one.writer.run(ControlRig.value("last", "1")).position
            #expect(await two.follower.reached(last, within: .seconds(5)))
            let revision = try #require(one.follower.state.row(.config, "global/named")).revision
            try await rig.lose()
            // Past the writers: the stream ends behind everything again, and knows one document.
            let new = try await onThread { () throws -> Position in
                let document = ConfigAddress(.global, name: "new").document(value: Array("1".utf8))
                let change = ControlChange(ControlEvent(.config, .created, key: "global/new", document: document), expected: .none)
                guard case .appended(let positions) = try ControlLog(keys: rig.keys).append([change], RedisSession(rig.endpoint, name: "tests")) else {
                    throw LogError.unavailable("the change was not appended")
                }
                return positions[0]
            }
            #expect(new > last)
            let changed = try await two.writer.run(ControlRig.value("changed", "2"))
            #expect(!changed.isNew && changed.position > new)
            _ = try await one.writer.run(delete("gone"))
            do throws(ControlError) {
                _ = try await one.writer.run(ControlRig.value("named", "2", expected: .at(last)))
                Issue.record("it has another version")
            } catch {
                guard case .fault(.conflict(let row)) = error else { throw error }
                #expect(row?.revision == revision)
            }
            let end = try await two.writer.run(ControlRig.value("named", "2", expected: .at(revision))).position
            for member in rig.members {
                #expect(await member.follower.reached(end, within: .seconds(5)))
                let state = member.follower.state
                #expect(Set(state.rows(.config).keys) == ["global/changed", "global/named", "global/last", "global/new"])
                #expect(ControlRig.number(state.row(.config, "global/changed")) == 2 && ControlRig.number(state.row(.config, "global/named")) == 2)
                var versions = state.versions.mapValues(\.streamID)
                versions["-"] = end.streamID
                #expect(try rig.versions() == versions)
            }
        }
    }

    @Test("Ids go on behind what is known, although the clock is behind it, without anybody's change")
    func clockBehind() async throws {
        try await ControlRig.run { rig in
            let first = try await rig.members[0].writer.run(ControlRig.value("x", "1")).position
            let ahead = Position(ms: first.ms + 3_600_000, seq: 7)
            try await onThread { try LogReader(keys: rig.keys).moveOn(.control, to: ahead, RedisSession(rig.endpoint, name: "tests")) }
            let last = try await rig.members[0].writer.run(ControlRig.value("y", "1")).position
            #expect(last > ahead)
            #expect(await rig.members[1].follower.reached(last, within: .seconds(5)))
            try await rig.lose()
            #expect(await eventually { try LogReader(keys: rig.keys).bounds(.control, RedisSession(rig.endpoint, name: "tests")).last == last })
            try await rig.lose()
            let next = try await rig.members[1].writer.run(ControlRig.value("z", "1")).position
            #expect(next > last)
            #expect(await rig.members[0].follower.reached(next, within: .seconds(5)))
            #expect(ControlRig.number(rig.members[0].follower.state.row(.config, "global/z")) == 1)
        }
    }

    /// One value, at a position that no clock has come to, and other kinds that stand earlier.
    private static func loaded() -> (state: ControlState, revision: Position) {
        let address = ConfigAddress(.global, name: "x")
        let revision = Position(ms: 9_000_000_000_000, seq: 3)
        let event = ControlEvent(.config, .created, key: address.key, document: address.document(value: Array("1".utf8)))
        let row = ControlRow(event, at: revision, before: nil)
        let state = ControlState(loaded: [
            .config: (position: revision, rows: [address.key: row]), .webhook: (position: Position(ms: 5, seq: 0), rows: [:]),
        ])
        return (state, revision)
    }

    @Test("A start whose rows know more than the log can change and delete what they have") func start() async throws {
        let (state, revision) = ControlRecoveryTests.loaded()
        try await ControlRig.run(state: state) { rig in
            let changed = try await rig.members[0].writer.run(ControlRig.value("x", "2", expected: .at(revision)))
            #expect(changed.position > revision && ControlRig.number(changed.row) == 2)
            #expect(await rig.members[1].follower.reached(changed.position, within: .seconds(5)))
            let deleted = try await rig.members[1].writer.run(delete("x")).position
            #expect(await rig.members[0].follower.reached(deleted, within: .seconds(5)))
            #expect(rig.members[0].follower.state.rows(.config).isEmpty)
            #expect(try rig.versions() == ["-": deleted.streamID])
        }
    }

    @Test("Who lags behind the stream sets no versions, and a log that has everything needs none set") func whole() async throws {
        try await ControlRig.run(members: 1) { rig in
            let end = try await rig.members[0].writer.run(ControlRig.value("x", "1")).position
            let state = rig.members[0].follower.state
            let before = try rig.versions()
            let recovery = ControlRecovery(keys: rig.keys)
            let session = try RedisSession(rig.endpoint, name: "tests")
            #expect(try !recovery.run(ControlState(), session))
            #expect(try !recovery.isNeeded(state, session))
            #expect(try rig.versions() == before && before["-"] == end.streamID)
            // Versions alone are a fold of the stream, and no loss.
            try session.run("DEL", [rig.keys.controlVersions])
            #expect(try !recovery.isNeeded(state, session))
            try await rig.lose()
            #expect(await eventually { try !recovery.isNeeded(state, RedisSession(rig.endpoint, name: "tests")) }, "the follower has mended it")
            #expect(try rig.versions() == before)
        }
    }
}
