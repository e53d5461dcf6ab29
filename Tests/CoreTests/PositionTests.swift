import Core
import TestSupport
import Testing

@Suite("Position")
struct PositionTests {
    @Test(
        "A position is read and written as <partition>-<ms>-<seq>",
        arguments: [
            ("0-0-0", Position(ms: 0, seq: 0)),
            ("0-1795305600000-0", Position(ms: 1_795_305_600_000, seq: 0)),
            ("3-1-2", Position(partition: 3, ms: 1, seq: 2)),
            ("32767-18446744073709551615-18446744073709551615", Position(partition: 32_767, ms: .max, seq: .max)),
        ])
    func roundTrip(_ text: String, _ position: Position) {
        #expect(Position(text) == position)
        #expect(position.description == text)
        #expect(Position(partition: position.partition, streamID: position.streamID) == position)
    }

    @Test("Leading zeros are read as the number they are") func leadingZeros() { #expect(Position("0-007-01") == Position(ms: 7, seq: 1)) }

    @Test(
        "Anything else is no position",
        arguments: [
            "", "-", "--", "0", "0-1", "0-1-", "-0-1-2", "0--1", "0-1-2-3", "0-1-2 ", " 0-1-2", "0-1-+2", "0-1-٣", "0-1-18446744073709551616", "32768-1-1",
            "0-99999999999999999999999999-0", "a-b-c", "0-1-2\n", "0-1-2\0", "$", "+", "*",
        ])
    func malformed(_ text: String) { #expect(Position(text) == nil) }

    @Test("A stream id has two numbers", arguments: ["", "1", "1-", "-1", "1-2-3", "1-x", "18446744073709551616-0"])
    func malformedStreamID(_ text: String) { #expect(Position(streamID: text) == nil) }

    @Test("Positions are ordered as integers, never as text") func order() throws {
        let sorted = ["0-9-9", "0-10-2", "0-10-10", "0-100-0", "1-0-0", "2-0-0", "10-0-0"]
        let positions = try sorted.map { try #require(Position($0)) }
        #expect(positions.shuffled().sorted() == positions)
    }

    @Test("next is the smallest position behind it, up to the very last") func next() {
        #expect(Position(ms: 5, seq: 7).next == Position(ms: 5, seq: 8))
        #expect(Position(ms: 5, seq: .max).next == Position(ms: 6, seq: 0))
        let last = Position(ms: .max, seq: .max)
        #expect(last.next == last, "nothing stands behind the last one; a client may name it as its cursor")
    }

    @Test("The time of any position can be told") func time() {
        #expect(Position(ms: 1_795_305_600_123, seq: 0).microseconds == 1_795_305_600_123_000)
        #expect(Position(ms: .max, seq: 0).microseconds == 9_223_372_036_854_775_000)
        var numbers = SeededNumbers(7)
        for _ in 0..<1_000 {
            let position = Position(ms: numbers.next() >> UInt64(numbers.below(64)), seq: 0)
            #expect(position.microseconds >= 0)
            #expect(Timestamp.rfc3339(microseconds: position.microseconds).utf8.count >= 20)
        }
    }
}
