import Core
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("GroupConsumer")
struct GroupConsumerTests {
    private func consumer(_ rig: LogRig, _ name: String) -> GroupConsumer {
        GroupConsumer(stream: rig.keys.stream(.messages), group: GroupName.router.rawValue, consumer: name, attemptsMax: 3)
    }

    private func words(_ items: [GroupConsumer.Item]) -> [String] {
        items.map { item in
            switch item {
            case .entry(let position, _): "entry \(position.streamID)"
            case .unreadable(let position, _, _): "unreadable \(position.streamID)"
            case .spent(let position, let attempts, _): "spent \(position.streamID) after \(attempts)"
            }
        }
    }

    /// Takes over everything that is pending, as a new process would.
    private func takeOver(_ rig: LogRig, _ name: String, _ session: RedisSession) throws -> [String] {
        var consumer = consumer(rig, name)
        return words(try consumer.read(session, count: 100, wait: .milliseconds(1)))
    }

    @Test("New entries come once, in order, as many as asked for") func new() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...5 { _ = try rig.add("\(index)-0", to: session) }
            var reader = consumer(rig, "one")
            #expect(try words(reader.read(session, count: 2, wait: .milliseconds(1))) == ["entry 1-0", "entry 2-0"])
            #expect(try words(reader.read(session, count: 9, wait: .milliseconds(1))) == ["entry 3-0", "entry 4-0", "entry 5-0"])
            #expect(try words(reader.read(session, count: 9, wait: .milliseconds(1))) == [])
        }
    }

    @Test("What a dead consumer left comes first, in order, and what it acknowledged does not") func takeover() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...4 { _ = try rig.add("\(index)-0", to: session) }
            var dead = consumer(rig, "dead")
            _ = try dead.read(session, count: 3, wait: .milliseconds(1))
            try session.run("XACK", [rig.keys.stream(.messages), "router", "2-0"])
            var heir = consumer(rig, "heir")
            #expect(try words(heir.read(session, count: 9, wait: .milliseconds(1))) == ["entry 1-0", "entry 3-0"])
            try session.run("XACK", [rig.keys.stream(.messages), "router", "1-0", "3-0"])
            #expect(try words(heir.read(session, count: 9, wait: .milliseconds(1))) == ["entry 4-0"])
        }
    }

    @Test("Before anything is known of their size few entries are read, then as many as have about the bytes aimed at") func bytes()
        async throws
    {
        try await LogRig.with { rig in
            let session = try rig.connect()
            func add(_ count: Int, bytes: Int) throws {
                let data = "\"" + String(repeating: "x", count: bytes) + "\""
                for _ in 0..<count { _ = try rig.add(data: data, to: session) }
            }
            var reader = consumer(rig, "one")
            func read() throws -> Int { try reader.read(session, count: 256, wait: .milliseconds(1)).count }
            try add(300, bytes: 10)
            #expect(try [read(), read(), read()] == [Limits.readBatchMin, 256, 300 - 256 - Limits.readBatchMin])
            try add(1, bytes: 300_000)
            #expect(try read() == 1)
            try add(100, bytes: 300_000)
            let first = try read()
            #expect(first < 60 && first * 300_000 > Limits.readBatchBytesTarget / 2, "\(first)")
            #expect(try first + read() == 100)
        }
    }

    @Test("A long backlog of a dead consumer comes in parts") func longBacklog() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...25 { _ = try rig.add("\(index)-0", to: session) }
            var dead = consumer(rig, "dead")
            _ = try dead.read(session, count: 25, wait: .milliseconds(1))
            var heir = consumer(rig, "heir")
            var seen: [String] = []
            for _ in 0..<4 {
                let items = try heir.read(session, count: 10, wait: .milliseconds(1))
                seen += words(items)
                let ids = items.map { item in if case .entry(let position, _) = item { position.streamID } else { "" } }
                if !ids.isEmpty { try session.run("XACK", [rig.keys.stream(.messages), "router"] + ids) }
            }
            #expect(seen == (1...25).map { "entry \($0)-0" })
        }
    }

    @Test("An entry claimed three times is buried, and nobody reads it a fourth time") func burial() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let position = try rig.add("7-0", to: session)
            #expect(try takeOver(rig, "first", session) == ["entry 7-0"])
            #expect(try takeOver(rig, "second", session) == ["entry 7-0"])
            #expect(try takeOver(rig, "third", session) == ["entry 7-0"])
            #expect(try takeOver(rig, "fourth", session) == ["spent 7-0 after 3"])
            var lease = Lease(name: "router", instance: "fourth", ttl: .seconds(9), keys: rig.keys)
            guard case .held(let epoch) = try lease.renew(session) else { return }
            let entry = RejectedEntry(door: "router", reason: "spent", bytes: [1, 2], position: position, attempts: 3)
            try entry.bury(session, keys: rig.keys, stream: .messages, group: .router, lease: lease.key, epoch: epoch)
            #expect(try takeOver(rig, "fifth", session) == [])
            #expect(try rig.pending(.messages, .router) == 0)
            let kept = try rig.entries(.rejected)
            #expect(kept.count == 1)
            #expect(kept[0].fields["position"]?.text == "0-7-0")
            #expect(kept[0].fields["attempts"]?.text == "3")
            // A repeat of the burial finds nothing to bury.
            try entry.bury(session, keys: rig.keys, stream: .messages, group: .router, lease: lease.key, epoch: epoch)
            #expect(try rig.length(.rejected) == 1)
        }
    }

    @Test("On its last attempt an entry comes alone, so that only the deadly one is spent") func lastAttemptAlone() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...3 { _ = try rig.add("\(index)-0", to: session) }
            _ = try takeOver(rig, "first", session)
            #expect(try takeOver(rig, "second", session) == ["entry 1-0", "entry 2-0", "entry 3-0"])
            var third = consumer(rig, "third")
            // Entry 2 kills its reader.
            #expect(try words(third.read(session, count: 9, wait: .milliseconds(1))) == ["entry 1-0"])
            try session.run("XACK", [rig.keys.stream(.messages), "router", "1-0"])
            #expect(try words(third.read(session, count: 9, wait: .milliseconds(1))) == ["entry 2-0"])
            var fourth = consumer(rig, "fourth")
            #expect(try words(fourth.read(session, count: 9, wait: .milliseconds(1))) == ["spent 2-0 after 3"])
            try session.run("XACK", [rig.keys.stream(.messages), "router", "2-0"])
            #expect(try words(fourth.read(session, count: 9, wait: .milliseconds(1))) == ["entry 3-0"])
        }
    }

    @Test("Errors of a living process do not use up attempts, however many") func livingErrors() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...2 { _ = try rig.add("\(index)-0", to: session) }
            var reader = consumer(rig, "one")
            #expect(try words(reader.read(session, count: 9, wait: .milliseconds(1))).count == 2)
            for _ in 0..<10 {
                reader.startOver(countingDeliveries: false)
                let items = try words(reader.read(session, count: 9, wait: .milliseconds(1)))
                #expect(items.first == "entry 1-0")
            }
        }
    }

    @Test("An entry that is no message is given out as unreadable, with its fields") func unreadable() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            try session.run("XADD", [rig.keys.stream(.messages), "1-0", "hello", "world"])
            _ = try rig.add("2-0", topic: "fine", to: session)
            _ = try rig.add("3-0", topic: "wild", to: session)
            try session.run("XADD", [rig.keys.stream(.messages), "4-0"] + MessageField.allCases.flatMap { [$0.name.description, "x"] })
            var reader = consumer(rig, "one")
            let items = try reader.read(session, count: 9, wait: .milliseconds(1))
            #expect(words(items) == ["unreadable 1-0", "entry 2-0", "entry 3-0", "unreadable 4-0"])
            guard case .unreadable(_, let cause, let bytes) = items[0] else { return }
            #expect(!cause.isEmpty)
            #expect(String(decoding: bytes, as: UTF8.self) == "hello=world\n")
        }
    }

    @Test("Fields in another order, and fields more than known, are read") func otherOrder() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let entry = try admitted(#"{"topic":"a.b","data":[1]}"#).entry
            let fields = MessageField.allCases.reversed().flatMap { [$0.name.description, entry.string($0)] }
            try session.run("XADD", [rig.keys.stream(.messages), "1-0", "later", "x"] + fields)
            var reader = consumer(rig, "one")
            guard case .entry(_, let read)? = try reader.read(session, count: 9, wait: .milliseconds(1)).first else {
                Issue.record("not readable")
                return
            }
            for field in MessageField.allCases { #expect(read.string(field) == entry.string(field)) }
        }
    }

    @Test("Entries that somebody deleted while they were pending do not stop the reader") func deleted() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...3 { _ = try rig.add("\(index)-0", to: session) }
            _ = try takeOver(rig, "dead", session)
            try session.run("XDEL", [rig.keys.stream(.messages), "1-0", "2-0", "3-0"])
            _ = try rig.add("4-0", to: session)
            var heir = consumer(rig, "heir")
            var seen: [String] = []
            for _ in 0..<4 { seen += try words(heir.read(session, count: 9, wait: .milliseconds(1))) }
            #expect(seen == ["entry 4-0"])
        }
    }

    @Test("Without its group a reader gets an error, not silence") func noGroup() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            try session.run("XGROUP", ["DESTROY", rig.keys.stream(.messages), "router"])
            var reader = consumer(rig, "one")
            #expect(throws: RedisError.self) { try reader.read(session, count: 9, wait: .milliseconds(1)) }
        }
    }
}
