import Core
import Log
import RedisDriver
import Stack
import Synchronization
import TestSupport
import Testing

@Suite("Appender")
struct AppenderTests {
    private let id = "19164b3d-b1cb-5c74-9a4d-5f5a32443ff5"

    @Test("A message stands in the log with every field that has a value, in order, and its payload's bytes") func fields() async throws {
        try await LogRig.with { rig in
            let message = try admitted(#"{"topic":"a.b","message_uuid":"\#(id)","data":{"a" : "é\u0000"},"source_subject_id":"ann"}"#)
            let outcome = try await rig.withAppender { try await $0.append([message]) }
            let entries = try rig.entries(.messages)
            #expect(entries.map(\.id) == [outcome.first?.position?.streamID])
            for field in MessageField.allCases {
                let isLeftOut = field.isOptional && message.entry.count(field) == 0
                #expect(entries[0].fields[field.name.description] == (isLeftOut ? nil : .string(Array(message.entry.slice(field)))))
            }
            let raw = try rig.connect().run("XRANGE", [rig.keys.stream(.messages), "-", "+"]).array?[0].array?[1].array?.compactMap(\.text) ?? []
            #expect(
                stride(from: 0, to: raw.count, by: 2).map { raw[$0] }
                    == MessageField.allCases.filter { !$0.isOptional || $0 == .source }.map(\.name.description))
        }
    }

