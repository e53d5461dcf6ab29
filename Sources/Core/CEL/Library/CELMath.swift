/// The math extension.
///
/// - Source: cel-go ext/math.go.
enum CELMath {
    static func call(_ function: CELFunction, _ operand: CELValue) throws(CELReason) -> CELValue {
        switch (function, operand) {
        case (.ceil, .double(let number)): .double(number.rounded(.up))
        case (.floor, .double(let number)): .double(number.rounded(.down))
        case (.round, .double(let number)): .double(number.rounded(.toNearestOrAwayFromZero))
        case (.trunc, .double(let number)): .double(number.rounded(.towardZero))
        case (.isNaN, .double(let number)): .bool(number.isNaN)
        case (.isInf, .double(let number)): .bool(number.isInfinite)
        case (.isFinite, .double(let number)): .bool(number.isFinite)
        case (.sqrt, .double(let number)): .double(number.squareRoot())
        case (.sqrt, .int(let number)): .double(Double(number).squareRoot())
        case (.sqrt, .uint(let number)): .double(Double(number).squareRoot())
        case (.abs, .double(let number)): .double(number.magnitude)
        case (.abs, .int(let number)): .int(try absolute(number))
        case (.abs, .uint): operand
        case (.sign, .double(let number)): .double(number.isNaN ? number : number > 0 ? 1 : number < 0 ? -1 : 0)
        case (.sign, .int(let number)): .int(number.signum())
        case (.sign, .uint(let number)): .uint(number > 0 ? 1 : 0)
        case (.bitNot, .int(let number)): .int(~number)
        case (.bitNot, .uint(let number)): .uint(~number)
        default: throw .noOverload(function, operand)
        }
    }

    private static func absolute(_ number: Int64) throws(CELReason) -> Int64 {
        guard number != .min else { throw .overflow }
        return Swift.abs(number)
    }

    static func bits(_ function: CELFunction, _ left: CELValue, _ right: CELValue) throws(CELReason) -> CELValue {
        switch (function, left, right) {
        case (.bitShiftLeft, .int(let number), .int(let count)): .int(Int64(bitPattern: try shift(UInt64(bitPattern: number), count)))
        case (.bitShiftLeft, .uint(let number), .int(let count)): .uint(try shift(number, count))
        // Zeros come in from the left, also for a negative int.
        case (.bitShiftRight, .int(let number), .int(let count)): .int(Int64(bitPattern: try shift(UInt64(bitPattern: number), count, right: true)))
        case (.bitShiftRight, .uint(let number), .int(let count)): .uint(try shift(number, count, right: true))
        case (.bitAnd, .int(let left), .int(let right)): .int(left & right)
        case (.bitAnd, .uint(let left), .uint(let right)): .uint(left & right)
        case (.bitOr, .int(let left), .int(let right)): .int(left | right)
        case (.bitOr, .uint(let left), .uint(let right)): .uint(left | right)
        case (.bitXor, .int(let left), .int(let right)): .int(left ^ right)
        case (.bitXor, .uint(let left), .uint(let right)): .uint(left ^ right)
        default: throw .noOverload(function, left, right)
        }
    }

    private static func shift(_ number: UInt64, _ count: Int64, right: Bool = false) throws(CELReason) -> UInt64 {
        guard count >= 0 else { throw .negativeShift(count) }
        return right ? number >> count : number << count
    }

    /// The greatest or least of the numbers, or of the numbers in the only argument; the first of equal ones.
    static func extreme(_ function: CELFunction, _ arguments: [CELValue], _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        var numbers = arguments
        if arguments.count == 1, case .list(let list) = arguments[0] {
            try meter.charge(list.count)
            numbers = list.elements
        }
        guard var found = numbers.first, found.isNumber else { throw .noOverload(function: function.rawValue, types: arguments.map(\.typeName)) }
        for number in numbers.dropFirst() {
            guard number.isNumber else { throw .noOverload(function, found, number) }
            let order = CELOrder.numbers(number, found) ?? 0
            if function == .greatest ? order > 0 : order < 0 { found = number }
        }
        return found
    }
}
