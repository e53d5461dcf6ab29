/// The variables of one message, given to the expressions that read them and to no others, and the budget that they share.
struct PolicyValues: ~Copyable {
    private let message = PolicyMessage()
    private var activation: CELActivation
    private var entry = MessageEntry()
    private var position = Position.zero
    private var context = PolicyContext()
    /// Variables that are set for the message at hand.
    private var bound: PolicyNeeds.Variables = []
    private var isRegistryBound = false
    private var recipient = ""
    /// What the rules in force, and what shadows may still spend.
    private(set) var budget = 0
    private var shadowBudget = 0
    /// Who paid for parsing the payload and the metadata, by bit: rules in force, shadows.
    private var paid: (data: UInt8, metadata: UInt8) = (0, 0)
    private var memo = PolicyMemo()
    private var destinationsRead: [String]?
    private var organisationRead: [UInt8]?

    init(_ compiler: PolicyCompiler) {
        activation = compiler.reception.activation()
        activation.remember()
        activation.set(PolicyCompiler.Place.message, .record(message))
    }

    mutating func begin(_ context: PolicyContext) {
        self.context = context
        isRegistryBound = false
        activation.set(PolicyCompiler.Place.registry, nil)
        memo = PolicyMemo(context)
    }

    mutating func begin(_ entry: MessageEntry, _ position: Position) {
        self.entry = entry
        self.position = position
        message.begin(entry, position)
        activation.forget()
        bound = []
        budget = Limits.policyCostMax
        shadowBudget = Limits.policyCostMax
        paid = (0, 0)
        destinationsRead = nil
        organisationRead = nil
    }

    mutating func begin(recipient: String) {
        self.recipient = recipient
        bound.remove(.recipient)
    }

    // MARK: The message

    var destinations: [String] {
        mutating get {
            if let destinationsRead { return destinationsRead }
            let read = entry.destinationNames
            destinationsRead = read
            return read
        }
    }

    /// Of the topic; empty for none.
    var organisation: [UInt8] {
        mutating get {
            if let organisationRead { return organisationRead }
            let read = context.config.organisation(of: entry.string(.topic)).map { Array($0.utf8) } ?? []
            organisationRead = read
            return read
        }
    }

    /// The limit of the configuration for this topic and sender, as a constraint.
    var defaultLimit: Constraint? { mutating get { memo.defaultLimit(entry, context) } }

    // MARK: Evaluating

    /// Whether the condition holds.
    mutating func isTrue(_ expression: PolicyExpression, _ constraint: Constraint) throws(PolicyFault) -> Bool {
        try bind(constraint)
        do throws(CELError) {
            if constraint.mode == .shadow { return try expression.program.isTrue(activation, budget: &shadowBudget) }
            return try expression.program.isTrue(activation, budget: &budget)
        } catch { throw PolicyFault(error, in: expression.source) }
    }

    mutating func value(_ expression: PolicyExpression, _ constraint: Constraint) throws(PolicyFault) -> CELValue {
        try bind(constraint)
        let result = expression.program.evaluate(activation, costMax: constraint.mode == .shadow ? shadowBudget : budget)
        try charge(result.cost, constraint)
        switch result.outcome {
        case .success(let value): return value
        case .failure(let error): throw PolicyFault(error, in: expression.source)
        }
    }

    /// A template as text.
    mutating func text(_ template: PolicyTemplate, _ constraint: Constraint, bytesMax: Int) throws(PolicyFault) -> String {
        var out = ""
        for part in template.parts {
            switch part {
            case .text(let text): out += text
            case .expression(let expression):
                guard let text = PolicyText.text(try paid(expression, constraint), bytesMax: bytesMax) else {
                    throw PolicyFault("the value of '\(expression.source)' has no text of at most \(bytesMax) bytes")
                }
                out += text
            }
            if out.utf8.count > bytesMax { throw PolicyFault("the text has more than \(bytesMax) bytes") }
        }
        return out
    }

    /// A template for people: what cannot be evaluated becomes `?`, since the decision stands; cut at `Limits.reasonBytesMax`.
    mutating func reason(_ template: PolicyTemplate, _ constraint: Constraint) -> String {
        var out = ""
        for part in template.parts where out.utf8.count <= Limits.reasonBytesMax {
            switch part {
            case .text(let text): out += text
            case .expression(let expression):
                let text = (try? paid(expression, constraint)).flatMap { PolicyText.text($0, bytesMax: Limits.messageBytesMax) }
                out += text.map { PolicyText.bounded($0, Limits.reasonBytesMax) } ?? "?"
            }
        }
        return PolicyText.bounded(out, Limits.reasonBytesMax)
    }

    /// A value that is going to be written: the whole of it is read for that.
    mutating func paid(_ expression: PolicyExpression, _ constraint: Constraint) throws(PolicyFault) -> CELValue {
        let value = try value(expression, constraint)
        try charge(CELMeter.weight(value), constraint)
        return value
    }

    /// Takes something out of the budget.
    mutating func charge(_ units: Int, _ constraint: Constraint) throws(PolicyFault) {
        let left = (constraint.mode == .shadow ? shadowBudget : budget) - units
        if constraint.mode == .shadow { shadowBudget = max(0, left) } else { budget = max(0, left) }
        if left < 0 { throw PolicyFault(CELError(reason: .costExceeded(max: Limits.policyCostMax), offset: 0), in: "") }
    }

    // MARK: Variables

    private mutating func bind(_ constraint: Constraint) throws(PolicyFault) {
        let needs = constraint.needs.variables.subtracting(bound)
        if needs.isEmpty || needs == .message { return }
        if needs.contains(.data) || needs.contains(.metadata) { try pay(constraint) }
        if needs.contains(.config) {
            // Tables of few names: each constraint gets its own, so that nothing else is looked up.
            activation.set(PolicyCompiler.Place.config, memo.table(constraint.needs.configNames, entry, context))
        }
        if needs.contains(.registry), !isRegistryBound {
            activation.set(PolicyCompiler.Place.registry, context.registryValue)
            isRegistryBound = true
        }
        if needs.contains(.principal) { activation.set(PolicyCompiler.Place.principal, .string(entry.string(.principal))) }
        if needs.contains(.now) { activation.set(PolicyCompiler.Place.now, .timestamp(PolicyMessage.time(of: position))) }
        if needs.contains(.recipient) { activation.set(PolicyCompiler.Place.recipient, .string(recipient)) }
        bound.formUnion(needs.subtracting([.config, .data, .metadata]))
    }

    /// The first rule that may read the payload pays for parsing it, whether it comes to that or not: so the cost does not depend on it.
    private mutating func pay(_ constraint: Constraint) throws(PolicyFault) {
        let bit: UInt8 = constraint.mode == .shadow ? 2 : 1
        if constraint.needs.variables.contains(.data), paid.data & bit == 0 {
            paid.data |= bit
            try charge(entry.count(.data) >> 5, constraint)
        }
        if constraint.needs.variables.contains(.metadata), paid.metadata & bit == 0 {
            paid.metadata |= bit
            try charge(entry.count(.metadata) >> 5, constraint)
        }
    }
}
