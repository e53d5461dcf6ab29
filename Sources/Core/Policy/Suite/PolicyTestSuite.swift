/// A file of policy tests: `{"constraints": [...], "cases": [...]}`; the constraints may stand in a file of their own.
///
/// A case: `{"name", "message", "principal"?, "now"?, "state"?: {"config"?, "registry"?, "topic_groups"?, "earlier"?}, "expect"}`. The
/// message has the form that the doors take. `config` is an object of global values, or a list of documents with level and scope.
/// `earlier` is a list of `{"message"?, "at"?, "times"?, "every_ms"?}`: messages that limits have seen, by default the case's own.
package struct PolicyTestSuite: Sendable {
    package let set: PolicySet
    package let cases: [PolicyTestCase]

    /// - Parameters:
    ///   - document: the file.
    ///   - constraints: a list of documents, for a file without constraints of its own.
    /// - Throws: everything that is wrong in the file, with JSON Pointers.
    package init(_ document: JSONNode, constraints: JSONNode? = nil, compiler: PolicyCompiler) throws(Refusal) {
        guard document.kind == .object else { throw Refusal(.wrongType, "", "a file of policy tests is an object with 'cases'") }
        var reader = DocumentReader(document, "", Refusal())
        reader.allow(["constraints", "constraints_file", "cases"], of: "a file of policy tests")
        let own = reader.member("constraints")
        let (read, refusal) = Self.constraints(own ?? constraints, own == nil ? "" : "/constraints", compiler)
        for violation in refusal.violations { reader.refusal.add(violation.code, violation.pointer, violation.detail) }
        var cases: [PolicyTestCase] = []
        let list = reader.member("cases")
        if list?.kind != .array || list?.count == 0 { reader.refusal.add(.missing, "/cases", "'cases' is needed: a list of at least one case") }
        if let list, list.count > Limits.policyCasesMax { reader.refusal.add(.tooLarge, "/cases", "at most \(Limits.policyCasesMax) cases are possible") }
        let items: [JSONNode] = list.map { Array($0.items.prefix(Limits.policyCasesMax)) } ?? []
        for (index, item) in items.enumerated() {
            var one = PolicyTestReader(item, "/cases/\(index)")
            if let read = one.read(index) { cases.append(read) }
            for violation in one.refusal.violations { reader.refusal.add(violation.code, violation.pointer, violation.detail) }
        }
        guard reader.refusal.isEmpty else { throw reader.refusal }
        set = PolicySet(compiler, constraints: read)
        self.cases = cases
    }

    /// Reads a list of constraint documents, or an object with it under `constraints`; also what is wrong with them.
    package static func constraints(_ node: JSONNode?, _ pointer: String, _ compiler: PolicyCompiler) -> (read: [Constraint], refusal: Refusal) {
        var refusal = Refusal()
        guard let node else {
            refusal.add(.missing, "/constraints", "no constraints are given: neither here nor in a file of their own")
            return ([], refusal)
        }
        let (list, place) = node.kind == .object ? (node["constraints"], pointer + "/constraints") : (node, pointer)
        guard let list, list.kind == .array else {
            refusal.add(.wrongType, place, "a list of constraints is expected")
            return ([], refusal)
        }
        let reader = ConstraintReader(compiler)
        var read: [Constraint] = []
        var names = Set<String>()
        for (index, item) in list.items.enumerated() {
            do throws(Refusal) {
                let constraint = try reader.read(item, at: "\(place)/\(index)")
                if !names.insert(constraint.id).inserted { refusal.add(.conflict, "\(place)/\(index)/constraint_id", "'\(constraint.id)' is there twice") }
                read.append(constraint)
            } catch {
                for violation in error.violations { refusal.add(violation.code, violation.pointer, violation.detail) }
            }
        }
        return (read, refusal)
    }

    /// Runs every case by itself, in the order of the file.
    package func run() -> [PolicyTestResult] {
        var machine = PolicyMachine(set.compiler)
        return cases.map { test in
            var limiter = LimiterState()
            for earlier in test.earlier { _ = machine.decide(earlier.message, at: earlier.at, set, test.context, &limiter) }
            let decision = machine.decide(test.input.message, at: test.input.at, set, test.context, &limiter)
            return PolicyTestResult(name: test.name, differences: test.differences(decision), faults: decision.faults)
        }
    }
}
