/// What was read out of JSON last: a set of rules mostly looks at the same members, one rule after the other.
///
/// - Shape: at most `entriesMax` members of variables' fields, and as many texts of one document. It belongs to one evaluator, and so to one
///   thread at a time, and is told when a variable or what it holds is another.
final class CELMemo: Sendable {
    /// `message.data.amount`: a member of the JSON object that a field of a variable is.
    struct Member {
        let variable: Int32
        let field: Int32
        let name: String
        let value: CELValue
        /// Bytes that reading it costs each time, whether it has been read before or not.
        let readBytes: Int
    }

    private static let entriesMax = 4
    nonisolated(unsafe) private var members: [Member] = []
    /// The member that makes room for the next one.
    nonisolated(unsafe) private var oldestMember = 0
    nonisolated(unsafe) private var document: JSONDocument?
    nonisolated(unsafe) private var texts: [(index: Int, text: String)] = []
    nonisolated(unsafe) private var oldestText = 0

    /// Variables hold other values now.
    func forget() {
        guard !members.isEmpty else { return }
        members.removeAll(keepingCapacity: true)
        oldestMember = 0
    }

    func member(_ name: String, of field: Int32, _ variable: Int32) -> Member? {
        for index in members.indices where members[index].field == field && members[index].variable == variable {
            if UTF8Text.equal(members[index].name, name) { return members[index] }
        }
        return nil
    }

    func keep(_ member: Member) {
        if members.count < Self.entriesMax {
            members.append(member)
        } else {
            members[oldestMember] = member
            oldestMember = (oldestMember + 1) % Self.entriesMax
        }
    }

    /// The text of a string node.
    func text(_ node: JSONNode) -> String {
        if document !== node.document {
            document = node.document
            texts.removeAll(keepingCapacity: true)
            oldestText = 0
        }
        for entry in texts where entry.index == node.index { return entry.text }
        let text = node.directString
        if texts.count < Self.entriesMax {
            texts.append((node.index, text))
        } else {
            texts[oldestText] = (node.index, text)
            oldestText = (oldestText + 1) % Self.entriesMax
        }
        return text
    }
}
