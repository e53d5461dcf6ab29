/// The offsets of one time zone from UTC, for every time.
///
/// - Source: RFC 8536 (TZif, versions 1 to 4).
package final class ZoneRules: Sendable {
    /// Seconds since the epoch from which `offsets` holds, ascending.
    private let times: [Int64]
    private let offsets: [Int32]
    /// Before the first of `times`.
    private let first: Int32
    /// Behind the last of `times`.
    private let last: PosixZone?

    /// - Parameter tzif: the bytes of a file of the zone database; nil when they are none.
    package init?(tzif: [UInt8]) {
        guard var block = Block(tzif, 0, timeBytes: 4) else { return nil }
        if tzif[4] >= UInt8(ascii: "2") {
            guard let second = Block(tzif, block.end, timeBytes: 8) else { return nil }
            block = second
        }
        times = block.times
        offsets = block.offsets
        first = block.first
        // Behind the second block: a rule between two line feeds.
        let footer: ArraySlice<UInt8> =
            block.end < tzif.count && tzif[4] >= UInt8(ascii: "2") ? tzif[(block.end + 1)...].prefix { $0 != 0x0A } : ArraySlice<UInt8>()
        last = PosixZone(footer)
    }

    /// Seconds east of UTC at a time.
    /// - Cost: a binary search; behind the last known change, some arithmetic.
    package func offset(at seconds: Int64) -> Int64 {
        guard let newest = times.last, seconds < newest else {
            if let last { return last.offset(at: seconds) }
            return Int64(offsets.last ?? first)
        }
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return Int64(low == 0 ? first : offsets[low - 1])
    }

    /// One header with its data.
    private struct Block {
        var times: [Int64] = []
        var offsets: [Int32] = []
        var first: Int32 = 0
        let end: Int

        init?(_ bytes: [UInt8], _ start: Int, timeBytes: Int) {
            guard bytes.count >= start + 44, bytes[start..<(start + 4)].elementsEqual("TZif".utf8) else { return nil }
            func number(_ at: Int, _ count: Int) -> Int64 {
                let value = bytes[at..<(at + count)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                return count == 8 ? Int64(bitPattern: value) : Int64(Int32(truncatingIfNeeded: value))
            }
            let counts = (0..<6).map { number(start + 20 + 4 * $0, 4) }
            guard counts.allSatisfy({ $0 >= 0 && $0 <= 65_536 }) else { return nil }
            let (utc, standard, leaps, changes, types, letters) = (counts[0], counts[1], counts[2], Int(counts[3]), Int(counts[4]), counts[5])
            let timesAt = start + 44
            let indexesAt = timesAt + changes * timeBytes
            let typesAt = indexesAt + changes
            end = typesAt + types * 6 + Int(letters) + Int(leaps) * (timeBytes + 4) + Int(standard) + Int(utc)
            guard types > 0, end <= bytes.count else { return nil }
            first = Int32(truncatingIfNeeded: number(typesAt, 4))
            for change in 0..<changes {
                let type = Int(bytes[indexesAt + change])
                guard type < types else { return nil }
                times.append(number(timesAt + change * timeBytes, timeBytes))
                offsets.append(Int32(truncatingIfNeeded: number(typesAt + type * 6, 4)))
            }
        }
    }
}
