/// The values of an environment's variables for one evaluation, by their index; reusable for any number of programs of that environment.
package struct CELActivation: Sendable {
    private var values: [CELValue?]

    init(variables: Int) { values = Array(repeating: nil, count: variables) }

    /// - Shape: `index` as `CELEnvironment.index(of:)` gives it.
    package mutating func set(_ index: Int, _ value: CELValue?) { values[index] = value }

    @inline(__always)
    func value(_ index: Int) -> CELValue? { values[index] }
}
