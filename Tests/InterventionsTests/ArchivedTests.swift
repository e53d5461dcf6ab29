import Core
import Interventions
import Log
import PostgreSQLDriver
import Projections
import RedisDriver
import Replay
import TestSupport
import Testing

@Suite("Held messages beyond the log")
struct ArchivedTests {
    private let text =
        #"{"topic":"a.b","data":{"ž": 1.50,  "n":[1]},"source_subject_id":"alice","destination_subject_ids": [ "bob",  "c\u00e9l" ],"origin_ts":1767225600000001,"message_metadata":{"a":  1}}"#

    private func archive(_ rig: SessionRig, _ messages: [DecidedMessage]) async throws {
        let url = rig.url
        try await onThread {
            let session = try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests")
            _ = try ArchiveSink<DecidedMessage>(session: session, name: "archive", partition: 0).write(messages)
        }
        for stream in [StreamName.messages, .verdicts] { try rig.connect().run("XTRIM", [rig.keys.stream(stream), "MAXLEN", "0"]) }
    }

    @Test("What the log has let go is released from the archive, by a person and by the clock", .timeLimit(.minutes(5))) func released() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", #"{"type":"hold"}"#, topics: "a.*")
            try rig.constraint("soon", #"{"type":"hold","timeout_ms":300,"on_expiry":"deliver"}"#, topics: "soon.*")
            let asked = try await rig.hold(text)
            let soon = try await rig.hold(text.replacing("a.b", with: "soon.b"))
            let held = try await rig.decided(2)
            try await archive(rig, held)
            let released = try #require(try await rig.desk.decide(try rig.command(asked)).closing.released)
            try await rig.withClock { #expect(await eventually { try rig.closings.count == 2 }) }
            let later = try #require(try rig.closings.last { $0.session == soon.position }?.released)
            for (original, position) in zip(held, [released, later]) {
                let entry = try #require(try rig.entry(position))
                for field in MessageField.allCases where ![.event, .release, .destinations].contains(field) {
                    #expect(entry.string(field) == original.message.string(field), "\(field)")
                }
                #expect(entry.destinationNames == ["bob", "cél"])
            }
        }
    }

