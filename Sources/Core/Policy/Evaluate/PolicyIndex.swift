/// Finds the constraints that may apply to a message, of one stage: a trie of topic tokens, and below each pattern's end exact keys.
///
/// A constraint stands at the end of each of its patterns (without topics: at the root, as if by `>`), under one more key where it has
/// one: a sender, else a recipient, else an organisation. Topics are exact here; the other keys are found by hash, so the scope of what
/// is found has still to be checked.
/// - Cost of a look-up: a hash for each token and each key that some constraint has there; nothing for constraints elsewhere.
struct PolicyIndex: Sendable {
    private enum Dimension: UInt8 { case source = 1, destination = 2, organisation = 4 }

    private struct Node: Sendable {
        /// Bytes of the token that leads here.
        let token: [UInt8]
        /// Another child of the same parent whose token has the same hash; -1 for none.
        var sibling: Int32 = -1
        /// The node for `*`; -1 for none.
        var any: Int32 = -1
        var hasLiterals = false
        /// Constraints whose pattern ends here, and those with `>` here.
        var here = End()
        var rest = End()

        init(_ token: [UInt8]) { self.token = token }
    }

    /// The end of a pattern.
    private struct End: Sendable {
        /// Constraints without another key, by their place in the set.
        var plain: [Int32] = []
        /// Bits of the dimensions that some constraint is keyed by here.
        var dimensions: UInt8 = 0
    }

    private var nodes = [Node([])]
    /// The first child by parent and the hash of its token.
    private var children: [UInt64: Int32] = [:]
    /// Constraints by the hash of end, dimension and key.
    private var buckets: [UInt64: [Int32]] = [:]
    private(set) var count = 0
    /// Constraints that stand under a recipient or an organisation: without any, a message's need not be read.
    private(set) var keyedByDestination = 0
    private(set) var keyedByOrganisation = 0

    // MARK: Changing

    mutating func add(_ place: Int32, _ scope: ConstraintScope) {
        note(scope, 1)
        change(scope) { $0.append(place) }
    }

    mutating func remove(_ place: Int32, _ scope: ConstraintScope) {
        note(scope, -1)
        change(scope) { list in if let index = list.lastIndex(of: place) { list.remove(at: index) } }
    }

    private mutating func note(_ scope: ConstraintScope, _ change: Int) {
        count += change
        switch Self.keys(scope).dimension {
        case .destination: keyedByDestination += change
        case .organisation: keyedByOrganisation += change
        default: break
        }
    }

    private static func keys(_ scope: ConstraintScope) -> (dimension: Dimension?, keys: Set<String>) {
        if !scope.sources.isEmpty { return (.source, scope.sources) }
        if !scope.destinations.isEmpty { return (.destination, scope.destinations) }
        if !scope.organisations.isEmpty { return (.organisation, scope.organisations) }
        return (nil, [])
    }

    private mutating func change(_ scope: ConstraintScope, _ body: (inout [Int32]) -> Void) {
        let (dimension, keys) = Self.keys(scope)
        for pattern in scope.topics.isEmpty ? [">"] : Set(scope.topics.map(\.text)) {
            let (node, isRest) = end(of: pattern)
            guard let dimension else {
                if isRest { body(&nodes[node].rest.plain) } else { body(&nodes[node].here.plain) }
                continue
            }
            if isRest { nodes[node].rest.dimensions |= dimension.rawValue } else { nodes[node].here.dimensions |= dimension.rawValue }
            for key in keys {
                let bytes = Array(key.utf8)
                let bucket = Self.bucket(node, isRest, dimension, bytes.span)
                body(&buckets[bucket, default: []])
                if buckets[bucket]?.isEmpty == true { buckets[bucket] = nil }
            }
        }
    }

