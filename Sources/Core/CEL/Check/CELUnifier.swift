/// Finds out what unknown types are while an expression is checked: the element of `[]`, the parameters of a function.
///
/// - Source: the algorithm of cel-go's checker (types.go): `dyn` fits every type, an unknown is bound to what it first meets.
struct CELUnifier {
    private var bound: [Int: CELType] = [:]
    private var next = 0

    mutating func fresh() -> CELType {
        next += 1
        return .unknown(next - 1)
    }

    /// A copy of a declaration's types with parameters of its own.
    mutating func instantiate(_ types: [CELType]) -> [CELType] {
        var names: [Int: CELType] = [:]
        return types.map { replace($0, &names) }
    }

    private mutating func replace(_ type: CELType, _ names: inout [Int: CELType]) -> CELType {
        switch type {
        case .unknown(let number):
            if let known = names[number] { return known }
            let made = fresh()
            names[number] = made
            return made
        case .list(let element): return .list(replace(element, &names))
        case .map(let key, let value):
            let key = replace(key, &names)
            return .map(key, replace(value, &names))
        default: return type
        }
    }

    /// The type as far as it is known; what is still unknown stays so, or is `dyn` at the end.
    func resolve(_ type: CELType, final: Bool = false) -> CELType {
        switch type {
        case .unknown(let number):
            guard let found = bound[number] else { return final ? .dyn : type }
            return resolve(found, final: final)
        case .list(let element): return .list(resolve(element, final: final))
        case .map(let key, let value): return .map(resolve(key, final: final), resolve(value, final: final))
        default: return type
        }
    }

    /// Whether `from` can stand where `to` is wanted; binds unknowns only when all of it fits.
    mutating func fits(_ from: CELType, _ to: CELType) -> Bool { fits([from], [to]) }

    mutating func fits(_ from: [CELType], _ to: [CELType]) -> Bool {
        guard from.count == to.count else { return false }
        let saved = bound
        for (from, to) in zip(from, to) where !bind(from, to) {
            bound = saved
            return false
        }
        return true
    }

    private mutating func bind(_ from: CELType, _ to: CELType) -> Bool {
        let from = shallow(from)
        let to = shallow(to)
        switch (from, to) {
        case (.unknown(let left), .unknown(let right)) where left == right: return true
        case (_, .unknown(let number)):
            guard !occurs(number, in: from) else { return false }
            bound[number] = from
            return true
        case (.unknown(let number), _):
            guard !occurs(number, in: to) else { return false }
            bound[number] = to
            return true
        case (.dyn, _), (_, .dyn): return true
        case (.list(let left), .list(let right)): return bind(left, right)
        case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)): return bind(leftKey, rightKey) && bind(leftValue, rightValue)
        // Times and records may be absent, and are compared with null then.
        case (.null, .timestamp), (.null, .duration), (.null, .record), (.timestamp, .null), (.duration, .null), (.record, .null): return true
        default: return from == to
        }
    }

    private func shallow(_ type: CELType) -> CELType {
        var type = type
        while case .unknown(let number) = type, let found = bound[number] { type = found }
        return type
    }

    private func occurs(_ number: Int, in type: CELType) -> Bool {
        switch shallow(type) {
        case .unknown(let other): other == number
        case .list(let element): occurs(number, in: element)
        case .map(let key, let value): occurs(number, in: key) || occurs(number, in: value)
        default: false
        }
    }

    /// The type of values of both types together: the more general one, or `dyn`.
    mutating func join(_ left: CELType, _ right: CELType) -> CELType {
        if isAtLeastAsGeneral(left, right), fits(right, left) { return left }
        if isAtLeastAsGeneral(right, left), fits(left, right) { return right }
        return .dyn
    }

    /// Whether `left` says no more than `right`: `list(dyn)` is more general than `list(int)`.
    private func isAtLeastAsGeneral(_ left: CELType, _ right: CELType) -> Bool {
        switch (shallow(left), shallow(right)) {
        case (.dyn, _), (.unknown, .unknown), (_, .unknown): true
        case (.unknown, _): false
        case (.list(let left), .list(let right)): isAtLeastAsGeneral(left, right)
        case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
            isAtLeastAsGeneral(leftKey, rightKey) && isAtLeastAsGeneral(leftValue, rightValue)
        case (let left, let right): left == right
        }
    }
}
