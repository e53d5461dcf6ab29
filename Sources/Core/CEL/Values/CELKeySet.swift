/// The elements of a constant list that `in` looks through.
///
/// - Cost: up to `scannedMax` texts are compared one by one, which is faster than hashing; anything else hashes.
struct CELKeySet: Sendable {
    private static let scannedMax = 8

    private let texts: [String]
    private let keys: Set<CELMapKey>

    /// - Shape: ints, uints, bools and strings; nil when an element is something else, or there is none.
    init?(_ elements: [CELValue]) {
        var keys: Set<CELMapKey> = []
        for element in elements {
            guard element.isExactKey, let key = CELMapKey(element) else { return nil }
            keys.insert(key)
        }
        guard !keys.isEmpty else { return nil }
        let texts = keys.compactMap { if case .string(let text) = $0 { text } else { nil } }
        self.texts = texts.count == keys.count && texts.count <= Self.scannedMax ? texts.sorted() : []
        self.keys = keys
    }

    func contains(_ value: CELValue) -> Bool {
        if !texts.isEmpty {
            guard case .string(let text) = value else { return false }
            let wanted = text.utf8Span.span
            for known in texts where UTF8Text.equal(known.utf8Span.span, wanted) { return true }
            return false
        }
        guard value.isExactKey, let key = CELMapKey(value) else { return false }
        return keys.contains(key)
    }
}
