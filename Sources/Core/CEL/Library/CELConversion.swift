/// Conversions between types.
///
/// - Source: langdef.md, "List of Standard Definitions"; where it is silent, cel-go (common/types).
enum CELConversion {
    static func convert(_ function: CELFunction, _ operand: CELValue, _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        switch operand {
        case .string(let text): try meter.charge(bytes: text.utf8.count)
        case .bytes(let bytes): try meter.charge(bytes: bytes.count)
        default: break
        }
        let result: CELValue?
        switch function {
        case .int: result = try int(operand)
        case .uint: result = try uint(operand)
        case .double: result = try double(operand)
        case .bool: result = try bool(operand)
        case .string: result = try string(operand)
        case .bytes: result = try bytes(operand)
        case .timestamp: result = try timestamp(operand)
        default: result = try duration(operand)
        }
        guard let result else { throw .conversion(of: CELReason.shown(operand), to: function.rawValue) }
        return result
    }

    // Each gives nil when the value does not fit the type.

    private static func int(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .int: operand
        case .uint(let number): Int64(exactly: number).map(CELValue.int)
        case .double(let number): number > -0x1p63 && number < 0x1p63 ? .int(Int64(number)) : nil
        case .string(let text): isInteger(text, signed: true) ? Int64(text).map(CELValue.int) : nil
        case .timestamp(let time): .int(time.seconds)
        default: throw .noOverload(.int, operand)
        }
    }

    private static func uint(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .uint: operand
        case .int(let number): UInt64(exactly: number).map(CELValue.uint)
        case .double(let number): number >= 0 && number < 0x1p64 ? .uint(UInt64(number)) : nil
        case .string(let text): isInteger(text, signed: false) ? UInt64(text).map(CELValue.uint) : nil
        default: throw .noOverload(.uint, operand)
        }
    }

    /// Decimal digits only, perhaps behind a sign.
    private static func isInteger(_ text: String, signed: Bool) -> Bool {
        var digits = Array(text.utf8)[...]
        if signed, digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        return !digits.isEmpty && digits.allSatisfy(CELLexer.isDigit)
    }

    private static func double(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .double: return operand
        case .int(let number): return .double(Double(number))
        case .uint(let number): return .double(Double(number))
        case .string(let text): return CELNumberText.double(text).map(CELValue.double)
        default: throw .noOverload(.double, operand)
        }
    }

    private static func bool(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .bool: return operand
        case .string(let text):
            switch text {
            case "1", "t", "T", "true", "TRUE", "True": return .bool(true)
            case "0", "f", "F", "false", "FALSE", "False": return .bool(false)
            default: return nil
            }
        default: throw .noOverload(.bool, operand)
        }
    }

    private static func string(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .string: return operand
        case .bool(let flag): return .string(flag ? "true" : "false")
        case .int(let number): return .string(String(number))
        case .uint(let number): return .string(String(number))
        case .double(let number): return .string(CELNumberText.shortest(number))
        case .timestamp(let time): return .string(time.text)
        case .duration(let duration): return .string(duration.text)
        case .bytes(let bytes):
            guard UTF8Check.firstFault(bytes.span) == nil else { throw .notUTF8 }
            return .string(String(decoding: bytes, as: UTF8.self))
        default: throw .noOverload(.string, operand)
        }
    }

    private static func bytes(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .bytes: operand
        case .string(let text): .bytes(Array(text.utf8))
        default: throw .noOverload(.bytes, operand)
        }
    }

    private static func timestamp(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .timestamp: operand
        case .int(let seconds): CELTimestamp(seconds: seconds).map(CELValue.timestamp)
        case .string(let text): CELTimestamp(text: text).map(CELValue.timestamp)
        default: throw .noOverload(.timestamp, operand)
        }
    }

    private static func duration(_ operand: CELValue) throws(CELReason) -> CELValue? {
        switch operand {
        case .duration: operand
        case .string(let text): CELDuration(text: text).map(CELValue.duration)
        default: throw .noOverload(.duration, operand)
        }
    }

    // MARK: Encoders extension

    static func base64(_ function: CELFunction, _ operand: CELValue, _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        switch (function, operand) {
        case (.base64Encode, .bytes(let bytes)):
            try meter.charge(bytes: bytes.count * 2)
            return .string(String(decoding: Base64.encode(bytes), as: UTF8.self))
        case (.base64Decode, .string(let text)):
            try meter.charge(bytes: text.utf8.count * 2)
            // Padding may be left out.
            let padding = (4 - text.utf8.count % 4) % 4
            guard padding < 3, let bytes = Base64.decode(Array(text.utf8) + Array(repeating: UInt8(ascii: "="), count: padding)) else { throw .notBase64 }
            return .bytes(bytes)
        default: throw .noOverload(function, operand)
        }
    }
}
