/// Texts that were read out of one JSON document last: a set of rules mostly looks at the same member, one rule after the other.
///
/// - Shape: at most `entriesMax` texts of one document. It belongs to one evaluator, and so to one thread at a time.
final class CELTextMemo: Sendable {
    private static let entriesMax = 4
    nonisolated(unsafe) private var document: JSONDocument?
    nonisolated(unsafe) private var entries: [(index: Int, text: String)] = []
    /// The entry that makes room for the next one.
    nonisolated(unsafe) private var oldest = 0

    /// The text of a string node.
    func text(_ node: JSONNode) -> String {
        if document !== node.document {
            document = node.document
            entries.removeAll(keepingCapacity: true)
            oldest = 0
        }
        for entry in entries where entry.index == node.index { return entry.text }
        let text = node.directString
        if entries.count < Self.entriesMax {
            entries.append((node.index, text))
        } else {
            entries[oldest] = (node.index, text)
            oldest = (oldest + 1) % Self.entriesMax
        }
        return text
    }
}
