/// Reads regular expressions of ECMA-262, as JSON Schema writes them, and says the same in RE2's syntax.
///
/// - `\d`, `\w`, `\b` are ASCII, `\s` is Unicode white space, `.` stops at line ends, `^` and `$` mean the ends of the text only.
/// - Look-around and back-references are valid ECMA-262, but cannot be matched in linear time: `translate` refuses them.
/// - Source: ECMA-262, 22.2.1 with the flag `u`. Schemas in use often escape more than that flag allows (`\-`, `\@`) and leave
///   braces bare; without `strict`, these are taken as they look, as annex B does.
package struct ECMAPattern {
    package struct Fault: Error, Equatable, Sendable {
        package let reason: String
        /// In characters.
        package let offset: Int

        package var detail: String { "\(reason), at character \(offset)" }
    }

    let text: [UInt32]
    let strict: Bool
    var at = 0
    var out = ""
    /// Why the pattern has no RE2 form, though it is valid: the first reason.
    var unsupported: Fault?
    private var groups = 0
    private var open = 0
    private var names: Set<String> = []
    private var numberReferences: [(Int, Int)] = []
    private var nameReferences: [(String, Int)] = []

    private init(_ text: [UInt32], strict: Bool) {
        self.text = text
        self.strict = strict
    }

    /// The pattern in RE2's syntax, without captures.
    package static func translate(_ pattern: String) throws(Fault) -> String {
        var reader = ECMAPattern(pattern.unicodeScalars.map(\.value), strict: false)
        try reader.read()
        if let fault = reader.unsupported { throw fault }
        return reader.out
    }

    /// Whether the text is a regular expression by the letter of ECMA-262 with the flag `u`.
    package static func isValid(_ pattern: String) -> Bool {
        var reader = ECMAPattern(pattern.unicodeScalars.map(\.value), strict: true)
        return (try? reader.read()) != nil
    }

    func fault(_ reason: String, at offset: Int? = nil) -> Fault { Fault(reason: reason, offset: offset ?? at) }

    mutating func refuse(_ reason: String, at offset: Int) { if unsupported == nil { unsupported = fault(reason, at: offset) } }

    func peek(_ character: Unicode.Scalar) -> Bool { at < text.count && text[at] == character.value }

    func looking(at prefix: String) -> Bool {
        let prefix = prefix.unicodeScalars
        return at + prefix.count <= text.count && zip(text[at...], prefix).allSatisfy { $0 == $1.value }
    }

    /// Groups are counted, not recursed into: a hostile text cannot exhaust the stack.
    private mutating func read() throws(Fault) {
        var lookarounds: [Bool] = []
        while at < text.count {
            var quantifiable = true
            switch Unicode.Scalar(text[at]) {
            case "|":
                out += "|"
                at += 1
                continue
            case "^", "$":
                out += peek("^") ? #"\A"# : #"\z"#
                at += 1
                quantifiable = false
            case "(":
                lookarounds.append(try openGroup())
                continue
            case ")":
                guard let isLookaround = lookarounds.popLast() else { throw fault("a ')' without its '('") }
                out += ")"
                at += 1
                quantifiable = !isLookaround
            case "*", "+", "?": throw fault("nothing to repeat")
            case "[": try readClass()
            case ".":
                out += #"[^\n\r\x{2028}\x{2029}]"#
                at += 1
            case "\\": quantifiable = try readEscape()
            case "{", "}", "]":
                if peek("{"), try readCounts() != nil { throw fault("nothing to repeat") }
                if strict { throw fault("a bare bracket must be escaped") }
                emit(text[at])
                at += 1
            default:
                emit(text[at])
                at += 1
            }
            try readQuantifier(quantifiable)
        }
        guard lookarounds.isEmpty else { throw fault("a '(' without its ')'") }
        for (number, offset) in numberReferences where number > groups { throw fault("there is no group \(number)", at: offset) }
        for (name, offset) in nameReferences where !names.contains(name) { throw fault("there is no group named \(name)", at: offset) }
    }

    /// Reads `(` and what tells the group's kind; true for look-around.
    private mutating func openGroup() throws(Fault) -> Bool {
        let start = at
        for (prefix, word) in [("(?=", "look-ahead"), ("(?!", "look-ahead"), ("(?<=", "look-behind"), ("(?<!", "look-behind")] where looking(at: prefix) {
            refuse("\(word) \(prefix)…) cannot be matched in linear time", at: start)
            at += prefix.unicodeScalars.count
            out += "(?:"
            return true
        }
        out += "(?:"
        if looking(at: "(?:") {
            at += 3
        } else if looking(at: "(?<") {
            at += 3
            let name = try readName()
            guard names.insert(name).inserted else { throw fault("two groups are named \(name)", at: start) }
            groups += 1
        } else if looking(at: "(?") {
            throw fault("no such kind of group; there are (…), (?:…), (?<name>…) and look-around")
        } else {
            at += 1
            groups += 1
        }
        return false
    }

    /// Reads a group's name and the `>` behind it.
    private mutating func readName() throws(Fault) -> String {
        var name = String.UnicodeScalarView()
        while at < text.count, text[at] != 0x3E {
            guard let scalar = Unicode.Scalar(text[at]) else { break }
            let isFirst = name.isEmpty
            guard
                scalar == "$" || scalar == "_" || scalar.properties.isIDStart
                    || (!isFirst && (scalar.properties.isIDContinue || scalar.value == 0x200C || scalar.value == 0x200D))
            else { throw fault("a group's name is made like an identifier") }
            name.append(scalar)
            at += 1
        }
        guard at < text.count, !name.isEmpty else { throw fault("a group's name ends with '>'") }
        at += 1
        return String(name)
    }

    private mutating func readQuantifier(_ quantifiable: Bool) throws(Fault) {
        guard at < text.count else { return }
        let start = at
        switch Unicode.Scalar(text[at]) {
        case "*", "+", "?":
            out.unicodeScalars.append(Unicode.Scalar(text[at]) ?? "?")
            at += 1
        case "{":
            guard let (low, high) = try readCounts() else { return }
            guard high.map({ low <= $0 }) ?? true else { throw fault("the counts of a repeat are out of order", at: start) }
            if low > 1_000 || high ?? 0 > 1_000 { refuse("repeats of more than 1000 are not supported", at: start) }
            out += high == low ? "{\(low)}" : "{\(low),\(high.map(String.init) ?? "")}"
        default: return
        }
        guard quantifiable else { throw fault("nothing to repeat", at: start) }
        if peek("?") {
            out += "?"
            at += 1
        }
    }

    /// Reads `{2}`, `{2,}` or `{2,3}`; nil, without moving, when it is none.
    private mutating func readCounts() throws(Fault) -> (Int, Int?)? {
        let start = at
        at += 1
        guard let low = number() else {
            at = start
            return nil
        }
        var high: Int? = low
        if peek(",") {
            at += 1
            high = number()
        }
        guard peek("}") else {
            at = start
            return nil
        }
        at += 1
        return (low, high)
    }

    /// Digits as a number, at most 10^9: more is beyond every bound alike.
    mutating func number() -> Int? {
        var value: Int?
        while at < text.count, text[at] >= 0x30, text[at] <= 0x39 {
            value = min((value ?? 0) * 10 + Int(text[at] - 0x30), 1_000_000_000)
            at += 1
        }
        return value
    }

    /// Reads an escape outside of a class; false for an assertion, which cannot be repeated.
    private mutating func readEscape() throws(Fault) -> Bool {
        guard at + 1 < text.count, let next = Unicode.Scalar(text[at + 1]) else { throw fault("a backslash at the end") }
        let start = at
        switch next {
        case "b", "B":
            out += next == "b" ? #"\b"# : #"\B"#
            at += 2
            return false
        case "k":
            at += 2
            guard peek("<") else { throw fault(#"'\k' is followed by a name in <>"#, at: start) }
            at += 1
            nameReferences.append((try readName(), start))
            refuse("a back-reference cannot be matched in linear time", at: start)
        case "1"..."9":
            at += 1
            numberReferences.append((number() ?? 0, start))
            refuse("a back-reference cannot be matched in linear time", at: start)
        default:
            switch try readClassEscape() {
            case .character(let scalar): emit(scalar)
            case .set(let set): out += set.isEmpty ? #"[^\x{0}-\x{10FFFF}]"# : "[" + set + "]"
            }
        }
        return true
    }

    /// Appends one character that stands for itself.
    mutating func emit(_ scalar: UInt32) { out += Self.literal(scalar) }

    static func literal(_ scalar: UInt32) -> String {
        switch scalar {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return String(Unicode.Scalar(UInt8(scalar)))
        // No text in UTF-8 holds half a surrogate pair.
        case 0xD800..<0xE000: return #"[^\x{0}-\x{10FFFF}]"#
        default: return #"\x{"# + String(scalar, radix: 16) + "}"
        }
    }
}
