/// A plan behind one reference: an evaluation takes hold of it without copying the arrays in it.
final class SharedPlan<Plan: Sendable>: Sendable {
    let plan: Plan

    init(_ plan: Plan) { self.plan = plan }
}

/// Bounds of a number.
struct NumberPlan: Sendable {
    struct Bound: Sendable {
        let value: JSONNumber
        /// The same when it is an integer of 64 bits.
        let integer: Int64?
        /// Tape index of the keyword's value.
        let node: Int32
    }

    var minimum: Bound?
    var exclusiveMinimum: Bound?
    var maximum: Bound?
    var exclusiveMaximum: Bound?
    var multipleOf: Bound?
}

/// Bounds of a string's length in characters.
struct LengthPlan: Sendable {
    var min = 0
    var max = Int.max
}

struct PatternPlan: Sendable {
    /// As it is written in the schema.
    let source: String
    let pattern: any TextPattern
    /// Steps for 4,096 bytes of text.
    let cost: Int
}

/// All keywords that look at an array's items.
struct ArrayPlan: Sendable {
    var minItems = 0
    var maxItems = Int.max
    var isUnique = false
    var prefix: [Int32] = []
    /// The schema of the items behind the prefix; -1: none.
    var items: Int32 = -1
    var contains: Int32 = -1
    var minContains = 1
    var maxContains = Int.max
}

/// A name that a schema mentions in `properties` or `required`.
struct PropertySlot: Sendable {
    let name: [UInt8]
    let hash: UInt32
    /// -1: the name is only required.
    var schema: Int32 = -1
    /// Position among the required names; -1: not required.
    var required: Int32 = -1
}

/// All keywords that look at an object's members, for one walk over them.
struct ObjectPlan: Sendable {
    var slots: [PropertySlot] = []
    /// Open addressing over `slots`, -1: free; a power of two, at least twice as many as slots.
    var table: [Int32] = []
    /// Slots by their order in `required`.
    var required: [Int32] = []
    var patterns: [(pattern: Int32, schema: Int32)] = []
    /// -1: none.
    var additional: Int32 = -1
    var propertyNames: Int32 = -1
    var minProperties = 0
    var maxProperties = Int.max

    /// Whether members need to be looked at one by one.
    var walks: Bool { !slots.isEmpty || !patterns.isEmpty || additional >= 0 || propertyNames >= 0 }

    /// Adds a name that is not there yet; its position.
    mutating func add(_ name: [UInt8]) -> Int {
        slots.append(PropertySlot(name: name, hash: JSONWords.hash(name.span, 0..<name.count)))
        return slots.count - 1
    }

    mutating func buildTable() {
        guard !slots.isEmpty else { return }
        var size = 4
        while size < slots.count * 2 { size *= 2 }
        table = [Int32](repeating: -1, count: size)
        for (index, slot) in slots.enumerated() {
            var at = Int(slot.hash) & (size - 1)
            while table[at] >= 0 { at = (at + 1) & (size - 1) }
            table[at] = Int32(index)
        }
    }
}

/// `dependentRequired`: with the member `name`, the others must be there too.
struct DependencyPlan: Sendable {
    struct Entry: Sendable {
        let name: [UInt8]
        var needed: [[UInt8]] = []
        var schema: Int32 = -1
    }

    var entries: [Entry] = []
    let keyword: StaticString
}

/// The values of `enum`.
struct EnumPlan: Sendable {
    let document: Int32
    /// Tape index of the array of values.
    let node: Int32
    /// Hash and tape index of each value, sorted.
    let values: [(hash: UInt64, node: Int32)]
}

struct ConstPlan: Sendable {
    let document: Int32
    let node: Int32
}

/// `if`, and what follows; -1: nothing.
struct ConditionalPlan: Sendable {
    let condition: Int32
    var then: Int32 = -1
    var otherwise: Int32 = -1
}

/// `$dynamicRef`: the name to look for in the dynamic scope, and where it leads when nothing there has it.
struct DynamicRefPlan: Sendable {
    let anchor: Int32
    let fallback: Int32
}
