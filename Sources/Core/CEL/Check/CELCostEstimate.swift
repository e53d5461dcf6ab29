/// The most that an expression can cost, with the largest inputs. Sums and products stop at the largest number.
struct CELCostEstimate {
    /// What a part costs, and how many elements or bytes its value has at most.
    private struct Bound {
        var cost: UInt64
        var size: UInt64
    }

    private let checked: CELChecked
    private let environment: CELEnvironment

    static func estimate(_ expression: CELExpression, _ checked: CELChecked, _ environment: CELEnvironment) -> UInt64 {
        CELCostEstimate(checked: checked, environment: environment).bound(expression).cost
    }

    private func bound(_ expression: CELExpression) -> Bound {
        switch expression.kind {
        case .literal(.string(let text)): return Bound(cost: 1, size: UInt64(text.utf8.count))
        case .literal(.bytes(let bytes)): return Bound(cost: 1, size: UInt64(bytes.count))
        case .literal: return Bound(cost: 1, size: 1)
        case .identifier: return Bound(cost: 1, size: declared(expression))
        case .select(let operand, _, _):
            if checked.meanings[expression.id] != nil { return Bound(cost: 1, size: declared(expression)) }
            return Bound(cost: bound(operand).cost.capped(plus: 1), size: declared(expression))
        case .list(let elements), .and(let elements), .or(let elements):
            let cost = elements.reduce(1 + UInt64(elements.count)) { $0.capped(plus: bound($1).cost) }
            return Bound(cost: cost, size: UInt64(elements.count))
        case .map(let entries):
            let cost = entries.reduce(1 + 2 * UInt64(entries.count)) { $0.capped(plus: bound($1.key).cost).capped(plus: bound($1.value).cost) }
            return Bound(cost: cost, size: UInt64(entries.count))
        case .conditional(let condition, let first, let second):
            let left = bound(first)
            let right = bound(second)
            return Bound(cost: bound(condition).cost.capped(plus: max(left.cost, right.cost)).capped(plus: 1), size: max(left.size, right.size))
        case .macro(let macro):
            let range = bound(macro.range)
            let each = (macro.predicate.map { bound($0).cost } ?? 0).capped(plus: macro.transform.map { bound($0).cost } ?? 0).capped(plus: 2)
            return Bound(cost: range.cost.capped(plus: range.size).capped(plus: range.size.capped(times: each)), size: range.size)
        case .call(_, let target, let arguments):
            let all = (checked.isQualified[expression.id] ? [] : target.map { [$0] } ?? []) + arguments
            return call(expression, all.map { bound($0) })
        }
    }

    /// The declared size of a variable or field, else what is assumed for its type.
    private func declared(_ expression: CELExpression) -> UInt64 {
        if case .variable(let index)? = checked.meanings[expression.id], let size = environment.variables[index].sizeMax { return UInt64(size) }
        if case .select(let operand, let field, _) = expression.kind, case .record(let name) = checked.types[operand.id],
            let record = environment.records[name], let index = record.index(of: field), let size = record.fields[index].sizeMax
        {
            return UInt64(size)
        }
        return assumed(checked.types[expression.id])
    }

    private func assumed(_ type: CELType) -> UInt64 {
        let limits = environment.limits
        return switch type {
        case .string, .bytes: limits.textBytesAssumed
        case .list, .map: limits.elementsAssumed
        case .dyn, .unknown: max(limits.textBytesAssumed, limits.elementsAssumed)
        default: 1
        }
    }

    private func call(_ expression: CELExpression, _ operands: [Bound]) -> Bound {
        let sizes = operands.map(\.size)
        let base = operands.reduce(UInt64(1)) { $0.capped(plus: $1.cost) }
        let total = sizes.reduce(UInt64(0)) { $0.capped(plus: $1) }
        let product = sizes.reduce(UInt64(1)) { $0.capped(times: max(1, $1)) }
        var size = assumed(checked.types[expression.id])
        let work: UInt64
        switch checked.functions[expression.id] {
        case .add:
            size = total
            work = total
        case .contained:
            work = sizes.count == 2 ? sizes[1].capped(times: 1 + sizes[0] / 16) : total
        case .contains, .indexOf, .lastIndexOf: work = product / 16
        case .matches: work = total.capped(times: 2)
        case .replace, .join, .format:
            size = product.capped(plus: total)
            work = size
        case .split:
            size = sizes.first ?? 1
            work = product / 16
        case .index, .greatest, .least: work = sizes.first ?? 1
        case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours, .getMinutes, .getSeconds, .getMilliseconds:
            work = 1
        default:
            // One pass over what is given; text grows at most sixfold by an escape or a base.
            if case .string = checked.types[expression.id] { size = max(64, (sizes.first ?? 1).capped(times: 6)) }
            work = total
        }
        return Bound(cost: base.capped(plus: work), size: size)
    }
}

extension UInt64 {
    fileprivate func capped(plus other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func capped(times other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
