import Core
import TestSupport
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test("RFC 3339 is read to the microsecond", arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("2026-01-31T12:00:00Z", 1_769_860_800_000_000),
        ("2026-01-31t12:00:00z", 1_769_860_800_000_000),
        ("2026-01-31 12:00:00Z", 1_769_860_800_000_000),
        ("2026-01-31T12:00:00.5Z", 1_769_860_800_500_000),
        ("2026-01-31T12:00:00.123456789Z", 1_769_860_800_123_456),
        ("2026-01-31T12:00:00+00:00", 1_769_860_800_000_000),
        ("2026-01-31T12:00:00-00:00", 1_769_860_800_000_000),
        ("2026-01-31T13:30:00+01:30", 1_769_860_800_000_000),
        ("2026-01-31T00:00:00-12:00", 1_769_860_800_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_799_999_999),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ] as [(String, Int64)])
    func parse(_ text: String, _ micros: Int64) { #expect(Timestamp.parse(Array(text.utf8).span) == micros) }

    @Test("Anything else is no time", arguments: [
        "", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z",
        "2026-00-31T12:00:00Z", "2026-13-31T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-32T12:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-W05-6T12:00:00Z", "2026-031T12:00:00Z", "20260131T120000Z",
        "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00.1234567890Z", "2026-01-31T12:00:00,5Z", "2026-01-31T12:00:00+1:00", "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+01:60", "2026-01-31T12:00:00+01:00:00", "2026-01-31T12:00:00Z ", " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00ZZ", "2026-01-31T12:00:00.5", "2026/01/31T12:00:00Z", "2026-01-31X12:00:00Z", "-026-01-31T12:00:00Z", "２026-01-31T12:00:00Z",
        "Sat, 31 Jan 2026 12:00:00 GMT", "now", "2026-01-31T12:00:00\u{2212}01:00",
        // Outside the years 1…9999 once the offset is taken off.
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    ])
    func malformed(_ text: String) { #expect(Timestamp.parse(Array(text.utf8).span) == nil) }

    @Test("An epoch number tells its unit by its size", arguments: [
        ("1769860800", 1_769_860_800_000_000),
        ("1769860800.5", 1_769_860_800_500_000),
        ("1769860800.1234567", 1_769_860_800_123_456),
        ("1769860800123", 1_769_860_800_123_000),
        ("1769860800123.5", 1_769_860_800_123_500),
        ("1769860800123456", 1_769_860_800_123_456),
        ("1769860800123456789", 1_769_860_800_123_456),
        ("31536000", 31_536_000_000_000),
        ("9999999999", 9_999_999_999_000_000),
    ] as [(String, Int64)])
    func epoch(_ text: String, _ micros: Int64) { #expect(Timestamp.fromEpoch(Array(text.utf8).span) == micros) }

    @Test("Other numbers are no times", arguments: [
        "", "0", "1", "31535999", "10000000000", "-1769860800", "1e400", "1.7e9", "99999999999999999999", "1769860800 ", "1.2.3", ".", "NaN",
    ])
    func badEpoch(_ text: String) { #expect(Timestamp.fromEpoch(Array(text.utf8).span) == nil) }

    @Test("Every time between the years 1 and 9999 survives text and back") func roundTrip() {
        var numbers = SeededNumbers(3)
        let first: Int64 = -62_135_596_800_000_000
        let span: UInt64 = 315_537_897_600_000_000
        for _ in 0..<20_000 {
            var micros = first + Int64(numbers.next() % span)
            if numbers.once(in: 3) { micros -= micros % 1_000_000 } else if numbers.once(in: 2) { micros -= micros % 1_000 }
            let text = Timestamp.rfc3339(microseconds: micros)
            #expect(Timestamp.parse(Array(text.utf8).span) == micros, "\(text)")
        }
    }

    @Test("The fraction has as few digits of 0, 3 or 6 as say it exactly", arguments: [
        (0, "1970-01-01T00:00:00Z"), (500_000, "1970-01-01T00:00:00.500Z"), (1, "1970-01-01T00:00:00.000001Z"), (-1, "1969-12-31T23:59:59.999999Z"),
        (-1_000, "1969-12-31T23:59:59.999Z"), (951_782_400_000_000, "2000-02-29T00:00:00Z"),
    ] as [(Int64, String)])
    func written(_ micros: Int64, _ text: String) { #expect(Timestamp.rfc3339(microseconds: micros) == text) }

    @Test("A time outside the years 1 to 9999 is written as the nearest one inside", arguments: [
        (Int64.min, "0001-01-01T00:00:00Z"), (Int64.max, "9999-12-31T23:59:59.999999Z"),
    ])
    func clamped(_ micros: Int64, _ text: String) { #expect(Timestamp.rfc3339(microseconds: micros) == text) }
}
