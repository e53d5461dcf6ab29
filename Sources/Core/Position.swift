/// Where an entry stands in the log: `<partition>-<ms>-<seq>`, compared as integers, never as text.
///
/// `ms` and `seq` are the two halves of the Redis stream id, so the entry's own time is part of its name.
package struct Position: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var partition: Int
    /// Milliseconds since the Unix epoch, as Redis stamped the entry.
    package var ms: UInt64
    package var seq: UInt64

    package init(partition: Int = 0, ms: UInt64, seq: UInt64) {
        self.partition = partition
        self.ms = ms
        self.seq = seq
    }

    /// Before the first entry of a partition.
    package static let zero = Position(ms: 0, seq: 0)

    package static func < (a: Position, b: Position) -> Bool {
        (a.partition, a.ms, a.seq) < (b.partition, b.ms, b.seq)
    }

    // Digits as bytes, without interpolation: positions stand in every entry and every answer.
    package var description: String {
        var out: [UInt8] = []
        out.reserveCapacity(32)
        append(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// Appends the description.
    package func append(to out: inout [UInt8]) {
        DecimalDigits.append(Int64(partition), to: &out)
        out.append(UInt8(ascii: "-"))
        appendStreamID(to: &out)
    }

    private func appendStreamID(to out: inout [UInt8]) {
        DecimalDigits.append(ms, to: &out)
        out.append(UInt8(ascii: "-"))
        DecimalDigits.append(seq, to: &out)
    }

    /// The Redis stream id `<ms>-<seq>`.
    package var streamID: String {
        var out: [UInt8] = []
        out.reserveCapacity(32)
        appendStreamID(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The smallest stream id after this one, for an inclusive range that starts behind it; the last possible one is its own.
    package var next: Position {
        if seq < .max { return Position(partition: partition, ms: ms, seq: seq + 1) }
        return ms < .max ? Position(partition: partition, ms: ms + 1, seq: 0) : self
    }

    /// The largest stream id before this one, for a range that begins with it; zero is its own.
    package var previous: Position {
        if seq > 0 { return Position(partition: partition, ms: ms, seq: seq - 1) }
        return ms > 0 ? Position(partition: partition, ms: ms - 1, seq: .max) : self
    }

    /// Microseconds since the Unix epoch of the entry's time; a client's position may name one beyond what fits.
    package var microseconds: Int64 { Int64(min(ms, UInt64(Int64.max / 1000))) * 1000 }

    /// Reads `<partition>-<ms>-<seq>`; nil when it is anything else.
    package init?(_ text: some StringProtocol) {
        self.init(utf8: Array(text.utf8))
    }

    package init?(utf8 text: [UInt8]) {
        guard let (numbers, count) = Self.numbers(text.span), count == 3, numbers.0 <= UInt64(Int16.max) else { return nil }
        self.init(partition: Int(numbers.0), ms: numbers.1, seq: numbers.2)
    }

    /// Reads a Redis stream id `<ms>-<seq>`; nil when it is anything else.
    package init?(partition: Int = 0, streamID text: Span<UInt8>) {
        guard let (numbers, count) = Self.numbers(text), count == 2 else { return nil }
        self.init(partition: partition, ms: numbers.0, seq: numbers.1)
    }

    package init?(partition: Int = 0, streamID text: String) {
        self.init(partition: partition, streamID: Array(text.utf8).span)
    }

    /// Two or three decimal numbers with a dash between, without signs, spaces or overflow.
    private static func numbers(_ text: Span<UInt8>) -> ((UInt64, UInt64, UInt64), Int)? {
        var parts: (UInt64, UInt64, UInt64) = (0, 0, 0)
        var count = 0
        var value: UInt64 = 0
        var digits = 0
        func store(_ value: UInt64, _ parts: inout (UInt64, UInt64, UInt64)) -> Bool {
            guard digits > 0, count < 3 else { return false }
            if count == 0 { parts.0 = value } else if count == 1 { parts.1 = value } else { parts.2 = value }
            return true
        }
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: "-") {
                guard store(value, &parts) else { return nil }
                count += 1
                value = 0
                digits = 0
            } else {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                let (tens, over) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - 0x30))
                guard !over, !carry else { return nil }
                value = sum
                digits += 1
            }
        }
        guard store(value, &parts) else { return nil }
        return (parts, count + 1)
    }
}
