/// All constraints of one moment, ready to be applied: compiled, ordered and indexed. A value: who changes theirs changes nobody else's.
///
/// - Cost: a change compiles the changed constraint only (about 100 µs) and moves the ranks behind it (microseconds for 10,000).
package struct PolicySet: Sendable {
    /// A constraint, ready to be applied.
    final class Rule: Sendable {
        let constraint: Constraint
        let sources: NameSet
        let destinations: NameSet
        let organisations: NameSet
        /// Why it cannot be evaluated: it then acts as an error of its own, for every message of its scope.
        let fault: String?

        init(_ constraint: Constraint, fault: String?) {
            self.constraint = constraint
            self.fault = fault
            sources = NameSet(constraint.scope.sources)
            destinations = NameSet(constraint.scope.destinations)
            organisations = NameSet(constraint.scope.organisations)
        }
    }

    package let compiler: PolicyCompiler
    private let reader: ConstraintReader
    /// By place; nil where one was taken out.
    private var rules: [Rule?] = []
    /// Index in `order`, by place.
    private var ranks: [Int32] = []
    private var free: [Int32] = []
    private var places: [String: Int32] = [:]
    /// Places in the order in which constraints are looked at.
    private(set) var order: [Int32] = []
    private(set) var initial = PolicyIndex()
    private(set) var reception = PolicyIndex()
    /// Changes since the index was made anew: what they leave behind in it is given back then.
    private var removals = 0

    package init(_ compiler: PolicyCompiler) {
        self.compiler = compiler
        reader = ConstraintReader(compiler)
    }

    /// All documents at once, by key.
    package init(_ compiler: PolicyCompiler, documents: [String: [UInt8]]) {
        self.init(compiler)
        var read: [Rule] = []
        for (key, document) in documents { read.append(rule(key, document)) }
        read.sort { Constraint.precedes($0.constraint, $1.constraint) }
        for rule in read {
            let place = Int32(rules.count)
            places[rule.constraint.id] = place
            rules.append(rule)
            ranks.append(place)
            order.append(place)
        }
        for place in order { index(place) }
    }

    /// Constraints that were read already; of those with the same id the last counts.
    package init(_ compiler: PolicyCompiler, constraints: [Constraint]) {
        self.init(compiler)
        for constraint in constraints { put(constraint) }
    }

    // MARK: Changing

    /// Puts in the document of a constraint, or takes the constraint out.
    ///
    /// A document that cannot be read should not have been stored. It stays in force as one that cannot be evaluated, on the widest scope
    /// that can be read from it: a mistake in a rule is no way past it.
    package mutating func put(key: String, _ document: [UInt8]?) {
        remove(key)
        if let document { insert(rule(key, document)) }
    }

    package mutating func put(_ constraint: Constraint) {
        remove(constraint.id)
        insert(Rule(constraint, fault: nil))
    }

    private func rule(_ key: String, _ document: [UInt8]) -> Rule {
        do throws(JSONFault) {
            let root = try JSONDocument(document).root
            do throws(Refusal) {
                return Rule(try reader.read(root).named(key), fault: nil)
            } catch {
                return Rule(Self.unreadable(key, root), fault: "the constraint cannot be read: \(error.summary)")
            }
        } catch {
            return Rule(Constraint(id: key, action: .block), fault: "the constraint is not JSON: \(error.detail)")
        }
    }

    /// What can still be told of a document that is no constraint: its topics, stage, mode and priority.
    private static func unreadable(_ key: String, _ root: JSONNode) -> Constraint {
        let topics = root["scope"]?["topics"].map { $0.items.compactMap(\.string) } ?? []
        return Constraint(
            id: key, scope: ConstraintScope(topics: topics.allSatisfy { Subject.isPattern($0.utf8) } ? topics : []), action: .block,
            mode: root["mode"]?.string.flatMap(Constraint.Mode.init(rawValue:)) ?? .enforce, priority: root["priority"]?.integer ?? 0)
    }

    private mutating func insert(_ rule: Rule) {
        let place = free.popLast() ?? Int32(rules.count)
        if Int(place) == rules.count {
            rules.append(rule)
            ranks.append(0)
        } else {
            rules[Int(place)] = rule
        }
        places[rule.constraint.id] = place
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if Constraint.precedes(self.rule(at: order[middle]).constraint, rule.constraint) { low = middle + 1 } else { high = middle }
        }
        order.insert(place, at: low)
        renumber(from: low)
        index(place)
    }

    private mutating func remove(_ id: String) {
        guard let place = places.removeValue(forKey: id) else { return }
        let rule = rule(at: place)
        if rule.constraint.stage == .initial { initial.remove(place, rule.constraint.scope) } else { reception.remove(place, rule.constraint.scope) }
        let rank = Int(ranks[Int(place)])
        order.remove(at: rank)
        rules[Int(place)] = nil
        free.append(place)
        renumber(from: rank)
        removals += 1
        guard removals > 1_000 + 4 * order.count else { return }
        removals = 0
        initial = PolicyIndex()
        reception = PolicyIndex()
        for place in order { index(place) }
    }

    private mutating func index(_ place: Int32) {
        let constraint = rule(at: place).constraint
        if constraint.stage == .initial { initial.add(place, constraint.scope) } else { reception.add(place, constraint.scope) }
    }

    private mutating func renumber(from start: Int) {
        for rank in start..<order.count { ranks[Int(order[rank])] = Int32(rank) }
    }

    // MARK: Reading

    func rule(at place: Int32) -> Rule {
        guard let rule = rules[Int(place)] else { preconditionFailure("the index names constraints that are there") }
        return rule
    }

    /// Turns places into ranks, in place, sorted and each once.
    func rank(_ places: inout [Int32]) {
        for index in places.indices { places[index] = ranks[Int(places[index])] }
        guard places.count > 1 else { return }
        var isSorted = true
        for index in 1..<places.count where places[index - 1] >= places[index] {
            isSorted = false
            break
        }
        if isSorted { return }
        places.sort()
        var kept = 1
        for index in 1..<places.count where places[index] != places[kept - 1] {
            places[kept] = places[index]
            kept += 1
        }
        places.removeLast(places.count - kept)
    }

    func rule(ranked rank: Int32) -> Rule { rule(at: order[Int(rank)]) }

    package var count: Int { order.count }

    package subscript(id: String) -> Constraint? { places[id].map { rule(at: $0).constraint } }

    /// In the order in which they are looked at.
    package var constraints: [Constraint] { order.map { rule(at: $0).constraint } }

    /// Constraints that cannot be evaluated, and why.
    package var faults: [(id: String, fault: String)] {
        order.compactMap { place in
            let rule = rule(at: place)
            return rule.fault.map { (rule.constraint.id, $0) }
        }
    }
}

extension Constraint {
    /// The key of its document is its name, whatever the document says.
    fileprivate func named(_ key: String) -> Constraint {
        key == id
            ? self
            : Constraint(
                id: key, scope: scope, stage: stage, when: when, action: action, mode: mode, priority: priority, reason: reason, description: description)
    }
}
