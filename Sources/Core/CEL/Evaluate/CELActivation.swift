/// The values of an environment's variables for one evaluation, by their index; reusable for any number of programs of that environment.
package struct CELActivation: Sendable {
    private var values: [CELValue?]
    private var memo: CELTextMemo?

    init(variables: Int) { values = Array(repeating: nil, count: variables) }

    /// - Shape: `index` as `CELEnvironment.index(of:)` gives it.
    package mutating func set(_ index: Int, _ value: CELValue?) { values[index] = value }

    /// Keeps texts that are read out of JSON from one program to the next; only for who evaluates on one thread at a time.
    mutating func keepTexts() { memo = CELTextMemo() }

    @inline(__always)
    func value(_ index: Int) -> CELValue? { values[index] }

    /// The value under a name of a map.
    @inline(__always)
    func member(_ map: CELMap, _ name: String) -> CELValue? {
        guard let memo, case .json(let object) = map else { return map[name] }
        guard let node = object.member(name.utf8Span.span) else { return nil }
        return node.kind == .string ? .string(memo.text(node)) : CELValue(json: node)
    }
}
