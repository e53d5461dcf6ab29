/// Calls functions by their number of arguments; the evaluator has charged one unit for the call.
enum CELLibrary {
    static func call(_ function: CELFunction, _ operand: CELValue, _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        switch function {
        case .dyn: return operand
        case .type: return .type(operand.typeName)
        case .negate: return try CELArithmetic.negate(operand)
        case .int, .uint, .double, .bool, .string, .bytes, .timestamp, .duration: return try CELConversion.convert(function, operand, &meter)
        case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours, .getMinutes, .getSeconds, .getMilliseconds:
            return try CELTimes.part(function, operand)
        case .lowerAscii, .upperAscii, .reverse, .trim, .quote, .join: return try CELText.call(function, [operand], &meter)
        case .base64Encode, .base64Decode: return try CELConversion.base64(function, operand, &meter)
        default: return try CELMath.call(function, operand)
        }
    }

    static func call(
        _ function: CELFunction, _ left: CELValue, _ right: CELValue, _ meter: inout CELMeter, _ services: CELServices
    ) throws(CELReason) -> CELValue {
        switch function {
        case .add: return try CELArithmetic.add(left, right, &meter)
        case .subtract: return try CELArithmetic.subtract(left, right)
        case .multiply, .divide, .modulo: return try CELArithmetic.multiply(function, left, right)
        case .startsWith, .endsWith, .contains:
            guard case .string(let text) = left, case .string(let part) = right else { throw .noOverload(function, left, right) }
            return .bool(try CELText.test(function, text, part, &meter))
        case .matches:
            guard case .string(let text) = left, case .string(let source) = right else { throw .noOverload(function, left, right) }
            return .bool(try CELText.matches(text, CELText.compile(source, &meter, services), &meter))
        case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours, .getMinutes, .getSeconds, .getMilliseconds:
            return try CELTimes.part(function, left, in: right, &meter, services)
        case .format: return try CELFormat.call(left, right, &meter)
        case .bitAnd, .bitOr, .bitXor, .bitShiftLeft, .bitShiftRight: return try CELMath.bits(function, left, right)
        default: return try CELText.call(function, [left, right], &meter)
        }
    }

    static func call(_ function: CELFunction, _ arguments: [CELValue], _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        function.isVariadic ? try CELMath.extreme(function, arguments, &meter) : try CELText.call(function, arguments, &meter)
    }
}
