/// Equality and order of values.
///
/// - Source: cel-spec langdef.md, "Equality" and "Ordering": numbers compare across int, uint and double as on one line.
enum CELOrder {
    /// - Cost: the whole of both values in the worst case; nesting is bounded by that of expressions and JSON.
    static func equal(_ left: CELValue, _ right: CELValue) -> Bool {
        switch (left, right) {
        case (.int(let left), .int(let right)): left == right
        case (.string(let left), .string(let right)): UTF8Text.equal(left, right)
        case (.bool(let left), .bool(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.uint(let left), .uint(let right)): left == right
        case (.null, .null): true
        case (.bytes(let left), .bytes(let right)): left == right
        case (.timestamp(let left), .timestamp(let right)): left == right
        case (.duration(let left), .duration(let right)): left == right
        case (.list(let left), .list(let right)): equal(left, right)
        case (.map(let left), .map(let right)): equal(left, right)
        case (.record(let left), .record(let right)): left === right
        case (.type(let left), .type(let right)): UTF8Text.equal(left, right)
        default: numbers(left, right) == 0
        }
    }

    private static func equal(_ left: CELList, _ right: CELList) -> Bool {
        guard left.count == right.count else { return false }
        let right = right.elements
        for (index, element) in left.elements.enumerated() where !equal(element, right[index]) { return false }
        return true
    }

    private static func equal(_ left: CELMap, _ right: CELMap) -> Bool {
        let keys = left.keys
        guard keys.count == right.count else { return false }
        for key in keys {
            guard let mine = left[key], let other = right[key], equal(mine, other) else { return false }
        }
        return true
    }

    /// The order of two values of ordered types; nil when they have none (other types, or NaN, for which `isUnordered` is set).
    static func compare(_ left: CELValue, _ right: CELValue, isUnordered: inout Bool) -> Int? {
        switch (left, right) {
        case (.string(let left), .string(let right)): return UTF8Text.compare(left.utf8Span.span, right.utf8Span.span)
        case (.bool(let left), .bool(let right)): return (left ? 1 : 0) - (right ? 1 : 0)
        case (.bytes(let left), .bytes(let right)): return UTF8Text.compare(left.span, right.span)
        case (.timestamp(let left), .timestamp(let right)): return left == right ? 0 : left < right ? -1 : 1
        case (.duration(let left), .duration(let right)): return left == right ? 0 : left < right ? -1 : 1
        default:
            if case .double(let number) = left, number.isNaN, right.isNumber { isUnordered = true }
            if case .double(let number) = right, number.isNaN, left.isNumber { isUnordered = true }
            return numbers(left, right)
        }
    }

    /// The order of two numbers; nil when one is no number or NaN. A double is compared with the double nearest to an integer.
    static func numbers(_ left: CELValue, _ right: CELValue) -> Int? {
        switch (left, right) {
        case (.int(let left), .int(let right)): sign(left, right)
        case (.uint(let left), .uint(let right)): sign(left, right)
        case (.double(let left), .double(let right)): doubles(left, right)
        case (.int(let left), .uint(let right)): left < 0 ? -1 : sign(UInt64(left), right)
        case (.uint(let left), .int(let right)): right < 0 ? 1 : sign(left, UInt64(right))
        case (.int(let left), .double(let right)): doubles(Double(left), right)
        case (.double(let left), .int(let right)): doubles(left, Double(right))
        case (.uint(let left), .double(let right)): doubles(Double(left), right)
        case (.double(let left), .uint(let right)): doubles(left, Double(right))
        default: nil
        }
    }

    private static func sign<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left > right ? 1 : 0 }

    private static func doubles(_ left: Double, _ right: Double) -> Int? {
        left < right ? -1 : left > right ? 1 : left == right ? 0 : nil
    }
}

extension CELValue {
    var isNumber: Bool {
        switch self {
        case .int, .uint, .double: true
        default: false
        }
    }
}
