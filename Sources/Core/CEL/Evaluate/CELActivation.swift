/// The values of an environment's variables for one evaluation, by their index; reusable for any number of programs of that environment.
package struct CELActivation: Sendable {
    private var values: [CELValue?]
    private(set) var memo: CELMemo?

    init(variables: Int) { values = Array(repeating: nil, count: variables) }

    /// - Shape: `index` as `CELEnvironment.index(of:)` gives it.
    package mutating func set(_ index: Int, _ value: CELValue?) {
        values[index] = value
        memo?.forget()
    }

    /// Keeps what is read out of JSON from one program to the next; only for who evaluates on one thread at a time, and says when a record
    /// that stands in a variable has other fields.
    mutating func remember() { memo = CELMemo() }

    /// A record that stands in a variable has other fields now.
    func forget() { memo?.forget() }

    @inline(__always)
    func value(_ index: Int) -> CELValue? { values[index] }

    /// A value of a JSON text.
    @inline(__always)
    func value(of node: JSONNode) -> CELValue {
        if let memo, node.kind == .string { return .string(memo.text(node)) }
        return CELValue(json: node)
    }
}
