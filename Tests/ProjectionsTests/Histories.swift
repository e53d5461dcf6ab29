import Core
import TestSupport

/// Random histories of control documents: few keys and many changes, names of all kinds.
struct ControlHistory {
    private var numbers: SeededNumbers
    private var alive: Set<String> = []
    private let keys: Int

    init(seed: UInt64, keys: Int = 200) {
        numbers = SeededNumbers(seed)
        self.keys = keys
    }

    mutating func next() -> ControlEvent {
        let kind = numbers.pick(ControlKind.allCases)
        let key = name(numbers.below(keys))
        let id = kind.rawValue + "/" + key
        let change: ControlEvent.Change
        if !alive.contains(id) {
            change = .created
            alive.insert(id)
        } else if numbers.once(in: 5) {
            change = .deleted
            alive.remove(id)
        } else {
            change = .updated
        }
        return ControlEvent(
            kind, change, key: key, document: change == .deleted ? [] : document(kind, key), version: kind == .backbone && numbers.once(in: 3) ? 1 : nil,
            principal: "p\(numbers.below(5))", via: "test", comment: numbers.once(in: 4) ? "why \(numbers.below(100)) \"é\"" : "")
    }

    mutating func events(_ count: Int) -> [ControlEvent] { (0..<count).map { _ in next() } }

    /// Some look alike and are not the same bytes; some are long, or have characters that mean something elsewhere.
    private func name(_ index: Int) -> String {
        switch index % 20 {
        case 0: "caf\u{E9}-\(index / 40)"
        case 1: "cafe\u{301}-\(index / 40)"
        case 2: "o'brien \"\(index)\" %_\\ |{}"
        case 3: String(repeating: "long-", count: 60) + "\(index)"
        default: "key-\(index)"
        }
    }

    private mutating func document(_ kind: ControlKind, _ key: String) -> [UInt8] {
        let number = numbers.below(1_000)
        let extra = numbers.once(in: 3) ? ", \"note\":  \"spaces  and \\u00e9\\n\"" : ""
        switch kind {
        case .backbone:
            return Array(
                "{\"system_id\":\"s\(number)\",\"name\":\"n\(number)\",\"cluster_id\":\"c\",\"public_url\":\"nats://\(number)\",\"org_ids\":\"a,b\(number)\"\(extra)}"
                    .utf8)
        case .topics: return Array("{\"subject_id\":\"s\",\"org_id\":\"o\(number)\",\"topic_ids\":[\"t\(number)\",\"u\"]\(extra)}".utf8)
        case .config: return Array("{\"level\":\"global\",\"name\":\"x\(number)\",\"value\":\(number)\(extra)}".utf8)
        case .constraint: return Array("{\"constraint_id\":\"c\",\"stage\":\"publish\",\"mode\":\"enforce\",\"priority\":\(number)\(extra)}".utf8)
        case .template: return Array("{\"template_id\":\"t\",\"topics\":[\"a.\(number)\"],\"version\":\(number)\(extra)}".utf8)
        case .webhook: return Array("{\"webhook_id\":\"w\",\"url\":\"https://example.com/\(number)\",\"disabled\":\(number % 2 == 0)\(extra)}".utf8)
        }
    }
}