    @Test("What PostgreSQL refuses of a message that no door wrote is archived beside its columns, so it is released as it was", .timeLimit(.minutes(5)))
    func refused() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", #"{"type":"hold"}"#, topics: "a.*")
            try rig.constraint("soon", #"{"type":"hold","timeout_ms":300,"on_expiry":"deliver"}"#, topics: "soon.*")
            let session = try rig.connect()
            // No JSON, text with NUL, a time that no column takes: each by itself, with a sound one in between, and all at once.
            let faults = [
                ["message_data", "{not json"], ["message_metadata", #"{"a":"#], [], ["principal", "nul\0here"], ["origin_ts", "-9223372036854775807"],
                ["message_data", "{not json", "message_metadata", "no\0ne", "principal", "nul\0here", "origin_ts", "-9223372036854775807"],
            ]
            var positions: [Position] = []
            for (number, topic) in ["a.b", "soon.b"].flatMap({ Array(repeating: $0, count: faults.count) }).enumerated() {
                let fault = faults[number % faults.count]
                let fields = fault.contains("message_data") ? fault : fault + ["message_data", #"{"n": 1}"#]
                let id = try session.run(
                    "XADD",
                    [
                        rig.keys.stream(.messages), "*", "event", "message.accepted", "v", "1", "message_uuid",
                        MessageUUID(high: 7, low: UInt64(number)).description,
                    ]
                        + ["topic", topic, "content_type", "application/json", "via", "by hand"] + fields)
                positions.append(try #require(id.text.flatMap { Position(streamID: $0) }))
            }
            var openings: [SessionOpening] = []
            for position in positions { openings.append(try await rig.opened(position)) }
            let held = try await rig.decided(positions.count)
            try await archive(rig, held)
            var released: [Position] = []
            for opening in openings.prefix(faults.count) { released.append(try #require(try await rig.desk.decide(try rig.command(opening)).closing.released)) }
            try await rig.withClock { #expect(await eventually { try rig.closings.count == positions.count }) }
            for opening in openings.suffix(faults.count) { released.append(try #require(try rig.closings.first { $0.session == opening.position }?.released)) }
            for (original, position) in zip(held, released) {
                let entry = try #require(try rig.entry(position))
                for field in MessageField.allCases where ![.event, .release].contains(field) {
                    #expect(entry.string(field) == original.message.string(field), "\(field)")
                }
            }
        }
    }

    @Test("What the archive has at that place is not what was held: it is not released, and a rule that would deliver says so", .timeLimit(.minutes(5)))
    func forged() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", #"{"type":"hold"}"#, topics: "a.*")
            try rig.constraint("soon", #"{"type":"hold","timeout_ms":300,"on_expiry":"deliver"}"#, topics: "soon.*")
            let asked = try await rig.hold(text)
            let soon = try await rig.hold(text.replacing("a.b", with: "soon.b"))
            let forged = try await rig.decided(2).map { one in
                var message = one.message
                message.set(.data, #"{"other":1}"#)
                return DecidedMessage(position: one.position, message: message, verdict: one.verdict)
            }
            try await archive(rig, forged)
            let command = try rig.command(asked)
            guard case .unreleasable(let why) = await refusal({ () throws(SessionRefusal) in try await rig.desk.decide(command) }) else {
                return #expect(Bool(false))
            }
            #expect(why.contains("not what was held"))
            try await rig.withClock { #expect(await eventually { try rig.closings.count == 1 }) }
            guard case .expired(.block, let reason)? = try rig.closings.first?.cause else { return #expect(Bool(false)) }
            #expect(try rig.closings.first?.session == soon.position && reason.contains("not what was held"))
            #expect(try rig.length(.messages) == 0)
            _ = try await rig.desk.decide(try rig.command(asked, .deny))
        }
    }

    @Test("An opening is not trimmed for as long as its session is open") func trimming() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", #"{"type":"hold"}"#)
            let first = try await rig.hold(#"{"topic":"a.a"}"#)
            // Ids of one millisecond would not tell which entry came first.
            let opened = try LogReader(keys: rig.keys).bounds(.sessions, try rig.connect()).last
            #expect(await eventually { try rig.log.due(count: 1, try rig.connect()).now > opened.microseconds + 1_000 })
            let second = try await rig.hold(#"{"topic":"a.b"}"#)
            _ = try await rig.desk.decide(try rig.command(first, .deny))
            let session = try rig.connect()
            #expect(try Trimmer.trim(.sessions, oldestMs: .max / 2, entries: 0, keys: rig.keys, session) == 1)
            #expect(try rig.events().first == .opened(second))
            _ = try await rig.desk.decide(try rig.command(second, .deny))
            #expect(try Trimmer.trim(.sessions, oldestMs: .max / 2, entries: 0, keys: rig.keys, session) == 3)
        }
    }

    @Test("Rows of the projection are the fold of the stream: every status, who and when, and where the message went on", .timeLimit(.minutes(5)))
    func rows() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", #"{"type":"hold","approvers":["eve"],"channel":"desk"}"#, topics: "a.*")
            try rig.constraint("soon", #"{"type":"hold","timeout_ms":200}"#, topics: "soon.*")
            try rig.constraint("pace", #"{"type":"limit","rate":1,"period_ms":300,"burst":1,"over":"delay","delay_max_ms":60000}"#, topics: "pace.*")
            var openings: [SessionOpening] = []
            for topic in ["a.pending", "a.approved", "a.edited", "a.denied", "soon.expired"] { openings.append(try await rig.hold(#"{"topic":"\#(topic)"}"#)) }
            try rig.send(#"{"topic":"pace.first"}"#)
            openings.append(try await rig.hold(#"{"topic":"pace.released"}"#))
            _ = try await rig.desk.decide(try rig.command(openings[1]))
            _ = try await rig.desk.decide(try rig.command(openings[2], .edit, changes: #"{"data":2}"#))
            _ = try await rig.desk.decide(try rig.command(openings[3], .deny))
            try await rig.withClock { #expect(await eventually { try rig.closings.count == 5 }) }
            let runtime = ProjectionHost(SessionsProjection())
            let place = rig.place
            let task = Task { await runtime.materialize(place) }
            let url = rig.url
            func statuses() async throws -> [String] {
                try await onThread {
                    let answer = try PostgreSQLSession(conninfo: url, applicationName: "meshlog tests").query(
                        "SELECT topic, status, decided_by, released IS NOT NULL, row FROM projections.sessions ORDER BY opened_at, key")
                    return (0..<answer.rowCount).map { row in
                        let json = answer.bytes(row, 4) ?? []
                        // What is read back is written as the same bytes.
                        #expect(SessionRow(json: json)?.json == json)
                        return "\(answer.string(row, 0) ?? "") \(answer.string(row, 1) ?? "") \(answer.string(row, 2) ?? "-") \(answer.bool(row, 3) ?? false)"
                    }
                }
            }
            let expected = [
                "a.pending pending - false", "a.approved approved eve true", "a.edited edited eve true", "a.denied denied eve false",
                "soon.expired expired - false",
                "pace.released released - true",
            ]
            #expect(await eventually(within: .seconds(20)) { try await statuses() == expected })
            let proof = try await onThread { try runtime.verify(place) { _ in } }
            #expect(proof.isEqual, "\(proof)")
            task.cancel()
            await task.value
        }
    }
}
