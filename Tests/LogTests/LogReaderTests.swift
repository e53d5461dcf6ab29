import Core
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("LogReader")
struct LogReaderTests {
    private func read(_ rig: LogRig, _ session: RedisSession, pages: Int, bytes: Int = Limits.readBatchBytesTarget) throws -> [UInt64] {
        let reader = LogReader(keys: rig.keys)
        var out: [UInt64] = []
        var after = Position.zero
        while true {
            let page = try reader.decided(after: after, count: pages, bytes: bytes, session)
            guard let last = page.last else { return out }
            #expect(page.count <= pages)
            out += page.map(\.position.ms)
            after = last.position
        }
    }

    @Test("Messages come with their verdicts, in pages of any size, past buried ones", arguments: [1, 2, 3, 7, 100]) func join(_ page: Int) async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var numbers = SeededNumbers(UInt64(page))
            var decided: [UInt64] = []
            for index in 1...60 {
                let position = try rig.add("\(index)-0", to: session)
                if numbers.once(in: 3) { continue }
                try rig.decide(position, to: session)
                decided.append(UInt64(index))
            }
            #expect(try read(rig, session, pages: page) == decided)
        }
    }

    @Test("A gap of buried messages longer than a round trip is passed") func longGap() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...700 {
                let position = try rig.add("\(index)-0", to: session)
                if index == 1 || index > 690 { try rig.decide(position, to: session) }
            }
            #expect(try read(rig, session, pages: 5) == [1] + Array(691...700))
            #expect(try read(rig, session, pages: 1_000) == [1] + Array(691...700))
        }
    }

    @Test("What has not been decided is not there") func undecided() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...10 {
                let position = try rig.add("\(index)-0", to: session)
                if index <= 6 { try rig.decide(position, to: session) }
            }
            #expect(try read(rig, session, pages: 100) == Array(1...6))
            #expect(try LogReader(keys: rig.keys).decided(after: Position(ms: 6, seq: 0), count: 9, session).isEmpty)
            #expect(try LogReader(keys: rig.keys).decided(after: Position(ms: .max, seq: .max), count: 9, session).isEmpty)
        }
    }

    @Test("A page ends once it has the bytes asked for") func bytes() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let data = "\"" + String(repeating: "x", count: 50_000) + "\""
            for index in 1...400 { try rig.decide(try rig.add("\(index)-0", data: data, to: session), to: session) }
            let page = try LogReader(keys: rig.keys).decided(after: .zero, count: 400, bytes: 1_000_000, session)
            #expect(page.count < 400, "bounded by bytes and one round trip")
            #expect(try read(rig, session, pages: 400, bytes: 1_000_000) == Array(1...400))
        }
    }

    @Test("A message that is gone while its verdict stands is an error, not a silent gap") func gone() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...3 { try rig.decide(try rig.add("\(index)-0", to: session), to: session) }
            try session.run("XDEL", [rig.keys.stream(.messages), "2-0"])
            #expect(throws: RedisError.self) { try LogReader(keys: rig.keys).decided(after: .zero, count: 9, session) }
        }
    }

    @Test("Deliveries are read behind a position") func deliveries() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            var written: [DeliveryEntry] = []
            for index in 1...5 {
                let delivery = DeliveryEntry(
                    position: Position(ms: UInt64(index), seq: 0), messageUUID: MessageUUID(high: 1, low: UInt64(index)), target: "default",
                    subject: Array("a".utf8),
                    outcome: .stored, stream: "S", sequence: UInt64(index), ackTS: 5)
                var command = RESPWriter()
                command.begin(3 + 2 * DeliveryEntry.fieldNames.count)
                for value in ["XADD", rig.keys.stream(.deliveries), "\(index * 10)-0"] { command.argument(value) }
                for (name, value) in zip(DeliveryEntry.fieldNames, delivery.fieldValues) {
                    command.argument(name)
                    command.argument(value)
                }
                _ = try session.pipeline(command)
                written.append(delivery)
            }
            let read = try LogReader(keys: rig.keys).deliveries(after: Position(ms: 10, seq: 0), count: 3, session)
            #expect(read.map(\.delivery) == Array(written[1...3]))
            #expect(read.map(\.position.ms) == [20, 30, 40])
        }
    }

    @Test("Bounds and cursors of empty and missing streams are told") func bounds() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            let reader = LogReader(keys: rig.keys)
            #expect(try reader.bounds(.messages, session).first == nil)
            #expect(try reader.bounds(.messages, session).last == .zero)
            #expect(try reader.bounds(.operations, session).last == .zero)
            _ = try rig.add("5-1", to: session)
            _ = try rig.add("6-0", to: session)
            try session.run("XDEL", [rig.keys.stream(.messages), "6-0"])
            #expect(try reader.bounds(.messages, session).first == Position(ms: 5, seq: 1))
            #expect(try reader.bounds(.messages, session).last == Position(ms: 6, seq: 0))
            #expect(throws: RedisError.self) { try reader.cursor(.messages, group: .archive, session) }
            #expect(try reader.awaitEntry(.messages, after: .zero, wait: .milliseconds(1), session))
            #expect(try !reader.awaitEntry(.messages, after: Position(ms: 6, seq: 0), wait: .milliseconds(1), session))
        }
    }

    @Test("The inspector tells length, ends, groups and entries") func inspector() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            for index in 1...5 { _ = try rig.add("\(index)-0", topic: "t.\(index)", to: session) }
            try session.run("XREADGROUP", ["GROUP", "router", "r", "COUNT", "2", "STREAMS", rig.keys.stream(.messages), ">"])
            let inspector = StreamInspector(keys: rig.keys)
            let status = try inspector.status(.messages, session)
            #expect(status.length == 5)
            #expect(status.first == Position(ms: 1, seq: 0))
            #expect(status.last == Position(ms: 5, seq: 0))
            #expect(status.groups.map(\.name) == ["router"])
            #expect(status.groups[0].pending == 2)
            #expect(status.groups[0].lag == 3)
            #expect(try inspector.status(.operations, session).length == 0)
            let newest = try inspector.entries(.messages, from: "-", to: "+", count: 2, reverse: true, session)
            #expect(newest.map(\.position.ms) == [5, 4])
            #expect(try inspector.entries(.messages, from: "2", to: "3", count: 9, reverse: false, session).map(\.position.ms) == [2, 3])
            let topic = newest[0].fields.first { $0.name == Array("topic".utf8) }
            #expect(topic?.value == Array("t.5".utf8))
        }
    }
}
