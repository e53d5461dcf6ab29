/// Functions of text. Positions count code points.
///
/// - Source: langdef.md for the standard ones, cel-go ext/strings.go for the extension.
enum CELText {
    // MARK: Tests

    static func test(_ function: CELFunction, _ text: String, _ part: String, _ meter: inout CELMeter) throws(CELReason) -> Bool {
        let part = part.utf8Span.span
        let text = text.utf8Span.span
        switch function {
        case .startsWith:
            try meter.charge(bytes: part.count)
            return UTF8Text.hasPrefix(text, part)
        case .endsWith:
            try meter.charge(bytes: part.count)
            return UTF8Text.hasSuffix(text, part)
        default:
            try meter.charge(text.count >> 4, times: 1 + part.count >> 4)
            return ByteScan.firstIndex(of: part, in: text, from: 0) != nil
        }
    }

    static func matches(_ text: String, _ pattern: any TextPattern, _ meter: inout CELMeter) throws(CELReason) -> Bool {
        // RE2's fast matcher takes a step a byte; the bounded one, for which programs are too big, takes more for each instruction.
        try meter.charge(4 + (text.utf8.count >> 4), times: 1 + pattern.programSize >> 8)
        return pattern.matches(text.utf8Span.span)
    }

    /// A pattern that is known at run time only.
    static func compile(_ source: String, _ meter: inout CELMeter, _ services: CELServices) throws(CELReason) -> any TextPattern {
        guard let compiler = services.patterns else { throw .noPatterns }
        // Repetitions multiply: the size of what is compiled is known only afterwards, and bounded by the compiler.
        try meter.charge(200 + 8 * source.utf8.count)
        let compiled: any TextPattern
        do throws(PatternFault) { compiled = try compiler.compile(source) } catch { throw .pattern(error) }
        try meter.charge(compiled.programSize)
        return compiled
    }

    // MARK: Extension

    static func call(_ function: CELFunction, _ arguments: [CELValue], _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        if function == .join { return try join(arguments, &meter) }
        guard case .string(let text) = arguments[0] else { throw mismatch(function, arguments) }
        try meter.charge(text.utf8.count >> 2)
        switch function {
        case .lowerAscii: return .string(ascii(text, 0x41...0x5A))
        case .upperAscii: return .string(ascii(text, 0x61...0x7A))
        case .reverse: return .string(string(text.unicodeScalars.reversed()))
        case .trim: return .string(trim(text))
        case .quote: return .string(quote(text))
        case .charAt: return .string(try charAt(text, integer(function, arguments, 1)))
        case .substring: return .string(try substring(text, integer(function, arguments, 1), arguments.count > 2 ? integer(function, arguments, 2) : nil))
        case .indexOf, .lastIndexOf: return .int(try indexOf(function, text, arguments, &meter))
        case .split: return try split(text, self.text(function, arguments, 1), arguments.count > 2 ? integer(function, arguments, 2) : -1, &meter)
        case .replace: return try replace(text, arguments, &meter)
        default: throw mismatch(function, arguments)
        }
    }

    private static func mismatch(_ function: CELFunction, _ arguments: [CELValue]) -> CELReason {
        .noOverload(function: function.rawValue, types: arguments.map(\.typeName))
    }

    private static func integer(_ function: CELFunction, _ arguments: [CELValue], _ index: Int) throws(CELReason) -> Int64 {
        guard case .int(let number) = arguments[index] else { throw mismatch(function, arguments) }
        return number
    }

    private static func text(_ function: CELFunction, _ arguments: [CELValue], _ index: Int) throws(CELReason) -> String {
        guard case .string(let text) = arguments[index] else { throw mismatch(function, arguments) }
        return text
    }

    private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func ascii(_ text: String, _ letters: ClosedRange<UInt8>) -> String {
        String(decoding: text.utf8.map { letters.contains($0) ? $0 ^ 0x20 : $0 }, as: UTF8.self)
    }

    /// White space as Unicode's property of that name has it.
    private static func trim(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return string(scalars[first...last])
    }

