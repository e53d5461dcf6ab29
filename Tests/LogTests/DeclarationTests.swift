import Core
import Foundation
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("Declarations")
struct DeclarationTests {
    private let catalog = Result { try StreamCatalog.load(Repository.root + "/streams") }

    @Test("Every stream and group of the code is declared, and no other") func names() throws {
        let catalog = try catalog.get()
        #expect(Set(catalog.streams.map(\.name)) == Set(StreamName.allCases.map(\.rawValue)))
        #expect(Set(catalog.streams.flatMap(\.groups)) == Set(GroupName.declared.map(\.rawValue)))
        #expect(catalog[.messages].groups == ["router"])
        #expect(Set(catalog[.verdicts].groups) == ["archive", "republish"])
        #expect(catalog[.deliveries].groups == ["delivery-archive"])
        for stream in catalog.streams {
            #expect(!stream.purpose.isEmpty)
            #expect(stream.attempts >= 1)
            #expect(
                (stream.retention.ageMs > 0) == (stream.name != "control"), "the control stream is kept for ever: everything that steers is a fold of all of it"
            )
            #expect(stream.claimAfter > .zero)
        }
    }

    @Test("Every event of the code is declared on its stream") func events() throws {
        let catalog = try catalog.get()
        #expect(catalog[.messages].events == [MessageEntry.accepted, MessageEntry.released])
        #expect(catalog[.verdicts].events == [VerdictEntry.event])
        #expect(catalog[.deliveries].events == [DeliveryEntry.event])
        #expect(catalog[.rejected].events == [RejectedEntry.event])
        #expect(catalog[.sessions].events == SessionEvent.types)
        #expect(Set(catalog.eventSchemas.keys) == Set(catalog.streams.flatMap(\.events)))
    }

    @Test(
        "Durations have a unit",
        arguments: [
            ("500ms", 500), ("5s", 5_000), ("30m", 1_800_000), ("24h", 86_400_000), ("7d", 604_800_000), ("0s", 0), ("", nil), ("5", nil), ("s", nil),
            ("-5s", nil),
            ("5 s", nil), ("5w", nil), ("1.5h", nil), ("99999999999999999999s", nil), ("5S", nil),
        ] as [(String, UInt64?)])
    func durations(_ text: String, _ ms: UInt64?) { #expect(StreamCatalog.duration(text) == ms) }

    @Test(
        "A broken declaration is named with its file",
        arguments: [
            ("partitions: 1", "partitions: 2", "partitions"), ("age: 7d", "age: 7 days", "durations"),
            ("attempts: 3", "attempts: 0", "attempts"),
            ("claim_after: 10s", "claim_after: soon", "durations"), ("entries: 5000000", "entries: -1", "entries"),
            ("groups: [router]", "groups: router", "messages.yaml"),
            ("name: messages", "name: mesages", "messages"), ("purpose: ", "purpos: ", "messages.yaml"),
            ("events: [message.accepted, message.released]", "events: [message.seen]", "message.seen"),
        ])
    func broken(_ from: String, _ to: String, _ named: String) async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.copyItem(atPath: Repository.root + "/streams", toPath: folder + "/streams")
            let file = folder + "/streams/messages.yaml"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.contains(from))
            try text.replacing(from, with: to).write(toFile: file, atomically: true, encoding: .utf8)
            do {
                _ = try StreamCatalog.load(folder + "/streams")
                Issue.record("it was taken")
            } catch {
                guard case LogError.declaration(let text) = error else { throw error }
                #expect(text.contains(named), "\(text)")
            }
        }
    }

    @Test("A folder without declarations says what to set") func noFolder() {
        #expect { try StreamCatalog.load("/nowhere") } throws: { "\($0)".contains("--home") }
    }

    @Test("Setting up twice changes nothing, and the check finds what is missing or too much") func setup() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            #expect(try rig.setup.check(session) == [])
            #expect(try rig.setup.apply(session) == [])
            try session.run("XGROUP", ["DESTROY", rig.keys.stream(.verdicts), "archive"])
            try session.run("XGROUP", ["CREATE", rig.keys.stream(.verdicts), "somebody", "0"])
            let faults = try rig.setup.check(session)
            #expect(faults.count == 2)
            #expect(faults.contains { $0.contains("'archive'") && $0.contains("missing") })
            #expect(faults.contains { $0.contains("'somebody'") && $0.contains("not declared") })
            #expect(try rig.setup.apply(session) == ["group archive on verdicts"])
        }
    }

    @Test("A router's group that was lost begins behind the last verdict, also when that has been trimmed; the others at the beginning")
    func lostRouterGroup() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for id in ["1-0", "2-0", "3-0"] { _ = try rig.add(id, to: session) }
            try rig.decide(Position(ms: 2, seq: 0), to: session)
            try session.run("XTRIM", [rig.keys.stream(.verdicts), "MAXLEN", "0"])
            try session.run("XGROUP", ["DESTROY", rig.keys.stream(.messages), "router"])
            try session.run("XGROUP", ["DESTROY", rig.keys.stream(.verdicts), "archive"])
            #expect(try rig.setup.apply(session) == ["group router on messages", "group archive on verdicts"])
            #expect(try LogReader(keys: rig.keys).cursor(.messages, group: .router, session) == Position(ms: 2, seq: 0))
            #expect(try LogReader(keys: rig.keys).cursor(.verdicts, group: .archive, session) == .zero)
        }
    }

    @Test("A group that is made later begins at the beginning") func lateGroup() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            _ = try rig.add("1-0", to: session)
            try session.run("XGROUP", ["DESTROY", rig.keys.stream(.messages), "router"])
            try rig.setup.apply(session)
            #expect(try LogReader(keys: rig.keys).cursor(.messages, group: .router, session) == .zero)
        }
    }
}