    /// The node where a pattern ends, made where it is not there yet.
    private mutating func end(of pattern: String) -> (node: Int, isRest: Bool) {
        var node = 0
        for token in Subject.split(pattern.utf8) {
            if Subject.isRest(token) { return (node, true) }
            if Subject.isAny(token) {
                if nodes[node].any < 0 {
                    nodes[node].any = Int32(nodes.count)
                    nodes.append(Node(token))
                }
                node = Int(nodes[node].any)
            } else if let child = child(node, token.span, 0..<token.count) {
                node = child
            } else {
                let hash = Self.hash(node, token.span, 0..<token.count)
                var made = Node(token)
                made.sibling = children[hash] ?? -1
                children[hash] = Int32(nodes.count)
                nodes.append(made)
                nodes[node].hasLiterals = true
                node = nodes.count - 1
            }
        }
        return (node, false)
    }

    // MARK: Looking up

    /// What a message is found by.
    struct Keys {
        var source: [UInt8] = []
        var destinations: [[UInt8]] = []
        var organisation: [UInt8] = []
    }

    /// Appends the places of all constraints that may apply; some more than once.
    func collect(_ topic: Span<UInt8>, _ keys: borrowing Keys, into out: inout [Int32]) {
        walk(0, topic, 0, keys, &out)
    }

    private func walk(_ node: Int, _ topic: Span<UInt8>, _ start: Int, _ keys: borrowing Keys, _ out: inout [Int32]) {
        if start > topic.count {
            append(node, false, keys, &out)
            return
        }
        append(node, true, keys, &out)
        let any = nodes[node].any
        let hasLiterals = nodes[node].hasLiterals
        guard any >= 0 || hasLiterals else { return }
        var end = start
        while end < topic.count, topic[end] != UInt8(ascii: ".") { end += 1 }
        if any >= 0 { walk(Int(any), topic, end + 1, keys, &out) }
        if hasLiterals, let child = child(node, topic, start..<end) { walk(child, topic, end + 1, keys, &out) }
    }

    private func append(_ node: Int, _ isRest: Bool, _ keys: borrowing Keys, _ out: inout [Int32]) {
        let dimensions = isRest ? nodes[node].rest.dimensions : nodes[node].here.dimensions
        if isRest { out.append(contentsOf: nodes[node].rest.plain) } else { out.append(contentsOf: nodes[node].here.plain) }
        guard dimensions != 0 else { return }
        if dimensions & Dimension.source.rawValue != 0 { append(Self.bucket(node, isRest, .source, keys.source.span), &out) }
        if dimensions & Dimension.destination.rawValue != 0 {
            for index in keys.destinations.indices {
                let destination = keys.destinations[index]
                append(Self.bucket(node, isRest, .destination, destination.span), &out)
            }
        }
        if dimensions & Dimension.organisation.rawValue != 0, !keys.organisation.isEmpty {
            append(Self.bucket(node, isRest, .organisation, keys.organisation.span), &out)
        }
    }

    private func append(_ bucket: UInt64, _ out: inout [Int32]) {
        if let places = buckets[bucket] { out.append(contentsOf: places) }
    }

    private static func bucket(_ node: Int, _ isRest: Bool, _ dimension: Dimension, _ key: Span<UInt8>) -> UInt64 {
        let place = UInt64(node) << 4 | UInt64(dimension.rawValue) << 1 | (isRest ? 1 : 0)
        return place << 32 | UInt64(JSONWords.hash(key, 0..<key.count))
    }

    private static func hash(_ node: Int, _ text: Span<UInt8>, _ token: Range<Int>) -> UInt64 {
        UInt64(node) << 32 | UInt64(JSONWords.hash(text, token))
    }

    private func child(_ node: Int, _ text: Span<UInt8>, _ token: Range<Int>) -> Int? {
        var at = Int(children[Self.hash(node, text, token)] ?? -1)
        while at >= 0 {
            let candidate = nodes[at].token
            if candidate.count == token.count, JSONWords.equal(candidate.span, 0, text, token.lowerBound, token.count) { return at }
            at = Int(nodes[at].sibling)
        }
        return nil
    }
}
