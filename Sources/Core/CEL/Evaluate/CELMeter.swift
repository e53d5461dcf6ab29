/// Counts what an evaluation costs, and ends it when that is too much.
///
/// One unit is about one step of the evaluator, one element that is visited or made, or sixteen bytes that are read or written: 10 to 200 ns
/// of time, and at most 64 bytes of memory.
struct CELMeter {
    private(set) var left: Int
    let max: Int

    init(_ max: Int) {
        left = max
        self.max = max
    }

    var spent: Int { max - left }

    @inline(__always)
    mutating func charge(_ units: Int) throws(CELReason) {
        left &-= units
        if left < 0 { throw exhausted() }
    }

    /// What is charged first and done afterwards cannot take more memory than the budget.
    @inline(__always)
    mutating func charge(bytes: Int) throws(CELReason) { try charge(bytes >> 4) }

    /// Work that is the product of two sizes.
    mutating func charge(_ left: Int, times right: Int) throws(CELReason) {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        try charge(overflow || product > Int.max / 2 ? Int.max / 2 : product)
    }

    @inline(never)
    private mutating func exhausted() -> CELReason {
        // Stays exhausted, whoever asks again.
        left = -1
        return .costExceeded(max: max)
    }

    /// What comparing two values for equality costs: the smaller text; of lists and maps that may be equal all of both, since each is read.
    static func comparison(_ left: CELValue, _ right: CELValue) -> Int {
        switch (left, right) {
        case (.list(let one), .list(let other)): one.count == other.count ? weight(left) + weight(right) : 0
        case (.map(.table(let one)), .map(.table(let other))): one.count == other.count ? weight(left) + weight(right) : 0
        // How many different keys a JSON object has is found by looking each of them up.
        case (.map, .map): weight(left) + weight(right)
        default: min(weight(left), weight(right))
        }
    }

    /// What reading all of a value costs, with what is inside.
    static func weight(_ value: CELValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count >> 4
        case .bytes(let bytes): bytes.count >> 4
        case .list(.array(let elements)): elements.reduce(elements.count) { $0 + weight($1) }
        case .map(.table(let table)): table.values.reduce(table.count) { $0 + weight($1) } + table.keys.reduce(0) { $0 + weight($1.value) }
        case .list(.json(let node)), .map(.json(let node)): node.weight
        default: 0
        }
    }
}

extension JSONNode {
    /// Values inside, and sixteenths of the bytes that they take in the text.
    var weight: Int {
        let end = document.end(index)
        let behind = end < document.nodes.count ? Int(document.nodes[end].offset) : document.text.count
        return end - index + (behind - Int(node.offset)) >> 4
    }
}
