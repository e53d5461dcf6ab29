/// `format`: `%s %d %f %e %b %o %x %X %%`, with a precision for `%f` and `%e`.
///
/// - Source: cel-spec, string extension's format; cel-go ext/formatting.go.
enum CELFormat {
    static func call(_ format: CELValue, _ arguments: CELValue, _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        guard case .string(let format) = format, case .list(let list) = arguments else { throw .noOverload(.format, format, arguments) }
        try meter.charge(format.utf8.count + list.count)
        let values = list.elements
        let bytes = Array(format.utf8)
        var out: [UInt8] = []
        var next = 0
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "%") else {
                out.append(bytes[at])
                at += 1
                continue
            }
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "%") {
                out.append(bytes[at])
                at += 1
                continue
            }
            let precision = try precision(bytes, &at)
            guard at < bytes.count else { throw .format("the format ends in the middle of a clause") }
            guard next < values.count else { throw .format("index \(next) out of range: the list has \(values.count) values") }
            try meter.charge(CELMeter.weight(values[next]) * 4 + (precision ?? 0) >> 3)
            let text = try clause(bytes[at], values[next], precision)
            try meter.charge(bytes: text.utf8.count)
            out += text.utf8
            next += 1
            at += 1
        }
        return .string(String(decoding: out, as: UTF8.self))
    }

    /// `.3`; nil when there is none.
    private static func precision(_ bytes: [UInt8], _ at: inout Int) throws(CELReason) -> Int? {
        guard at < bytes.count, bytes[at] == UInt8(ascii: ".") else { return nil }
        at += 1
        let start = at
        var value = 0
        while at < bytes.count, CELLexer.isDigit(bytes[at]) {
            value = min(value * 10 + Int(bytes[at] - 0x30), CELLimits.precisionMax + 1)
            at += 1
        }
        guard at > start else { throw .format("a precision needs digits") }
        guard value <= CELLimits.precisionMax else { throw .format("a precision is at most \(CELLimits.precisionMax)") }
        return value
    }

    private static func clause(_ letter: UInt8, _ value: CELValue, _ precision: Int?) throws(CELReason) -> String {
        let text: String?
        switch letter {
        case UInt8(ascii: "s"): text = try self.text(value)
        case UInt8(ascii: "d"): text = decimal(value)
        case UInt8(ascii: "f"): text = double(value).map { CELNumberText.fixed($0, precision ?? 6) }
        case UInt8(ascii: "e"): text = double(value).map { CELNumberText.scientific($0, precision ?? 6) }
        case UInt8(ascii: "b"): text = if case .bool(let flag) = value { flag ? "1" : "0" } else { integer(value, 2) }
        case UInt8(ascii: "o"): text = integer(value, 8)
        case UInt8(ascii: "x"), UInt8(ascii: "X"): text = hexadecimal(value, uppercase: letter == UInt8(ascii: "X"))
        default: throw .format("unrecognized formatting clause '\(Unicode.Scalar(letter))'")
        }
        guard let text else { throw .format("'%\(Unicode.Scalar(letter))' does not take a value of type \(value.typeName)") }
        return text
    }

    private static func double(_ value: CELValue) -> Double? {
        switch value {
        case .double(let number): number
        case .int(let number): Double(number)
        case .uint(let number): Double(number)
        default: nil
        }
    }

    private static func decimal(_ value: CELValue) -> String? {
        if case .double(let number) = value, !number.isFinite { return CELNumberText.shortest(number) }
        return integer(value, 10)
    }

    private static func integer(_ value: CELValue, _ radix: Int, uppercase: Bool = false) -> String? {
        switch value {
        case .int(let number): String(number, radix: radix, uppercase: uppercase)
        case .uint(let number): String(number, radix: radix, uppercase: uppercase)
        default: nil
        }
    }

    private static func hexadecimal(_ value: CELValue, uppercase: Bool) -> String? {
        let bytes: [UInt8]
        switch value {
        case .string(let text): bytes = Array(text.utf8)
        case .bytes(let content): bytes = content
        default: return integer(value, 16, uppercase: uppercase)
        }
        let digits = Array((uppercase ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Any value but a record, as `%s` writes it.
    private static func text(_ value: CELValue) throws(CELReason) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .int, .uint: return integer(value, 10) ?? ""
        case .double(let number): return CELNumberText.plain(number)
        case .string(let text): return text
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .timestamp(let time): return time.text
        case .duration(let duration): return duration.text
        case .type(let name): return name
        case .list(let list):
            var parts: [String] = []
            for element in list.elements { parts.append(try text(element)) }
            return "[" + parts.joined(separator: ", ") + "]"
        case .map(let map):
            var parts: [(key: String, value: String)] = []
            for key in map.keys { parts.append((try text(key), try text(map[key] ?? .null))) }
            parts.sort { UTF8Text.compare($0.key.utf8Span.span, $1.key.utf8Span.span) < 0 }
            return "{" + parts.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
        case .record: throw .format("'%s' does not take a value of type \(value.typeName)")
        }
    }
}
