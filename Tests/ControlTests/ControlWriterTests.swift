internal import Control
internal import Core
internal import Log
internal import RedisDriver
internal import TestSupport
internal import Testing

@Suite("Commands of the control plane", .serialized, .timeLimit(.minutes(5)))
struct ControlWriterTests {
    @Test("A change through one process is in force in the other within 100 ms of its acknowledgement")
    func propagation() async throws {
        try await ControlRig.run { rig in
            let clock = ContinuousClock()
            // The first change waits for the followers to have begun.
            _ = try await rig.members[0].writer.run(ControlRig.value("max_message_bytes", "1000"))
            #expect(await eventually { rig.members[1].live.state.table.integer(.messageBytesMax) == 1000 })
            var times: [Duration] = []
            for number in 2_000..<2_050 {
                let receipt = try await rig.members[number % 2].writer.run(ControlRig.value("max_message_bytes", "\(number)"))
                let acknowledged = clock.now
                #expect(rig.members[number % 2].live.state.table.integer(.messageBytesMax) == Int64(number), "its own process has it at once")
                #expect(await rig.members[(number + 1) % 2].follower.reached(receipt.position, within: .seconds(2)))
                times.append(clock.now - acknowledged)
                #expect(rig.members[(number + 1) % 2].live.state.table.integer(.messageBytesMax) == Int64(number))
            }
            // The median, since other tests share the machine; the slowest only says that none was forgotten.
            let sorted = times.sorted()
            #expect(sorted[sorted.count / 2] < .milliseconds(100) && sorted[sorted.count - 1] < .seconds(20), "\(sorted)")
        }
    }