    private static func quote(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x07: out += "\\a"
            case 0x08: out += "\\b"
            case 0x0C: out += "\\f"
            case 0x0A: out += "\\n"
            case 0x0D: out += "\\r"
            case 0x09: out += "\\t"
            case 0x0B: out += "\\v"
            case 0x5C: out += "\\\\"
            case 0x22: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func charAt(_ text: String, _ index: Int64) throws(CELReason) -> String {
        let scalars = Array(text.unicodeScalars)
        guard index >= 0, index <= scalars.count else { throw .noIndex(index) }
        return index == scalars.count ? "" : string([scalars[Int(index)]])
    }

    private static func substring(_ text: String, _ start: Int64, _ end: Int64?) throws(CELReason) -> String {
        let scalars = Array(text.unicodeScalars)
        let end = end ?? Int64(scalars.count)
        guard start >= 0, start <= scalars.count else { throw .noIndex(start) }
        guard end >= 0, end <= scalars.count else { throw .noIndex(end) }
        guard start <= end else { throw .badSubstring(start: start, end: end) }
        return string(scalars[Int(start)..<Int(end)])
    }

    private static func indexOf(_ function: CELFunction, _ text: String, _ arguments: [CELValue], _ meter: inout CELMeter) throws(CELReason) -> Int64 {
        let part = Array(try self.text(function, arguments, 1).unicodeScalars)
        let scalars = Array(text.unicodeScalars)
        try meter.charge(scalars.count >> 4, times: 1 + part.count >> 4)
        let isLast = function == .lastIndexOf
        let offset = arguments.count > 2 ? try integer(function, arguments, 2) : isLast ? Int64(scalars.count) : 0
        guard offset >= 0, offset <= scalars.count else { throw .noIndex(offset) }
        let room = scalars.count - part.count
        guard room >= 0 else { return -1 }
        func holds(_ at: Int) -> Bool { scalars[at..<(at + part.count)].elementsEqual(part) }
        if isLast { return Int64((0...min(room, Int(offset))).last(where: holds) ?? -1) }
        guard Int(offset) <= room else { return -1 }
        return Int64((Int(offset)...room).first(where: holds) ?? -1)
    }

    private static func join(_ arguments: [CELValue], _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        guard case .list(let list) = arguments[0] else { throw mismatch(.join, arguments) }
        let separator = arguments.count > 1 ? try text(.join, arguments, 1) : ""
        var out = ""
        try meter.charge(list.count)
        for (index, element) in list.elements.enumerated() {
            guard case .string(let part) = element else { throw .noOverload(.join, element) }
            try meter.charge(bytes: part.utf8.count + separator.utf8.count)
            if index > 0 { out += separator }
            out += part
        }
        return .string(out)
    }

    /// Byte offsets at which `part` stands in `text`, without overlaps, at most `limit` (below 0: all); for an empty part, before each code
    /// point and at the end.
    private static func places(_ text: String, _ part: String, _ limit: Int64, _ meter: inout CELMeter) throws(CELReason) -> [Int] {
        let bytes = text.utf8Span.span
        let part = part.utf8Span.span
        try meter.charge(bytes.count >> 4, times: 1 + part.count >> 4)
        var places: [Int] = []
        var at = 0
        while limit < 0 || places.count < limit {
            if part.isEmpty {
                guard at <= bytes.count else { break }
                places.append(at)
                at += 1
                while at < bytes.count, bytes[at] & 0xC0 == 0x80 { at += 1 }
            } else {
                guard let found = ByteScan.firstIndex(of: part, in: bytes, from: at) else { break }
                places.append(found)
                at = found + part.count
            }
        }
        try meter.charge(places.count)
        return places
    }

    private static func split(_ text: String, _ separator: String, _ limit: Int64, _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        if limit == 0 { return .list([]) }
        if limit == 1 { return .list([.string(text)]) }
        var places = try places(text, separator, limit < 0 ? -1 : separator.isEmpty ? limit : limit - 1, &meter)
        // An empty separator stands between code points, not at the ends.
        if separator.isEmpty { places = places.filter { $0 > 0 && $0 < text.utf8.count } }
        if separator.isEmpty, text.isEmpty { return .list([]) }
        let bytes = Array(text.utf8)
        var parts: [CELValue] = []
        var start = 0
        for place in places {
            parts.append(.string(String(decoding: bytes[start..<place], as: UTF8.self)))
            start = place + separator.utf8.count
        }
        parts.append(.string(String(decoding: bytes[start...], as: UTF8.self)))
        try meter.charge(parts.count)
        return .list(parts)
    }

    private static func replace(_ text: String, _ arguments: [CELValue], _ meter: inout CELMeter) throws(CELReason) -> CELValue {
        let old = try self.text(.replace, arguments, 1)
        let new = try self.text(.replace, arguments, 2)
        let limit = arguments.count > 3 ? try integer(.replace, arguments, 3) : -1
        let places = try places(text, old, limit, &meter)
        try meter.charge(places.count, times: 1 + new.utf8.count >> 4)
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var start = 0
        for place in places {
            out += bytes[start..<place]
            out += new.utf8
            start = place + old.utf8.count
        }
        out += bytes[start...]
        return .string(String(decoding: out, as: UTF8.self))
    }
}
