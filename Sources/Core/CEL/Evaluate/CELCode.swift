/// What a node of a compiled expression does. `a`, `b` and `c` are the node's numbers.
enum CELOpcode: UInt8, Sendable {
    /// Constant `a`.
    case constant
    /// Variable `a` of the activation; its name is `b`.
    case variable
    /// Macro variable in slot `a`.
    case local
    /// Field `b` of the record that node `a` gives; its name is `c`.
    case field
    /// Field `b` of the record in variable `a`, whose name is `c`.
    case variableField
    /// Field named `b` of node `a`, looked up at run time.
    case select
    /// Whether node `a` has the field named `b`; whether the record has field `b`.
    case has, hasField
    /// Node `a`, indexed by node `b`.
    case index
    /// `b` operands from `a`; for a map, `b` pairs.
    case list, map
    /// `b` operands from `a`.
    case and, or
    case not
    /// Node `a` decides between nodes `b` and `c`.
    case conditional
    /// Nodes `a` and `b`, by the node's function.
    case equality, ordering
    /// The same, where both are ints by their types.
    case integerOrdering
    /// Node `a` and constant string `b`; `c` is 1 for "not equal".
    case equalText
    /// Node `a` in set `b`, which holds the elements of constant list `c`.
    case inSet
    case contained
    /// Node `a` and constant string `b`, by the node's function.
    case textTest
    /// Node `a` and pattern `b`.
    case matches
    /// Node `a` read in time zone `b`, by the node's function.
    case zoned
    case size
    /// A function of node `a`, of nodes `a` and `b`, of `b` operands from `a`.
    case unary, binary, many
    /// Four operands from `a`: range, slot, predicate, transform (-1 for none).
    case all, exists, existsOne, collect, filter
    /// The name or function that nobody knows is `a`.
    case missingName, missingFunction
}

struct CELNode: Sendable {
    let opcode: CELOpcode
    var function = CELFunction.equal
    var a: Int32 = 0
    var b: Int32 = 0
    var c: Int32 = 0
    /// Byte offset in the source.
    var offset: Int32 = 0
}

/// A compiled expression: flat nodes that name each other by index, and what they refer to.
final class CELCode: Sendable {
    let nodes: [CELNode]
    let operands: [Int32]
    let constants: [CELValue]
    let names: [String]
    let sets: [CELKeySet]
    let patterns: [any TextPattern]
    let zones: [CELZone]
    /// Macro variables that live at once.
    let slots: Int
    let services: CELServices

    init(_ builder: CELCodeBuilder, slots: Int, services: CELServices) {
        nodes = builder.nodes
        operands = builder.operands
        constants = builder.constants
        names = builder.names
        sets = builder.sets
        patterns = builder.patterns
        zones = builder.zones
        self.slots = slots
        self.services = services
    }
}

/// What functions need from outside Core.
struct CELServices: Sendable {
    let patterns: (any PatternCompiler)?
    let zones: (any ZoneSource)?
}

/// The parts of `CELCode` while it is made.
struct CELCodeBuilder {
    var nodes: [CELNode] = []
    var operands: [Int32] = []
    var constants: [CELValue] = []
    var names: [String] = []
    var sets: [CELKeySet] = []
    var patterns: [any TextPattern] = []
    var zones: [CELZone] = []

    mutating func add(_ node: CELNode) -> Int32 {
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    mutating func add(constant: CELValue) -> Int32 {
        constants.append(constant)
        return Int32(constants.count - 1)
    }

    mutating func add(name: String) -> Int32 {
        if let known = names.firstIndex(of: name), UTF8Text.equal(names[known], name) { return Int32(known) }
        names.append(name)
        return Int32(names.count - 1)
    }

    /// The first of the operands.
    mutating func add(operands list: [Int32]) -> Int32 {
        operands.append(contentsOf: list)
        return Int32(operands.count - list.count)
    }
}
