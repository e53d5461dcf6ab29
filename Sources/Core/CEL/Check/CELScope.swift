/// What names mean: the variables of the host, those of macros, the names of types.
struct CELScope {
    /// What a name stands for.
    enum Meaning: Sendable, Equatable {
        /// Index of a variable of the environment.
        case variable(Int)
        /// Slot of a macro's variable.
        case local(Int)
        /// A type as a value.
        case type(String)
    }

    private let environment: CELEnvironment
    /// Macro variables, innermost last; the position is the slot.
    private(set) var locals: [(name: String, type: CELType)] = []
    /// The most macro variables that live at once.
    private(set) var slots = 0

    init(_ environment: CELEnvironment) { self.environment = environment }

    mutating func enter(_ name: String, _ type: CELType) -> Int {
        locals.append((name, type))
        slots = max(slots, locals.count)
        return locals.count - 1
    }

    mutating func leave() { locals.removeLast() }

    /// Tries `name`, which may be dotted, from the innermost scope outwards.
    ///
    /// - Source: langdef.md, "Name Resolution": in container `a.b` the name `x` is tried as `a.b.x`, `a.x`, `x`. A macro's variable hides
    ///   every name that starts with it.
    func find(_ name: String, isRoot: Bool) -> (meaning: Meaning, type: CELType)? {
        if !isRoot {
            let first = name.prefix { $0 != "." }
            if let slot = locals.lastIndex(where: { $0.name == first }) {
                return first.utf8.count == name.utf8.count ? (.local(slot), locals[slot].type) : nil
            }
        }
        for candidate in candidates(name, isRoot: isRoot) {
            if let index = environment.index(of: candidate) { return (.variable(index), environment.variables[index].type) }
            if CELType.named[candidate] != nil { return (.type(candidate), .type) }
            if environment.records[candidate] != nil { return (.type(candidate), .type) }
        }
        return nil
    }

    /// The function called as `name`, which may be qualified (`math.greatest`).
    func function(_ name: String) -> CELFunction? {
        let isRoot = name.utf8.first == UInt8(ascii: ".")
        return candidates(isRoot ? String(name.dropFirst()) : name, isRoot: isRoot).lazy.compactMap(CELFunction.init(rawValue:)).first
    }

    private func candidates(_ name: String, isRoot: Bool) -> [String] {
        guard !isRoot, !environment.container.isEmpty else { return [name] }
        var container = environment.container[...]
        var out: [String] = []
        while !container.isEmpty {
            out.append(container + "." + name)
            container = container.lastIndex(of: ".").map { container[..<$0] } ?? ""
        }
        return out + [name]
    }
}
