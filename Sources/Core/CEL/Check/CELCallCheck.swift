/// Calls: which function, which of its forms.
extension CELChecker {
    mutating func call(_ expression: CELExpression, _ name: String, _ target: CELExpression?, _ arguments: [CELExpression]) -> CELType {
        if let target, let (prefix, isRoot) = target.qualifiedName,
            let function = scope.function((isRoot ? "." : "") + prefix + "." + name), scope.find(prefix, isRoot: isRoot) == nil
        {
            checked.isQualified[expression.id] = true
            return apply(function, expression, isMethod: false, arguments)
        }
        let all = (target.map { [$0] } ?? []) + arguments
        guard let function = scope.function(name), !function.rawValue.contains(".") else { return unknown(expression, name, target, arguments) }
        return apply(function, expression, isMethod: target != nil, all)
    }

    private mutating func unknown(_ expression: CELExpression, _ name: String, _ target: CELExpression?, _ arguments: [CELExpression]) -> CELType {
        let known = CELFunction.allCases.map(\.rawValue).filter { CELLexer.isLetter($0.utf8.first ?? 0) }
        let qualified = known.filter { $0.contains(".") }
        // `math.x` asks for a function, not for a variable `math`.
        let prefix = target?.qualifiedName?.name
        let isNamespace = prefix.map { prefix in qualified.contains { $0.hasPrefix(prefix + ".") } } ?? false
        for argument in (isNamespace ? [] : target.map { [$0] } ?? []) + arguments { _ = type(of: argument) }
        let plain = known + ["has", "all", "exists", "exists_one", "map", "filter"]
        let near = prefix.flatMap { CELSuggestion.near("\($0).\(name)", qualified) } ?? CELSuggestion.near(name, plain)
        find(expression.offset, "there is no function '\(name)'", near)
        return .dyn
    }

    private mutating func apply(_ function: CELFunction, _ expression: CELExpression, isMethod: Bool, _ arguments: [CELExpression]) -> CELType {
        let types = arguments.map { type(of: $0) }
        if function.isVariadic {
            checked.functions[expression.id] = arguments.isEmpty ? nil : function
            return extreme(function, expression, types)
        }
        let overloads = CELOverload.all[function] ?? []
        let callable = overloads.filter { $0.isMethod == isMethod && $0.parameters.count == arguments.count }
        guard !callable.isEmpty else {
            find(
                expression.offset, "\(CELOperator.shown(function.rawValue)) is not called like this",
                Self.form(function, overloads, isMethod: isMethod, count: arguments.count))
            return .dyn
        }
        checked.functions[expression.id] = function
        guard isChecked else { return .dyn }
        return resolve(function, expression, callable, types)
    }

    private mutating func resolve(_ function: CELFunction, _ expression: CELExpression, _ overloads: [CELOverload], _ types: [CELType]) -> CELType {
        var results: [CELType] = []
        let before = unifier
        var after = unifier
        for overload in overloads {
            var attempt = before
            let instance = attempt.instantiate(overload.parameters + [overload.result])
            guard attempt.fits(types, Array(instance.dropLast())) else { continue }
            results.append(attempt.resolve(instance[instance.count - 1]))
            after = attempt
        }
        guard let first = results.first else {
            mismatch(function, expression, overloads, types)
            return .dyn
        }
        if results.count == 1 {
            unifier = after
            return first
        }
        return results.allSatisfy { $0 == first } ? first : .dyn
    }

    private mutating func mismatch(_ function: CELFunction, _ expression: CELExpression, _ overloads: [CELOverload], _ types: [CELType]) {
        let given = types.map { name($0) }.joined(separator: ", ")
        let numbers: Set<CELType> = [.int, .uint, .double]
        let resolved = types.map { unifier.resolve($0, final: true) }
        let suggestion: String?
        if resolved.count == 2, resolved.allSatisfy(numbers.contains), overloads.contains(where: { $0.parameters[0] == resolved[0] }) {
            suggestion = "convert one side, such as \(resolved[0].name)(…)"
        } else if function == .equal || function == .notEqual {
            suggestion = "they can never be equal; wrap one in dyn() if that is meant"
        } else {
            suggestion = Self.listed(overloads)
        }
        find(expression.offset, "\(CELOperator.shown(function.rawValue)) does not take (\(given))", suggestion)
    }

    /// `it takes (int, int), (string, string)`.
    private static func listed(_ overloads: [CELOverload]) -> String {
        let forms = overloads.map { "(" + $0.parameters.map { parameterName($0) }.joined(separator: ", ") + ")" }
        return "it takes " + forms.prefix(6).joined(separator: ", ") + (forms.count > 6 ? ", …" : "")
    }

    private static func parameterName(_ type: CELType) -> String {
        switch type {
        case .unknown, .dyn: "any"
        case .list(.unknown): "list"
        case .map(.unknown, _): "map"
        default: type.name
        }
    }

    /// How the function is called instead.
    private static func form(_ function: CELFunction, _ overloads: [CELOverload], isMethod: Bool, count: Int) -> String? {
        if let other = overloads.first(where: { $0.isMethod != isMethod && $0.parameters.count == count }) {
            return other.isMethod ? "write it behind its first argument: a.\(function.rawValue)(…)" : "write it in front: \(function.rawValue)(…)"
        }
        let counts = Set(overloads.filter { $0.isMethod == isMethod }.map { $0.parameters.count - ($0.isMethod ? 1 : 0) }).sorted()
        return counts.isEmpty ? nil : "it takes \(counts.map(String.init).joined(separator: " or ")) argument\(counts == [1] ? "" : "s")"
    }

    /// `math.greatest` and `math.least`: numbers, or one list of numbers.
    private mutating func extreme(_ function: CELFunction, _ expression: CELExpression, _ types: [CELType]) -> CELType {
        var numbers = types
        if types.count == 1, case .list(let element) = unifier.resolve(types[0]) { numbers = [element] }
        for type in numbers {
            switch unifier.resolve(type) {
            case .int, .uint, .double, .dyn, .unknown: break
            case let other: find(expression.offset, "'\(function.rawValue)' takes numbers or a list of numbers, not \(name(other))")
            }
        }
        guard let first = numbers.first else {
            find(expression.offset, "'\(function.rawValue)' takes at least one number")
            return .dyn
        }
        return numbers.allSatisfy { unifier.resolve($0) == unifier.resolve(first) } ? first : .dyn
    }
}
