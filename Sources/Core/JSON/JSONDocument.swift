/// A parsed JSON text: its bytes, and a flat tape of 16-byte nodes that point into them.
///
/// Strings and numbers stay in the text until they are asked for. Objects keep the order of their members; a key that is written twice
/// keeps both, and looking it up gives the last, as most readers do.
///
/// - Cost: parsing is one pass; two allocations for most texts. An object of more than 48 members gets a hash index.
/// - Source: RFC 8259.
package final class JSONDocument: Sendable {
    package let text: [UInt8]
    let nodes: [JSONTapeNode]
    /// Indexes of big objects by the tape index of the object.
    private let indexes: [Int: JSONKeyIndex]

    /// - Parameter nesting: levels of arrays and objects; at most `Limits.nestingMax`, since what reads the document may recurse.
    /// - Throws: where and why the text is no JSON, or is deeper or longer than its bounds.
    package init(_ text: [UInt8], nesting: Int = Limits.nestingMax) throws(JSONFault) {
        guard text.count <= Limits.documentBytesMax else { throw JSONFault(reason: .tooLong, offset: Limits.documentBytesMax) }
        var parser = JSONParser(bytes: text.count)
        try parser.parse(text.span, nesting: min(nesting, Limits.nestingMax))
        self.text = text
        nodes = parser.nodes
        var indexes: [Int: JSONKeyIndex] = [:]
        for object in parser.bigObjects { indexes[object] = JSONKeyIndex(text.span, parser.nodes, object) }
        self.indexes = indexes
    }

    package convenience init(_ text: String) throws(JSONFault) { try self.init(Array(text.utf8)) }

    package var root: JSONNode { JSONNode(document: self, index: 0) }

    /// Tape index behind the value at `index`.
    @inline(__always)
    func end(_ index: Int) -> Int {
        let node = nodes[index]
        return node.kind.rawValue >= JSONKind.array.rawValue ? node.end : index + 1
    }

    /// Tape index of the value of the object's last member with this key.
    func member(_ object: Int, _ key: Span<UInt8>) -> Int? {
        let hash = JSONWords.hash(key, 0..<key.count)
        if nodes[object].flag, let index = indexes[object] { return index.value(of: key, hash, self) }
        let text = self.text
        let nodes = self.nodes
        var found: Int?
        var at = object + 1
        let end = nodes[object].end
        while at < end {
            if UInt32(truncatingIfNeeded: nodes[at].payload) == hash, JSONKeyIndex.isKey(text.span, nodes[at], key) { found = at + 1 }
            at = self.end(at + 1)
        }
        return found
    }

    func member(_ object: Int, named key: [UInt8]) -> Int? { member(object, key.span) }
}
