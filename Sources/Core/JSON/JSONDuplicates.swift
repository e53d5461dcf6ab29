extension Refusal {
    /// Every member of a document whose key stands before it in the same object, at any depth; empty when there is none.
    ///
    /// Which of the two values counts is up to each reader, so a later change could turn the document into another one.
    /// - Cost: one pass with a set of keys for each object.
    package init(duplicateKeysIn document: JSONNode) {
        self.init()
        addDuplicateKeys(in: document, at: "")
    }

    private mutating func addDuplicateKeys(in value: JSONNode, at pointer: String) {
        // Most values hold nothing: a pointer is made only for those that do.
        switch value.kind {
        case .array:
            for (position, item) in value.items.enumerated() where item.count > 0 {
                if isFull { return }
                addDuplicateKeys(in: item, at: "\(pointer)/\(position)")
            }
        case .object:
            var seen: Set<[UInt8]> = []
            for (key, member) in value.members {
                if isFull { return }
                let name = key.stringBytes ?? []
                let isDuplicate = !seen.insert(name).inserted
                guard isDuplicate || member.count > 0 else { continue }
                let place = pointer + Violation.pointer(to: String(decoding: name, as: UTF8.self))
                if isDuplicate { add(.duplicateKey, place, "the member stands twice, so it is not clear which value is meant") }
                addDuplicateKeys(in: member, at: place)
            }
        case .null, .boolean, .number, .string: break
        }
    }
}
