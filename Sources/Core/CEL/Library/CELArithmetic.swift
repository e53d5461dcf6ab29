/// `+ - * / %` and the minus in front: nothing wraps around, what does not fit is an error.
enum CELArithmetic {
    static func add(_ left: CELValue, _ right: CELValue, _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return .int(try fit(left.addingReportingOverflow(right)))
        case (.uint(let left), .uint(let right)): return .uint(try fit(left.addingReportingOverflow(right)))
        case (.double(let left), .double(let right)): return .double(left + right)
        case (.string(let left), .string(let right)):
            try meter.charge(bytes: left.utf8.count + right.utf8.count)
            return .string(left + right)
        case (.bytes(let left), .bytes(let right)):
            try meter.charge(bytes: left.count + right.count)
            return .bytes(left + right)
        case (.list(let left), .list(let right)):
            try meter.charge(left.count + right.count)
            return .list(left.elements + right.elements)
        case (.timestamp(let time), .duration(let duration)), (.duration(let duration), .timestamp(let time)):
            guard let sum = time.adding(duration) else { throw .range(of: "timestamp") }
            return .timestamp(sum)
        case (.duration(let left), .duration(let right)):
            guard let sum = left.adding(right) else { throw .range(of: "duration") }
            return .duration(sum)
        default: throw .noOverload(.add, left, right)
        }
    }

    static func subtract(_ left: CELValue, _ right: CELValue) throws(CELReason) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return .int(try fit(left.subtractingReportingOverflow(right)))
        case (.uint(let left), .uint(let right)): return .uint(try fit(left.subtractingReportingOverflow(right)))
        case (.double(let left), .double(let right)): return .double(left - right)
        case (.timestamp(let time), .duration(let duration)):
            guard let difference = time.adding(duration, times: -1) else { throw .range(of: "timestamp") }
            return .timestamp(difference)
        case (.timestamp(let left), .timestamp(let right)):
            guard let difference = left.since(right) else { throw .range(of: "duration") }
            return .duration(difference)
        case (.duration(let left), .duration(let right)):
            guard let difference = left.adding(right, times: -1) else { throw .range(of: "duration") }
            return .duration(difference)
        default: throw .noOverload(.subtract, left, right)
        }
    }

    static func multiply(_ function: CELFunction, _ left: CELValue, _ right: CELValue) throws(CELReason) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return .int(try integers(function, left, right))
        case (.uint(let left), .uint(let right)): return .uint(try integers(function, left, right))
        case (.double(let left), .double(let right)) where function == .multiply: return .double(left * right)
        case (.double(let left), .double(let right)) where function == .divide: return .double(left / right)
        default: throw .noOverload(function, left, right)
        }
    }

    private static func integers<T: FixedWidthInteger>(_ function: CELFunction, _ left: T, _ right: T) throws(CELReason) -> T {
        switch function {
        case .multiply: return try fit(left.multipliedReportingOverflow(by: right))
        case .divide:
            guard right != 0 else { throw .divideByZero }
            return try fit(left.dividedReportingOverflow(by: right))
        default:
            guard right != 0 else { throw .moduloByZero }
            return try fit(left.remainderReportingOverflow(dividingBy: right))
        }
    }

    static func negate(_ operand: CELValue) throws(CELReason) -> CELValue {
        switch operand {
        case .int(let number): .int(try fit(Int64(0).subtractingReportingOverflow(number)))
        case .double(let number): .double(-number)
        default: throw .noOverload(.negate, operand)
        }
    }

    private static func fit<T>(_ result: (partialValue: T, overflow: Bool)) throws(CELReason) -> T {
        if result.overflow { throw .overflow }
        return result.partialValue
    }
}