    @Test("A repeat of an id answers the first position, another content is refused, and neither writes") func dedupe() async throws {
        try await LogRig.with { rig in
            try await rig.withAppender { appender in
                let first = try await appender.append([try admitted(#"{"topic":"a","message_uuid":"\#(id)","data":1}"#)])[0]
                let again = try await appender.append([try admitted(#"{"data":1, "message_uuid":"\#(id.uppercased())", "topic":"a"}"#)])[0]
                #expect([first.word, again.word] == ["appended", "duplicate"])
                #expect(first.position == again.position)
                let others = [
                    #""topic":"a","data":2"#, #""topic":"b","data":1"#, #""topic":"a","data":1,"message_type":"t""#,
                    #""topic":"a","data":1,"message_metadata":{}"#,
                    #""topic":"a","data": 1.0"#, #""topic":"a","data":1,"origin_ts":1769860800"#, #""topic":"a","data":1,"destination_subject_ids":[]"#,
                ]
                for other in others {
                    let outcome = try await appender.append([try admitted(#"{"message_uuid":"\#(id)",\#(other)}"#)])[0]
                    #expect(outcome.word == "conflict", "\(other)")
                    #expect(outcome.position == first.position)
                }
            }
            #expect(try rig.length(.messages) == 1)
        }
    }

    @Test("Repeats inside one batch are recognised too, in order") func dedupeInBatch() async throws {
        try await LogRig.with { rig in
            let message = try admitted(#"{"topic":"a","message_uuid":"\#(id)","data":1}"#)
            let other = try admitted(#"{"topic":"a","message_uuid":"\#(id)","data":2}"#)
            let outcomes = try await rig.withAppender { try await $0.append([message, message, other, message]) }
            #expect(outcomes.map(\.word) == ["appended", "duplicate", "conflict", "duplicate"])
            #expect(Set(outcomes.map(\.position)).count == 1)
        }
    }

    @Test("Of many concurrent repeats one is appended, all get its position") func race() async throws {
        try await LogRig.with { rig in
            try await rig.withAppender { one in
                try await rig.withAppender { other in
                    let outcomes = try await withThrowingTaskGroup(of: AppendOutcome.self) { group in
                        for index in 0..<60 {
                            group.addTask {
                                let message = try admitted(#"{"topic":"a","message_uuid":"19164b3d-b1cb-5c74-9a4d-5f5a32443ff5","data":1}"#)
                                return try await (index % 2 == 0 ? one : other).append([message])[0]
                            }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(outcomes.filter { $0.word == "appended" }.count == 1)
                    #expect(outcomes.filter { $0.word == "duplicate" }.count == 59)
                    #expect(Set(outcomes.map(\.position)).count == 1)
                }
            }
        }
    }

    @Test("A second name is bound like the first: with the same message a repeat, with another a conflict") func secondName() async throws {
        func message(_ uuid: String?, _ name: String, _ data: Int) throws -> AdmittedMessage {
            var message = try admitted(#"{"topic":"a",\#(uuid.map { #""message_uuid":"\#($0)","# } ?? "")"data":\#(data)}"#)
            message.recognise(by: Array(name.utf8), digest: ContentDigest.sha256)
            return message
        }
        try await LogRig.with { rig in
            try await rig.withAppender { appender in
                let nameless = try await appender.append([
                    message(nil, "key:1", 1), message(nil, "key:1", 1), message(nil, "key:1", 2), message(nil, "key:2", 1),
                ])
                #expect(nameless.map(\.word) == ["appended", "duplicate", "conflict", "appended"])
                let other = "29164b3d-b1cb-5c74-9a4d-5f5a32443ff5"
                let named = try await appender.append([message(id, "key:3", 1), message(id, "key:3", 1), message(other, "key:3", 1), message(id, "key:4", 1)])
                #expect(named.map(\.word) == ["appended", "duplicate", "conflict", "duplicate"])
            }
            #expect(try rig.length(.messages) == 3)
        }
    }

    @Test("Behind the window an id may be used again") func window() async throws {
        try await LogRig.with { rig in
            try await rig.withAppender(windowMs: 300) { appender in
                let first = try await appender.append([try admitted(#"{"topic":"a","message_uuid":"\#(id)"}"#)])[0]
                #expect(first.word == "appended")
                #expect(await eventually { try await appender.append([try admitted(#"{"topic":"b","message_uuid":"\#(id)"}"#)])[0].word == "appended" })
            }
            #expect(try rig.length(.messages) == 2)
        }
    }

    @Test("Concurrent submissions share commits; each sink's answers keep its order, every ticket is answered once") func groupCommit() async throws {
        final class Ticket: Sendable {}
        let metrics = Metrics()
        let (sinks, calls, size) = (8, 60, 5)
        try await LogRig.with { rig in
            let answers = (0..<sinks).map { _ in Answers() }
            try await rig.withAppender(metrics: metrics) { appender in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (number, sink) in answers.enumerated() {
                        group.addTask {
                            for call in 0..<calls {
                                var batch = appender.batch()
                                for index in 0..<size { batch.add(try admitted(#"{"topic":"s.\#(number)","data":\#(call * size + index)}"#)) }
                                try appender.submit(batch, to: sink, ticket: Ticket(), firstTag: call * size)
                                if call % 7 == 0 { await Task.yield() }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(await eventually { answers.allSatisfy { $0.all.count == calls * size } })
            }
            var seen: Set<Position> = []
            for sink in answers {
                #expect(sink.tags == Array(0..<(calls * size)))
                let positions = sink.all.compactMap(\.outcome.position)
                #expect(positions == positions.sorted())
                seen.formUnion(positions)
            }
            #expect(seen.count == sinks * calls * size)
            let entries = try rig.entries(.messages)
            #expect(entries.count == sinks * calls * size)
            for number in 0..<sinks {
                let own = entries.filter { $0.fields["topic"]?.text == "s.\(number)" }.compactMap { $0.fields["message_data"]?.int }
                #expect(own == Array(0..<(calls * size)), "the log keeps the order in which one sink submitted")
            }
            let commits = metrics.sizes("meshlog_append_batch_entries", help: "").snapshot
            #expect(commits.sum == sinks * calls * size)
            #expect(commits.total < sinks * calls, "\(commits.total) commits for \(sinks * calls) submissions")
        }
    }

    @Test("Redis reads a long pipeline in long pieces, so that one sync covers many entries; the answers fit all the same") func wideReads()
        async throws
    {
        try await LogRig.withOwnRedis { _, rig in
            let session = try rig.connect()
            try await rig.withAppender { appender in
                let single = try await appender.append([try admitted(#"{"topic":"a","data":-1}"#)])
                #expect(single.map(\.word) == ["appended"])
                let narrow = try readRoom(session)
                #expect(narrow < 64 << 10)
                var wide = 0
                // Redis takes the room back from who does not use it for a second, which is not long where other tests hold the threads.
                let end = ContinuousClock.now + .seconds(60)
                while wide <= 512 << 10, ContinuousClock.now < end {
                    let messages = try (0..<1_000).map { try admitted(#"{"topic":"a","data":\#($0)}"#) }
                    let outcomes = try await appender.append(messages)
                    wide = try readRoom(session)
                    let entries = try rig.entries(.messages).suffix(1_000)
                    #expect(entries.map(\.id) == outcomes.map { $0.position?.streamID })
                    #expect(entries.compactMap { $0.fields["message_data"]?.int } == Array(0..<1_000))
                }
                #expect(wide > 512 << 10)
            }
        }
    }

    /// What Redis keeps free for the next read of the appender's connection, in bytes.
    private func readRoom(_ session: RedisSession) throws -> Int {
        let clients = try #require(try session.run("CLIENT", ["LIST"]).text)
        let line = try #require(clients.split(separator: "\n").first { $0.contains("name=meshlog-append ") })
        return try #require(line.split(separator: " ").first { $0.hasPrefix("qbuf-free=") }.flatMap { Int($0.dropFirst("qbuf-free=".count)) })
    }

    @Test("At the bound of entries a submission is refused and leaves nothing behind") func countBound() async throws {
        try await LogRig.with { rig in
            let appender = Appender(endpoint: rig.endpoint, setup: rig.setup, codec: rig.codec(), metrics: Metrics())
            let sink = Answers()
            var (one, all) = (appender.batch(), appender.batch())
            one.add(try admitted(#"{"topic":"a"}"#))
            for _ in 0..<Limits.appendQueueMax { all.add(try admitted(#"{"topic":"a"}"#)) }
            try appender.submit(all, to: sink, ticket: sink)
            for _ in 0..<3 {
                do {
                    try appender.submit(one, to: sink, ticket: sink)
                    Issue.record("it was taken in")
                } catch {
                    guard case LogError.overloaded = error else { throw error }
                }
            }
            // Nobody serves this appender: what it holds goes with it.
            #expect(try rig.length(.messages) == 0)
        }
    }

    @Test("At the bound of bytes a submission is refused; what was taken in before is appended") func bytesBound() async throws {
        try await LogRig.with { rig in
            let appender = Appender(endpoint: rig.endpoint, setup: rig.setup, codec: rig.codec(), metrics: Metrics())
            let sink = Answers()
            var one = appender.batch()
            one.add(try admitted(#"{"topic":"a","data":"\#(String(repeating: "x", count: 1_000_000))"}"#))
            var taken = 0
            while taken < 1_000 {
                do { try appender.submit(one, to: sink, ticket: sink, firstTag: taken) } catch {
                    guard case LogError.overloaded = error else { throw error }
                    break
                }
                taken += 1
            }
            #expect((100...134).contains(taken))
            let service = Task { await appender.run() }
            #expect(await eventually(within: .seconds(30)) { sink.all.count == taken })
            // There is room again.
            try appender.submit(one, to: sink, ticket: sink, firstTag: taken)
            #expect(await eventually { sink.all.count == taken + 1 })
            service.cancel()
            await service.value
            #expect(sink.tags == Array(0...taken))
            #expect(sink.all.allSatisfy { $0.outcome.word == "appended" })
            #expect(try rig.length(.messages) == taken + 1)
        }
    }

    @Test("Shutdown answers what was submitted before, and refuses what comes after") func shutdown() async throws {
        try await LogRig.with { rig in
            let appender = Appender(endpoint: rig.endpoint, setup: rig.setup, codec: rig.codec(), metrics: Metrics())
            let sink = Answers()
            var items = appender.batch()
            for number in 0..<10_000 { items.add(try admitted(#"{"topic":"a","data":\#(number)}"#)) }
            try appender.submit(items, to: sink, ticket: sink)
            let service = Task { await appender.run() }
            service.cancel()
            await service.value
            #expect(sink.all.count == items.count)
            let appended = sink.all.filter { $0.outcome.word == "appended" }.count
            #expect(try rig.length(.messages) == appended)
            #expect(appended == items.count || sink.all.contains { $0.outcome.word == "unavailable" })
            do {
                var one = appender.batch()
                one.add(try admitted(#"{"topic":"a"}"#))
                try appender.submit(one, to: sink, ticket: sink)
                Issue.record("it was taken in")
            } catch {
                guard case LogError.unavailable = error else { throw error }
            }
        }
    }

    @Test("A rejected input stands in `rejected` with its bytes, cut at the bound, and the digest of all of it") func rejected() async throws {
        try await LogRig.with { rig in
            let sink = Answers()
            let large = Array(repeating: UInt8(0xFF), count: Limits.rejectedBytesMax + 7)
            let refusal = Refusal(.notUTF8, "/a\"b", "no \"UTF-8\"")
            try await rig.withAppender { appender in
                var batch = appender.batch()
                batch.add(RejectedEntry(door: "nats", refusal: refusal, bytes: large))
                try appender.submit(batch, to: sink, ticket: sink, firstTag: 5)
                #expect(await eventually { sink.all.count == 1 })
            }
            #expect(sink.all[0].uuid == nil)
            #expect(sink.all[0].outcome.word == "appended")
            let entry = try #require(try rig.entries(.rejected).first).fields
            #expect(entry["door"]?.text == "nats")
            #expect(entry["bytes"] == .string(Array(large.prefix(Limits.rejectedBytesMax))))
            #expect(entry["size"]?.int == large.count)
            #expect(entry["sha256"]?.text == String(decoding: Hexadecimal.encode(ContentDigest.sha256(large)), as: UTF8.self))
            #expect(entry["violations"] == .string(refusal.json))
            #expect(entry["attempts"]?.text == "1")
            #expect(entry["position"]?.text == "")
        }
    }

    @Test("Without Redis submissions are answered unavailable within seconds; when it is back, the same ids deduplicate", .timeLimit(.minutes(5)))
    func connectionLoss() async throws {
        try await LogRig.withOwnRedis { redis, rig in
            try await rig.withAppender { appender in
                let named = try (0..<50).map { try admitted(#"{"topic":"a","message_uuid":"19164b3d-b1cb-5c74-9a4d-\#(String(format12: $0))","data":\#($0)}"#) }
                #expect(try await appender.append(named).allSatisfy { $0.word == "appended" })
                await redis.kill9()
                let start = ContinuousClock.now
                var words: Set<String> = []
                while ContinuousClock.now - start < .seconds(4) {
                    do throws(LogError) {
                        words.formUnion(try await appender.append([named[0]]).map(\.word))
                    } catch {
                        words.insert("refused")
                        #expect(error.isRetryable)
                        break
                    }
                }
                // Two seconds on an idle machine; here other tests hold the threads.
                #expect(ContinuousClock.now - start < .seconds(40), "an answer comes even without a server")
                #expect(words.isSubset(of: ["unavailable", "refused"]), "\(words)")
                try await redis.restart()
                #expect(await eventually(within: .seconds(15)) { try await appender.append(named).allSatisfy { $0.word == "duplicate" } })
                #expect(try rig.length(.messages) == 50)
            }
        }
    }
}

extension String {
    /// Twelve hexadecimal digits.
    init(format12 number: Int) {
        let hex = String(number, radix: 16)
        self = String(repeating: "0", count: 12 - hex.count) + hex
    }
}
