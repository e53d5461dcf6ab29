internal import Core
internal import Replay
internal import Testing
internal import Web

@testable internal import Views

@Suite("Parameters")
struct ParameterTests {
    @Test("A query names everything that is wrong with it at once")
    func all() throws {
        let text = "topic=a..b&limit=0&order=up&outcome=lost&from=yesterday&cursor=x&limt=5&source=&type=a&type=b&destination=%zz&subject=a%00b"
        do {
            _ = try MessageQuery(text)
            Issue.record("it was taken")
        } catch {
            #expect(error.statusCode == 400)
            let named = ParameterTests.violations(error).map(\.parameter)
            // What cannot be taken apart first, then in the order in which they are asked for, then the unknown.
            #expect(named == ["type", "destination", "topic", "source", "subject", "outcome", "from", "limit", "order", "cursor", "limt"])
            #expect(
                error.detail?.contains("limt: no such parameter; known are cursor, destination, from, limit, order, outcome, source, subject, to, topic, type")
                    == true)
        }
    }

    /// The pairs of a parameter problem.
    static func violations(_ problem: ProblemDocument) -> [(parameter: String, detail: String)] {
        (problem.detail ?? "").split(separator: "; ").compactMap { part in
            let halves = part.split(separator: ": ", maxSplits: 1)
            return halves.count == 2 && !halves[0].contains(" ") ? (String(halves[0]), String(halves[1])) : nil
        }
    }

    @Test("A whole query becomes a filter")
    func filter() throws {
        let query = try MessageQuery(
            "topic=orders.%3E&source=a%20b&destination=c+d&subject=%C5%BE&type=q&outcome=hold&from=2026-01-31T12:00:00Z&to=1767225600&limit=7&order=oldest")
        let filter = query.filter
        #expect(filter.topic == "orders.>")
        #expect(filter.source == "a b")
        #expect(filter.destination == "c d")
        #expect(filter.subject == "ž")
        #expect(filter.type == "q")
        #expect(filter.outcome == .hold)
        #expect(filter.from == 1_769_860_800_000_000)
        #expect(filter.to == 1_767_225_600_000_000)
        #expect(filter.limit == 7)
        #expect(filter.order == .oldestFirst)
        #expect(filter.cursor == nil)
    }

    @Test("An empty query asks for the newest hundred")
    func empty() throws {
        let filter = try MessageQuery("").filter
        #expect(filter.limit == 100)
        #expect(filter.order == .newestFirst)
        #expect(filter.topic == nil)
    }

    @Test("Times are read with a plus that the query string has made a space", arguments: ["2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00%2B01:00"])
    func plus(_ text: String) throws {
        #expect(try MessageQuery("from=\(text)").filter.from == 1_769_857_200_000_000)
    }

    @Test("A cursor comes back as it was, and brings its order", arguments: [ArchiveFilter.Order.newestFirst, .oldestFirst])
    func cursor(_ order: ArchiveFilter.Order) throws {
        for position in [Position(ms: 0, seq: 0), Position(ms: 1_767_225_600_000, seq: 17), Position(ms: 99_999_999_999_999, seq: .max)] {
            let cursor = PageCursor(order: order, position: position)
            #expect(PageCursor(cursor.text) == cursor)
            #expect(cursor.text.utf8.allSatisfy { $0 == 0x2D || $0 == 0x5F || ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) })
            let filter = try MessageQuery("cursor=\(cursor.text)").filter
            #expect(filter.order == order)
            #expect(filter.cursor == position)
        }
    }

    @Test("A cursor of the other order is refused")
    func otherOrder() {
        let cursor = PageCursor(order: .oldestFirst, position: .zero).text
        #expect(throws: ProblemDocument.self) { _ = try MessageQuery("order=newest&cursor=\(cursor)") }
        #expect(throws: ProblemDocument.self) { _ = try EntryQuery("reverse=true&cursor=\(cursor)") }
        #expect(throws: Never.self) { _ = try EntryQuery("cursor=\(cursor)") }
    }

    @Test(
        "What no page ever gave is no cursor",
        arguments: [
            "", "x", "bi8wLTAtMA==", "bi8wLTAtMA=", "bi8wLTAtMB", "eC8wLTAtMA", "bi8xLTAtMA", "bi8wLTA", "bi8wMC0wLTA", "%%%",
        ])
    func noCursor(_ text: String) { #expect(PageCursor(text) == nil) }

    @Test("Seeded noise never makes a cursor that reads back differently")
    func fuzz() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Noise(state: seed)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/% ")
        for _ in 0..<20_000 {
            let text = String((0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
            if let cursor = PageCursor(text) { #expect(cursor.text == text, "seed \(seed)") }
            _ = PercentText.decode(text, plusIsSpace: true)
            _ = try? MessageQuery(text)
            _ = try? EntryQuery(text)
        }
    }

    @Test(
        "Positions of another partition, or of a time far off, are none of this log",
        arguments: ["1-0-0", "0-0", "0-100000000000000-0", "0-1-2-3", "0--1", " 0-1-1"])
    func positions(_ text: String) { #expect(PositionText.parse(text) == nil) }

    @Test(
        "The ends of a range are ids, positions, times and signs",
        arguments: [
            ("-", "-"), ("+", "+"), ("5-3", "5-3"), ("0-5-3", "5-3"), ("1767225600000", "1767225600000"), ("2026-01-31T12:00:00.0015Z", "1769860800001"),
            ("1950-01-01T00:00:00Z", "0"), ("x", nil), ("", nil), ("5-", nil), ("99999999999999999999", nil), ("(5-3", nil),
            (String(repeating: "0", count: 200) + "5-3", "5-3"), (String(repeating: "0", count: 200) + "17", "17"),
        ] as [(String, String?)])
    func bounds(_ text: String, _ expected: String?) { #expect(EntryBound.parse(text) == expected) }

    @Test("A cursor of rows holds any key and is one text", arguments: ["a", "topic/max_message_bytes/tasks.>", "ž/ž", String(repeating: "x", count: 512)])
    func keyCursor(_ key: String) {
        #expect(KeyCursor(KeyCursor(key: key).text) == KeyCursor(key: key))
        #expect(KeyCursor(KeyCursor(key: key).text + "=") == nil)
        #expect(KeyCursor(PageCursor(order: .newestFirst, position: .zero).text) == nil)
    }

    @Test(
        "A moment is a position or a time, none of the future",
        arguments: [
            ("0-5-3", Position(ms: 5, seq: 3)), ("2026-01-31T12:00:00.0015Z", Position(ms: 1_769_860_800_001, seq: UInt64(Int64.max))),
            ("1950-01-01T00:00:00Z", Position(ms: 0, seq: UInt64(Int64.max))),
            ("0-99999999999999-0", nil), ("2999-01-01T00:00:00Z", nil), ("now", nil), ("", nil), ("1-5-3", nil),
        ] as [(String, Position?)])
    func moments(_ text: String, _ expected: Position?) { #expect((try? Moment(text))?.through == expected) }

    @Test("The feed begins where the EventSource was, whatever the URL says")
    func lastEventID() throws {
        #expect(try FeedRequest(query: "since=0-5-0").since == Position(ms: 5, seq: 0))
        #expect(try FeedRequest(query: "since=0-5-0", lastEventID: "0-7-1").since == Position(ms: 7, seq: 1))
        #expect(try FeedRequest(query: "", lastEventID: "").since == nil)
        #expect(throws: ProblemDocument.self) { _ = try FeedRequest(query: "", lastEventID: "seven") }
        #expect(throws: ProblemDocument.self) { _ = try FeedRequest(query: "since=now") }
    }

    @Test("Encoded text decodes to itself")
    func percent() {
        for text in ["a b+c", "ž/ž?&=#", "%41", "", "~-._"] {
            #expect(PercentText.decode(PercentText.encode(text), plusIsSpace: true) == text)
        }
        #expect(PercentText.decode("a+b", plusIsSpace: false) == "a+b")
        for text in ["%", "%4", "%4g", "%ff"] { #expect(PercentText.decode(text, plusIsSpace: false) == nil) }
    }
}

/// A small seeded generator (SplitMix64).
struct Noise: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
