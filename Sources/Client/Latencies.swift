/// Times of many requests, and what share of them was how fast.
package struct Latencies: Sendable {
    private var microseconds: [UInt32] = []

    package init() {}

    package var count: Int { microseconds.count }

    package mutating func reserve(_ count: Int) { microseconds.reserveCapacity(count) }
    package mutating func add(nanoseconds: UInt64) { microseconds.append(UInt32(clamping: nanoseconds / 1000)) }
    package mutating func merge(_ other: Latencies) { microseconds.append(contentsOf: other.microseconds) }

    /// Microseconds below or at which each share (0…1) of the requests was answered, by the nearest rank; 0 when there were none.
    package func percentiles(_ shares: [Double]) -> [Int] {
        let sorted = microseconds.sorted()
        return shares.map { share in
            guard !sorted.isEmpty else { return 0 }
            let rank = Int((share * Double(sorted.count)).rounded(.up))
            return Int(sorted[min(max(rank, 1), sorted.count) - 1])
        }
    }
}
