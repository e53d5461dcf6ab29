/// Values of the configuration as rules read them, kept while the context stays the same: looking one up costs a parse.
///
/// - Shape: at most `Limits.policyMemoMax` of each kind; then it begins anew. What is in it never changes an answer.
struct PolicyMemo {
    private struct Address: Hashable {
        let names: [String]
        let topic: String
        let source: String
    }

    private struct Sender: Hashable {
        let topic: [UInt8]
        let source: [UInt8]
    }

    private var tables: [Address: CELValue] = [:]
    /// Names that are set anywhere.
    private var names: [String] = []
    private var varied: [[String]: Bool] = [:]
    private var hasLimit = false
    private var isLimitVaried = false
    private var limits: [Sender: Constraint?] = [:]

    init() {}

    init(_ context: PolicyContext) {
        names = context.config.names
        hasLimit = context.config.isSet(KnownSetting.rateLimit.rawValue)
        isLimitVaried = context.config.isVaried(.rateLimit)
    }

    /// The map `config` with these names as far as they are set; all names for nil.
    mutating func table(_ wanted: [String]?, _ entry: MessageEntry, _ context: PolicyContext) -> CELValue {
        let wanted = wanted ?? names
        let isVaried = isVaried(wanted, context)
        let address = Address(names: wanted, topic: isVaried ? entry.string(.topic) : "", source: isVaried ? entry.string(.source) : "")
        if let known = tables[address] { return known }
        var keys: [CELMapKey] = []
        var values: [CELValue] = []
        for name in wanted {
            let setting = context.config.setting(name, topic: entry.string(.topic), subject: entry.string(.source))
            guard let setting, let root = try? JSONDocument(setting.row.document).root, let value = root["value"] else { continue }
            keys.append(.string(name))
            values.append(CELValue(json: value))
        }
        let table = CELValue.map(.table(CELTable(keys: keys, values: values) ?? CELTable()))
        if tables.count >= Limits.policyMemoMax { tables.removeAll(keepingCapacity: true) }
        tables[address] = table
        return table
    }

    /// Whether any of the names is set other than globally.
    private mutating func isVaried(_ wanted: [String], _ context: PolicyContext) -> Bool {
        if let known = varied[wanted] { return known }
        let isVaried = wanted.contains { context.config.isVaried($0) }
        if varied.count >= Limits.policyMemoMax { varied.removeAll(keepingCapacity: true) }
        varied[wanted] = isVaried
        return isVaried
    }

    /// The limit of the configuration as a constraint of priority 0; nil when there is none for this topic and sender.
    mutating func defaultLimit(_ entry: MessageEntry, _ context: PolicyContext) -> Constraint? {
        guard hasLimit else { return nil }
        let sender = Sender(topic: isLimitVaried ? Array(entry.slice(.topic)) : [], source: isLimitVaried ? Array(entry.slice(.source)) : [])
        if let known = limits[sender] { return known }
        let rate = context.config.rateLimit(topic: entry.string(.topic), subject: entry.string(.source))
        let constraint = rate.map { rate in
            Constraint(
                id: PolicyDecision.defaultLimit, action: .limit(ConstraintAction.Limit(rate: rate, key: nil, over: .block, delayMsMax: 0)),
                description: "the configuration's \(KnownSetting.rateLimit.rawValue)")
        }
        if limits.count >= Limits.policyMemoMax { limits.removeAll(keepingCapacity: true) }
        limits[sender] = .some(constraint)
        return constraint
    }
}
