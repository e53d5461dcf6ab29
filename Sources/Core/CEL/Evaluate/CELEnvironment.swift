/// What expressions may use: variables, the types of their records, a namespace, and what functions need from outside.
package struct CELEnvironment: Sendable {
    package struct Variable: Sendable {
        /// May be dotted: `x.y` is one variable.
        package let name: String
        package let type: CELType
        /// The most elements or bytes of its value, for the cost estimate; nil takes the limits' assumption.
        package let sizeMax: Int?

        package init(_ name: String, _ type: CELType, sizeMax: Int? = nil) {
            self.name = name
            self.type = type
            self.sizeMax = sizeMax
        }
    }

    package let variables: [Variable]
    /// By name; a variable or field of type `.record(name)` needs its type here.
    package let records: [String: CELRecordType]
    /// `a.b`: names are tried there first.
    package let container: String
    package let limits: CELLimits
    let patterns: (any PatternCompiler)?
    let zones: (any ZoneSource)?
    private let indices: [String: Int]

    /// - Shape: the variables' names are distinct.
    /// - Parameters:
    ///   - patterns: for `matches`; without one it is an error at run time.
    ///   - zones: for time zones by name; without one only `UTC` and offsets (`+05:30`) are known.
    package init(
        variables: [Variable], records: [CELRecordType] = [], container: String = "", limits: CELLimits = CELLimits(),
        patterns: (any PatternCompiler)? = nil, zones: (any ZoneSource)? = nil
    ) {
        self.variables = variables
        self.records = Dictionary(records.map { ($0.name, $0) }) { first, _ in first }
        self.container = container
        self.limits = limits
        self.patterns = patterns
        self.zones = zones
        indices = Dictionary(variables.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    package func index(of variable: String) -> Int? { indices[variable] }

    /// An activation without values.
    package func activation() -> CELActivation { CELActivation(variables: variables.count) }

    /// Compiles an expression once, for any number of evaluations.
    ///
    /// - Parameter check: false leaves types, names and functions to the evaluation.
    /// - Cost: about 20 to 200 µs.
    /// - Throws: everything that is wrong with it, with places and suggestions; also that it may cost too much.
    package func compile(_ source: String, check: Bool = true) throws(CELFault) -> CELProgram {
        let tree: CELExpression
        do throws(CELFinding) { tree = try CELParser.parse(source, limits) } catch { throw CELFault(source, [error]) }
        let checked = try CELChecker.check(tree, source: source, self, isChecked: check)
        let estimate = CELCostEstimate.estimate(tree, checked, self)
        guard !check || estimate <= limits.estimateMax else {
            let message = "the expression may cost up to \(estimate) units, at most \(limits.estimateMax) are allowed"
            throw CELFault(
                source, [CELFinding(offset: tree.offset, message: message, suggestion: "nested macros multiply; filter first, or look at fewer elements")])
        }
        let result = try CELLowering.lower(tree, checked, source: source, self, isChecked: check)
        return CELProgram(source: source, resultType: checked.types[tree.id], estimate: estimate, result)
    }
}
