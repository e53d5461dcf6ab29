internal import Core
internal import NIOCore

/// The newest entries of the feed, without a hole from `floor` to `head`.
///
/// - Bounds: entries and bytes given at the start; the oldest go first, and the newest stays whatever its size.
struct FeedRing {
    /// What a follower gets that has everything up to a cursor.
    enum Batch {
        /// The next entries, at least one.
        case entries([FeedEntry])
        /// Nothing stands behind the cursor yet.
        case upToDate
        /// What follows the cursor is no longer here.
        case behind
    }

    private var entries: CircularBuffer<FeedEntry> = []
    private(set) var bytes = 0
    /// A smaller number takes effect with the next entry.
    var entriesMax: Int
    private let bytesMax: Int
    /// Everything behind this is here.
    private(set) var floor: Position
    /// Everything up to this was here.
    private(set) var head: Position

    init(at head: Position, entriesMax: Int = Limits.feedRingEntriesMax, bytesMax: Int = Limits.feedRingBytesMax) {
        floor = head
        self.head = head
        self.entriesMax = entriesMax
        self.bytesMax = bytesMax
    }

    var count: Int { entries.count }

    /// Forgets all and goes on behind `head`.
    mutating func restart(at head: Position) {
        entries.removeAll()
        bytes = 0
        floor = head
        self.head = head
    }

    /// Adds entries that follow `head` in order.
    mutating func append(_ batch: [FeedEntry]) {
        for entry in batch {
            precondition(entry.position > head, "entries come in order")
            entries.append(entry)
            bytes += entry.bytes
            head = entry.position
        }
        while entries.count > entriesMax || (bytes > bytesMax && entries.count > 1) {
            let gone = entries.removeFirst()
            bytes -= gone.bytes
            floor = gone.position
        }
    }

    /// The entries behind `cursor`: at most `count`, and no more once they have `bytesTarget` bytes.
    ///
    /// - Cost: a binary search, then one reference an entry.
    func batch(after cursor: Position, count: Int, bytesTarget: Int) -> Batch {
        if cursor >= head { return .upToDate }
        if cursor < floor { return .behind }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].position > cursor { high = middle } else { low = middle + 1 }
        }
        var out: [FeedEntry] = []
        var size = 0
        while low < entries.count, out.count < count, size < bytesTarget {
            out.append(self[low])
            size += self[low].bytes
            low += 1
        }
        return .entries(out)
    }

    private subscript(offset: Int) -> FeedEntry { entries[entries.index(entries.startIndex, offsetBy: offset)] }
}
