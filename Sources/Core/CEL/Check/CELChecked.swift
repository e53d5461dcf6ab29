/// What the checker found out, by the id of the syntax tree's nodes.
struct CELChecked {
    /// `dyn` everywhere when the expression was not to be checked.
    var types: [CELType]
    /// What names stand for; nil for other nodes, and for names that nobody knows when the expression was not to be checked.
    var meanings: [CELScope.Meaning?]
    /// The functions of calls; nil as above.
    var functions: [CELFunction?]
    /// Calls whose target is no value but part of the function's name.
    var isQualified: [Bool]
    /// Slots of macro variables, by the macro's node.
    var slots: [Int]
    /// Slots needed in all.
    var slotCount = 0

    init(nodes: Int) {
        types = Array(repeating: .dyn, count: nodes)
        meanings = Array(repeating: nil, count: nodes)
        functions = Array(repeating: nil, count: nodes)
        isQualified = Array(repeating: false, count: nodes)
        slots = Array(repeating: 0, count: nodes)
    }
}