    @Test("Writers in two processes that name versions lose no update, and each conflict carries the version there is")
    func expectedVersions() async throws {
        try await ControlRig.run { rig in
            _ = try await rig.members[0].writer.run(ControlRig.value("counter", "0"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        let member = rig.members[writer % 2]
                        for _ in 0..<10 { try await increment(member) }
                    }
                }
                try await group.waitForAll()
            }
            let last = try await rig.members[0].writer.run(ControlRig.value("done", "true")).position
            for member in rig.members {
                #expect(await member.follower.reached(last, within: .seconds(5)))
                #expect(ControlRig.number(member.follower.state.row(.config, "global/counter")) == 80)
            }
        }
    }

    /// Adds one to the counter: reads, writes if nobody was faster, and else begins again.
    private func increment(_ member: ControlRig.Member) async throws {
        while true {
            guard let row = member.follower.state.row(.config, "global/counter"), let value = ControlRig.number(row) else {
                // This process has not folded the first change yet.
                try await Task.sleep(for: .milliseconds(1))
                continue
            }
            do throws(ControlError) {
                _ = try await member.writer.run(ControlRig.value("counter", "\(value + 1)", expected: .at(row.revision)))
                return
            } catch {
                switch error {
                case .fault(.conflict(let current?)): #expect(current.revision > row.revision)
                // Overtaken again and again: nothing was changed either.
                case .contended: break
                default: throw error
                }
            }
        }
    }

    @Test("What is created in one process exists for the other, even before that has heard of it")
    func freshness() async throws {
        try await ControlRig.run { rig in
            for number in 0..<20 {
                let key = "b\(number)"
                let create = ControlCommand(.create(Array(#"{"system_id": "\#(key)"}"#.utf8)), .backbone, key, author: ControlRig.author)
                _ = try await rig.members[0].writer.run(create)
                do throws(ControlError) {
                    _ = try await rig.members[1].writer.run(create)
                    Issue.record("it was created twice")
                } catch {
                    guard case .fault(.conflict(let row)) = error else { throw error }
                    #expect(row?.principal == "ann")
                }
                _ = try await rig.members[1].writer.run(ControlCommand(.delete, .backbone, key, expected: .exists, author: ControlRig.author))
                do throws(ControlError) {
                    _ = try await rig.members[0].writer.run(ControlCommand(.patch(Array("{}".utf8)), .backbone, key, author: ControlRig.author))
                    Issue.record("it was deleted")
                } catch {
                    guard case .fault(.notFound) = error else { throw error }
                }
            }
        }
    }

    @Test("Versions that are lost, or that know nothing of what was appended by hand, are made anew: no update is lost and none is refused for good")
    func versionsAreAFold() async throws {
        try await ControlRig.run(members: 1) { rig in
            let writer = rig.members[0].writer
            func versions() throws -> [String: RedisValue] { try RedisSession(rig.endpoint, name: "tests").run("HGETALL", [rig.keys.controlVersions]).pairs }
            for number in 0..<1_200 { _ = try await writer.run(ControlRig.value("v\(number % 40)", "\(number)")) }
            let created = ControlCommand(.create(Array(#"{"system_id": "gone"}"#.utf8)), .backbone, "gone", author: ControlRig.author)
            _ = try await writer.run(created)
            _ = try await writer.run(ControlCommand(.delete, .backbone, "gone", expected: .exists, author: ControlRig.author))
            let before = try versions()
            #expect(before.count == 41, "forty values, and how far they have come")

            try await onThread { _ = try RedisSession(rig.endpoint, name: "tests").run("DEL", [rig.keys.controlVersions]) }
            let stale = try #require(rig.members[0].follower.state.row(.config, "global/v1")).created
            do throws(ControlError) {
                _ = try await writer.run(ControlRig.value("v1", "0", expected: .at(stale)))
                Issue.record("it was changed since")
            } catch {
                guard case .fault(.conflict) = error else { throw error }
            }
            let receipt = try await writer.run(ControlRig.value("v2", "7"))
            var after = before
            after["config/global/v2"] = .string(Array(receipt.position.streamID.utf8))
            after["-"] = .string(Array(receipt.position.streamID.utf8))
            #expect(try versions() == after)

            // By hand, past the function, as `redis-cli XADD` does it.
            let event = ControlEvent(.config, .updated, key: "global/v3", document: ConfigAddress(.global, name: "v3").document(value: Array("99".utf8)))
            let byHand = try await onThread {
                let fields = zip(ControlEvent.fieldNames, event.fieldValues).flatMap { ["\($0)", String(decoding: $1, as: UTF8.self)] }
                return try #require(try RedisSession(rig.endpoint, name: "tests").run("XADD", [rig.keys.stream(.control), "*"] + fields).text)
            }
            let position = try #require(Position(streamID: byHand))
            #expect(await rig.members[0].follower.reached(position, within: .seconds(5)))
            let row = try await writer.run(ControlRig.value("v3", "100", expected: .at(position))).row
            #expect(ControlRig.number(row) == 100)
        }
    }

    @Test("A restore is new events in one step, for the kinds that were asked, and a second one changes nothing")
    func restore() async throws {
        try await ControlRig.run { rig in
            let writer = rig.members[0].writer
            func backbone(_ key: String, _ name: String) async throws -> Position {
                try await writer.run(
                    ControlCommand(.put(Array(#"{"system_id": "\#(key)", "name": "\#(name)"}"#.utf8)), .backbone, key, author: ControlRig.author)
                ).position
            }
            _ = try await backbone("a", "one")
            let then = try await backbone("b", "one")
            _ = try await writer.run(ControlRig.value("kept", "1"))
            _ = try await backbone("a", "two")
            _ = try await backbone("c", "new")
            _ = try await writer.run(ControlCommand(.delete, .backbone, "b", author: ControlRig.author))
            let before = rig.members[0].follower.state.position

            let past = try await onThread {
                var state = ControlState()
                try ControlReader(keys: rig.keys).fold(into: &state, through: then, RedisSession(rig.endpoint, name: "tests"))
                return state
            }
            #expect(past.position == then)
            let positions = try await writer.restore([.backbone], to: past, author: ControlRig.author)
            #expect(positions.count == 3 && positions.allSatisfy { $0 > before })
            let state = rig.members[0].follower.state
            #expect(state.rows(.backbone).mapValues(\.document) == past.rows(.backbone).mapValues(\.document))
            #expect(state.row(.config, "global/kept") != nil)
            #expect(try await writer.restore([.backbone], to: past, author: ControlRig.author).isEmpty)
            // The log tells all of it, so a fold from the beginning gives what the follower has.
            let again = try await onThread {
                var state = ControlState()
                try ControlReader(keys: rig.keys).fold(into: &state, RedisSession(rig.endpoint, name: "tests"))
                return state
            }
            for kind in ControlKind.allCases { #expect(again.rows(kind) == state.rows(kind)) }
        }
    }

    @Test("An entry that is no event is passed over, and what comes behind it is folded")
    func strangers() async throws {
        try await ControlRig.run(members: 1) { rig in
            _ = try await onThread {
                try RedisSession(rig.endpoint, name: "tests").run("XADD", [rig.keys.stream(.control), "*", "event", "backbone.exploded", "v", "1"])
            }
            let receipt = try await rig.members[0].writer.run(ControlRig.value("x", "1"))
            #expect(await rig.members[0].follower.reached(receipt.position, within: .seconds(2)))
            #expect(rig.members[0].follower.state.faults == 1)
            #expect(ControlRig.number(rig.members[0].follower.state.row(.config, "global/x")) == 1)
        }
    }
}
