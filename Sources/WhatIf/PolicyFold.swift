import Core
import Log

struct PolicyFold {
    var set: PolicySet
    var context: PolicyContext
    private var config = ConfigTable()
    private var backbones: [String: PolicyContext.Backbone] = [:]
    private let target: String

    init(_ tools: PolicyTools) {
        set = PolicySet(tools.compiler)
        target = tools.defaultTarget
        context = PolicyContext(defaultTarget: tools.defaultTarget)
    }

    mutating func apply(_ position: Position, _ entry: Result<ControlEvent, UnreadableEntry>) {
        if case .success(let event) = entry, event.kind == .constraint { set.put(key: event.key, event.change == .deleted ? nil : event.document) }
        context = PolicyContext(config: config, revision: position, defaultTarget: target)
    }
}
