/// The values of an environment's variables for one evaluation, by their index; reusable for any number of programs of that environment.
package struct CELActivation: Sendable {
    private let names: [String]
    private var values: [CELValue?]

    init() {
        names = []
        values = []
    }

    init(_ names: [String]) {
        self.names = names
        values = Array(repeating: nil, count: names.count)
    }

    /// - Shape: `index` as `CELEnvironment.index(of:)` gives it.
    package mutating func set(_ index: Int, _ value: CELValue?) { values[index] = value }

    @inline(__always)
    func value(_ index: Int) -> CELValue? { values[index] }

    func name(_ index: Int) -> String { names[index] }
}
