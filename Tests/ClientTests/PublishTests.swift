import Client
import Core
import Testing

@Suite struct PublishTests {
    private static let fixed = MessageUUID(high: 0x0190_163d_8694_739b, low: 0xaea5_966c_26f8_ad91)
    private static let fixedRule = LineNaming(.fresh { fixed })

    private func chunks(_ text: String, cutEvery size: Int, naming: LineNaming = fixedRule) -> [LineChunker.Chunk] {
        var chunker = LineChunker(naming: naming)
        var out: [LineChunker.Chunk] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            out += chunker.take(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        if let last = chunker.finish() { out.append(last) }
        return out
    }

    @Test("However the file is cut into blocks, the lines, their numbers and the bytes read are the same")
    func blocks() {
        let text = "{\"message_uuid\":\"x\"}\n\n  \t\n{\"message_uuid\":\"y\"}\r\nnot json\n{\"message_uuid\":\"z\"}"
        let whole = chunks(text, cutEvery: text.utf8.count)
        for size in 1...9 { #expect(chunks(text, cutEvery: size) == whole) }
        #expect(whole.count == 1)
        #expect(whole[0].numbers == [1, 4, 5, 6])
        #expect(whole[0].bytesRead == text.utf8.count)
        #expect(String(decoding: whole[0].bytes, as: UTF8.self) == "{\"message_uuid\":\"x\"}\n{\"message_uuid\":\"y\"}\nnot json\n{\"message_uuid\":\"z\"}\n")
    }

    @Test("A request has at most 1,000 lines, and none is lost between two")
    func chunkSize() {
        let text = (1...2_500).map { "{\"message_uuid\":\($0)}\n" }.joined()
        let all = chunks(text, cutEvery: 4_096)
        #expect(all.map(\.numbers.count) == [1_000, 1_000, 500])
        #expect(all.flatMap(\.numbers) == Array(1...2_500))
        #expect(all.reduce(0) { $0 + $1.bytesRead } == text.utf8.count)
    }

    @Test("Lines that are whole are taken before a request is full; a line that has only begun stays, and numbers and ids go on")
    func whole() {
        let lines = (1...5).map { "{\"n\":\($0)}\n" }
        let naming = LineNaming(.derived(file: "f"))
        var chunker = LineChunker(naming: naming)
        #expect(chunker.takeWhole() == nil)
        let blocks: [(String, [Int])] = [
            (lines[0] + lines[1] + "{\"n\"", [1, 2]), (":3", []), ("}\n" + lines[3], [3, 4]), ("\n{\"n\":5}", []),
        ]
        var taken: [LineChunker.Chunk] = []
        for (block, numbers) in blocks {
            #expect(chunker.take(Array(block.utf8)) == [])
            let chunk = chunker.takeWhole()
            #expect((chunk?.numbers ?? []) == numbers)
            if let chunk { taken.append(chunk) }
        }
        if let last = chunker.finish() { taken.append(last) }
        #expect(taken.map(\.numbers) == [[1, 2], [3, 4], [6]])
        // Byte for byte what one read of the whole gives.
        let text = blocks.map { $0.0 }.joined()
        #expect(taken.flatMap(\.bytes) == chunks(text, cutEvery: text.utf8.count, naming: naming)[0].bytes)
        #expect(taken.reduce(0) { $0 + $1.bytesRead } == text.utf8.count)
    }

    @Test("A line above the largest message is counted, not sent and not kept")
    func oversized() {
        let long = String(repeating: "a", count: Limits.messageBytesMax + 10)
        let all = chunks("{\"message_uuid\":1}\n\(long)\n{\"message_uuid\":2}\n", cutEvery: 65_536)
        #expect(all.count == 1)
        #expect(all[0].numbers == [1, 3])
        #expect(all[0].oversized == [.init(line: 2, bytes: long.utf8.count)])
        var tally = PublishTally()
        tally.refuse(all[0].oversized, file: "f")
        #expect(tally.refused == 1)
        #expect(tally.refusals.first?.line == 2)
    }

    @Test(
        "A line without an id gets one, in front or in place of null, and all its other bytes stay",
        arguments: [
            ("{\"topic\":\"a\"}", "{\"message_uuid\":\"0190163d-8694-739b-aea5-966c26f8ad91\",\"topic\":\"a\"}"),
            (" { }", " {\"message_uuid\":\"0190163d-8694-739b-aea5-966c26f8ad91\" }"),
            ("{\"message_uuid\":null}", "{\"message_uuid\":\"0190163d-8694-739b-aea5-966c26f8ad91\"}"),
            (
                " {\"topic\":\"é\", \"message_uuid\" : null ,\"data\":null}\r",
                " {\"topic\":\"é\", \"message_uuid\" : \"0190163d-8694-739b-aea5-966c26f8ad91\" ,\"data\":null}\r"
            ),
            ("{\"message\\u005fuuid\":\"x\"}", nil), ("[1]", nil), ("{\"topic\":", nil), ("7", nil),
        ] as [(String, String?)])
    func naming(line: String, expected: String?) {
        let named = PublishTests.fixedRule.named(Array(line.utf8), line: 1)
        #expect(named.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test("A derived id depends on the file's name, the line's number and its bytes, and on nothing else")
    func derived() {
        let id = LineNaming.derive(file: "a", line: 1, bytes: [0x7B, 0x7D])
        #expect(id == LineNaming.derive(file: "a", line: 1, bytes: [0x7B, 0x7D]))
        #expect(
            Set([
                id, LineNaming.derive(file: "b", line: 1, bytes: [0x7B, 0x7D]), LineNaming.derive(file: "a", line: 2, bytes: [0x7B, 0x7D]),
                LineNaming.derive(file: "a", line: 1, bytes: [0x7B]),
            ]).count == 4)
        #expect((id.high >> 12) & 0xF == 8)
        #expect(id.low >> 62 == 2)
    }

    private func answer(_ accepted: Int, _ duplicates: Int, _ refused: Int, refusals: String = "") -> [UInt8] {
        Array(
            "{\"lines\":3,\"accepted\":\(accepted),\"duplicates\":\(duplicates),\"refused\":\(refused),\"failed\":0,\"first_position\":\"0-5-0\",\"last_position\":\"0-9-1\",\"refusals\":[\(refusals)]}"
                .utf8)
    }

    @Test("Refused lines keep their numbers in the file, whatever was left out before them")
    func refusals() {
        let chunk = chunks("\n\n{\"message_uuid\":1}\n\n{\"message_uuid\":2}\n{\"message_uuid\":3}\n", cutEvery: 100)[0]
        var tally = PublishTally()
        let refusal =
            "{\"line\":2,\"problem\":{\"title\":\"t\",\"violations\":[{\"pointer\":\"/topic\",\"detail\":\"d\"},{\"pointer\":\"\",\"detail\":\"e\"}]}}"
        #expect(tally.count(chunk, answer: answer(2, 0, 1, refusals: refusal), file: "f") == true)
        #expect(tally.refusals == [RefusedLine(file: "f", line: 5, reason: "/topic: d; e", problem: tally.refusals[0].problem)])
        #expect(tally.first == Position(ms: 5, seq: 0))
        #expect(tally.last == Position(ms: 9, seq: 1))
    }

    @Test("What an incomplete attempt appended is counted as accepted when the repeat finds it")
    func repeats() {
        let chunk = chunks("{\"message_uuid\":1}\n{\"message_uuid\":2}\n{\"message_uuid\":3}\n", cutEvery: 100)[0]
        var attempts = PublishTally.Attempts()
        #expect(attempts.note(answer(1, 1, 0)) == true)
        var tally = PublishTally()
        #expect(tally.count(chunk, answer: answer(1, 2, 0), file: "f", after: attempts) == true)
        #expect((tally.accepted, tally.duplicates, tally.recovered) == (2, 1, 0))
    }

    @Test("Behind a lost answer, lines found in the log are told apart from duplicates")
    func lostAnswer() {
        let chunk = chunks("{\"message_uuid\":1}\n{\"message_uuid\":2}\n{\"message_uuid\":3}\n", cutEvery: 100)[0]
        var attempts = PublishTally.Attempts()
        attempts.isUncertain = true
        var tally = PublishTally()
        #expect(tally.count(chunk, answer: answer(1, 2, 0), file: "f", after: attempts) == true)
        #expect((tally.accepted, tally.duplicates, tally.recovered) == (1, 0, 2))
    }

    @Test("An answer that does not account for every line is no answer")
    func incomplete() {
        let chunk = chunks("{\"message_uuid\":1}\n{\"message_uuid\":2}\n", cutEvery: 100)[0]
        var tally = PublishTally()
        #expect(tally.count(chunk, answer: answer(1, 0, 0), file: "f") == false)
        #expect(tally.count(chunk, answer: Array("<html>".utf8), file: "f") == false)
        #expect(tally == PublishTally())
    }

    @Test("Waits double, respect Retry-After, and end")
    func waits() {
        var repeats = Repeats(giveUpAfter: .seconds(8))
        #expect(repeats.next(jitter: 0) == .milliseconds(100))
        #expect(repeats.next(jitter: 0) == .milliseconds(200))
        #expect(repeats.next(retryAfter: "3", jitter: 0) == .seconds(3))
        #expect(repeats.next(retryAfter: "soon", jitter: 1) == .seconds(1))
        #expect(repeats.next(retryAfter: "3600", jitter: 0) == .seconds(60))
        #expect(repeats.next(jitter: 0) == nil)
        repeats.succeeded()
        #expect(repeats.next(jitter: 0) == .milliseconds(100))
        var never = Repeats(giveUpAfter: .zero)
        #expect(never.next(jitter: 0) == nil)
    }
}
