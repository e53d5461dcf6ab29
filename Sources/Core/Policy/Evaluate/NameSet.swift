/// A set of names that is asked with bytes: no string is made of them.
///
/// - Cost: of a few names a comparison each, of more a hash and a binary search.
struct NameSet: Sendable {
    private let hashes: [UInt32]
    /// In the order of `hashes`.
    private let names: [[UInt8]]

    init(_ names: Set<String>) {
        let sorted = names.map { name -> (hash: UInt32, name: [UInt8]) in
            let bytes = Array(name.utf8)
            return (JSONWords.hash(bytes.span, 0..<bytes.count), bytes)
        }.sorted { $0.hash < $1.hash }
        hashes = sorted.map(\.hash)
        self.names = sorted.map(\.name)
    }

    var isEmpty: Bool { names.isEmpty }

    func contains(_ name: Span<UInt8>) -> Bool {
        let hash = JSONWords.hash(name, 0..<name.count)
        var low = 0
        var high = hashes.count
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] < hash { low = middle + 1 } else { high = middle }
        }
        while low < hashes.count, hashes[low] == hash {
            let candidate = names[low]
            if candidate.count == name.count, JSONWords.equal(candidate.span, 0, name, 0, name.count) { return true }
            low += 1
        }
        return false
    }
}
