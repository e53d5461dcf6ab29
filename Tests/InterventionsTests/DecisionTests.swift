import Core
import Interventions
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("Decisions about held messages")
struct DecisionTests {
    private let ask = #"{"type":"hold","on_expiry":"block","approvers":["eve","adam"],"channel":"desk"}"#

    @Test("A verdict that holds opens its session in the same step, once, with what a person has to know") func opens() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask)
            let opening = try await rig.hold()
            let verdict = try #require(try await rig.decided(1).first).verdict
            #expect(verdict.outcome == .hold && verdict.rule == "ask")
            #expect(opening.kind == .approval && opening.topic == "a.b" && opening.source == "alice" && opening.rule == "ask" && opening.channel == "desk")
            #expect(opening.approvers == ["eve", "adam"] && opening.passed == ["ask"] && opening.expiresAt == nil && opening.onExpiry == .block)
            #expect(opening.digest.count == 64 && opening.digest == String(decoding: verdict.detail.digest, as: UTF8.self))
            #expect(try rig.events() == [.opened(opening)])
        }
    }

    @Test("An approved message goes on under its own id, byte for byte, and is not held by the same rule again") func approve() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask)
            let opening = try await rig.hold()
            let receipt = try await rig.desk.decide(try rig.command(opening))
            let released = try #require(receipt.closing.released)
            let all = try await rig.decided(2)
            #expect(all.map(\.position) == [opening.position, released] && all.map(\.verdict.outcome) == [.hold, .deliver])
            for field in MessageField.allCases where field != .event && field != .release {
                #expect(all[0].message.string(field) == all[1].message.string(field), "\(field)")
            }
            #expect(all[1].message.string(.event) == MessageEntry.released)
            #expect(
                Release(all[1].message.slice(.release)) == Release(.approve, session: opening.sessionID, origin: opening.position, by: "eve", passed: ["ask"]))
            #expect(
                try rig.closings == [
                    SessionClosing(opening.position, .decided(.approve, by: "eve", via: "test", comment: "why", digest: opening.digest), released: released)
                ])
            let again = await refusal { () throws(SessionRefusal) in
                try await rig.desk.decide(SessionCommand(id: opening.sessionID, decision: .deny, digest: opening.digest, by: "adam", via: "test"))
            }
            guard case .notOpen(let ending) = again else { return #expect(Bool(false), "\(String(describing: again))") }
            #expect(ending?.closing.released == released && ending?.position == receipt.position)
        }
    }

    @Test("A denied message goes nowhere, and its session is over") func deny() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask)
            let opening = try await rig.hold()
            #expect(try await rig.desk.decide(try rig.command(opening, .deny)).closing.released == nil)
            #expect(try rig.length(.messages) == 1)
            #expect(try rig.log.open([opening.sessionID], try rig.connect()) == [nil])
        }
    }

    @Test("An edited message has the given members and keeps the others; what breaks the rules of messages is named and decides nothing") func edit()
        async throws
    {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask)
            let opening = try await rig.hold(#"{"topic":"a.b","data":1,"source_subject_id":"alice","message_metadata":{"a": 1},"correlation_id":"c"}"#)
            for (changes, expected) in [
                (#"{"topic":"x"}"#, "/message/topic"), (#"{}"#, "/message"), (#"{"destination_subject_ids":"bob"}"#, "/message/destination_subject_ids"),
                (#"{"message_metadata":[]}"#, "/message/message_metadata"), (#"{"content_type":"text/plain"}"#, "/message/content_type"),
                (#"{"data":1,"data_base64":"AA=="}"#, "/message/data_base64"), (#"{"content_type":"text/plain","data":1}"#, "/message/data"),
            ] {
                let command = try rig.command(opening, .edit, changes: changes)
                guard case .refused(let refused) = await refusal({ () throws(SessionRefusal) in try await rig.desk.decide(command) }) else {
                    return #expect(Bool(false), "\(changes)")
                }
                #expect(refused.violations.first?.pointer == expected, "\(changes): \(refused.summary)")
            }
            let receipt = try await rig.desk.decide(
                try rig.command(opening, .edit, changes: #"{"data":{"x":  [1]},"destination_subject_ids":["desk"],"message_type":"note"}"#))
            let released = try #require(receipt.closing.released)
            let entry = try #require(try rig.entry(released))
            #expect(entry.string(.data) == #"{"x":  [1]}"# && entry.string(.destinations) == #"["desk"]"# && entry.string(.type) == "note")
            #expect(
                entry.string(.metadata) == #"{"a": 1}"# && entry.string(.correlationID) == "c" && entry.string(.principal) == "p"
                    && entry.string(.source) == "alice")
            #expect(Release(entry.slice(.release))?.decision == .edit)
            #expect(try await rig.decided(2).map(\.verdict.outcome) == [.hold, .deliver])
        }
    }

    @Test("An edit of a payload that is no JSON stays of its type") func editText() throws {
        var held = try Envelope.admit(
            Array(#"{"topic":"a","content_type":"text/plain","data":"old"}"#.utf8), arrival: Arrival(via: "http"), freshID: { MessageUUID(high: 1, low: 1) }
        ).entry
        held.set(.via, "nats")
        let text = try ReleasedMessage.edited(held, try JSONDocument(#"{"data":"new\nline"}"#).root)
        #expect(text.string(.data) == "new\nline" && text.string(.contentType) == "text/plain" && text.string(.via) == "nats")
        let bytes = try ReleasedMessage.edited(held, try JSONDocument(#"{"data_base64":"AAH/","content_type":"image/png"}"#).root)
        #expect(Array(bytes.slice(.data)) == [0, 1, 0xFF] && bytes.string(.contentType) == "image/png")
        let other = try ReleasedMessage.edited(held, try JSONDocument(#"{"message_type":"note"}"#).root)
        #expect(other.string(.data) == "old" && other.string(.contentType) == "text/plain" && other.string(.type) == "note")
    }

    @Test("Who names another digest, or is not among the approvers, decides nothing") func bound() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask)
            let opening = try await rig.hold()
            let wrong = try rig.command(opening, digest: String(repeating: "0", count: 64))
            guard case .otherDigest(opening.digest) = await refusal({ () throws(SessionRefusal) in try await rig.desk.decide(wrong) }) else {
                return #expect(Bool(false))
            }
            for name in ["mallory", ""] {
                let command = try rig.command(opening, by: name)
                guard case .notAnApprover(["eve", "adam"]) = await refusal({ () throws(SessionRefusal) in try await rig.desk.decide(command) }) else {
                    return #expect(Bool(false), "\(name)")
                }
            }
            // The log itself compares too: nobody gets past it by another way.
            let closing = SessionClosing(opening.position, .decided(.deny, by: "eve", via: "", comment: "", digest: "x"))
            #expect(try rig.log.end([(closing, "x", nil)], by: .person, try rig.connect()) == [.otherDigest(opening.digest)])
            #expect(try rig.log.end([(closing, opening.digest, nil)], by: .time, try rig.connect()) == [.notDue(nil)])
            #expect(try rig.events() == [.opened(opening)])
        }
    }

    @Test("Of many decisions at the same time exactly one is carried out", .timeLimit(.minutes(5))) func race() async throws {
        try await SessionRig.with { rig in
            try rig.constraint("ask", ask)
            let opening = try await rig.hold()
            let won = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        let command = SessionCommand(
                            id: opening.sessionID, decision: number % 3 == 0 ? .deny : .approve, digest: opening.digest, by: number % 2 == 0 ? "eve" : "adam",
                            via: "test")
                        return await refusal { () throws(SessionRefusal) in try await rig.desk.decide(command) } == nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(won == 1)
            let closing = try #require(try rig.closings.first)
            #expect(try rig.closings.count == 1)
            #expect(try rig.length(.messages) == (closing.released == nil ? 1 : 2))
        }
    }

    @Test("A released message meets the rules behind: a second hold opens a second session, a block blocks; nobody asks twice") func rulesBehind() async throws
    {
        try await SessionRig.with { rig in
            try rig.constraint("first", ask, priority: 30)
            try rig.constraint("second", ask, priority: 20)
            let opening = try await rig.hold()
            #expect(opening.rule == "first")
            let released = try #require(try await rig.desk.decide(try rig.command(opening)).closing.released)
            let next = try await rig.opened(released)
            #expect(next.rule == "second" && next.passed == ["first", "second"] && next.messageUUID == opening.messageUUID)
            try rig.constraint("never", #"{"type":"block"}"#, priority: 10)
            let last = try #require(try await rig.desk.decide(try rig.command(next)).closing.released)
            let all = try await rig.decided(3)
            #expect(all.map(\.position) == [opening.position, released, last])
            #expect(all.map(\.verdict.outcome) == [.hold, .hold, .block] && all.map(\.verdict.rule) == ["first", "second", "never"])
        }
    }
}
