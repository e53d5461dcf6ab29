/// NATS subjects: tokens between dots, `*` for one token and `>` for the rest in patterns.
///
/// - Source: NATS documentation, "Subject-Based Messaging"; nats-server's sublist rules.
package enum Subject {
    /// Why a text is no topic; nil when it is one: a literal NATS subject that clients may publish to.
    package static func topicFault(_ bytes: Span<UInt8>) -> String? {
        if bytes.isEmpty { return "it is empty" }
        if bytes.count > Limits.topicBytesMax { return "it has \(bytes.count) bytes, at most \(Limits.topicBytesMax) are allowed" }
        if let fault = literalFault(bytes) { return fault }
        // NATS takes `a*` as a literal token, but its streams then refuse the subject `a*.>` for overlapping others.
        if bytes.indices.contains(where: { bytes[$0] == UInt8(ascii: "*") || bytes[$0] == UInt8(ascii: ">") }) {
            return "'*' and '>' are for subscribers, also within a token"
        }
        if bytes[0] == UInt8(ascii: "$") { return "subjects that begin with '$' belong to the NATS server" }
        if starts(bytes, with: "_INBOX.") { return "subjects that begin with '_INBOX.' belong to request/reply" }
        return nil
    }

    private static func starts(_ bytes: Span<UInt8>, with prefix: StaticString) -> Bool {
        prefix.withUTF8Buffer { prefix in
            guard bytes.count >= prefix.count else { return false }
            return prefix.indices.allSatisfy { bytes[$0] == prefix[$0] }
        }
    }

    /// Why a text is no literal subject; nil when it is one.
    package static func literalFault(_ bytes: Span<UInt8>) -> String? {
        var tokenBytes = 0
        var wild: UInt8 = 0
        for index in bytes.indices {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "."):
                if tokenBytes == 0 { return "it has an empty token (two dots, or a dot at the beginning)" }
                if wild != 0, tokenBytes == 1 { return wildcardFault }
                tokenBytes = 0
                wild = 0
            case 0...0x20, 0x7F: return "it holds white space or a control character"
            default:
                tokenBytes += 1
                wild = byte == UInt8(ascii: "*") || byte == UInt8(ascii: ">") ? byte : 0
            }
        }
        if tokenBytes == 0 { return "it ends in a dot" }
        if wild != 0, tokenBytes == 1 { return wildcardFault }
        return nil
    }

    private static let wildcardFault = "the wildcards '*' and '>' are for subscribers, a message has one topic"

    /// May a subscription name this subject?
    package static func isPattern(_ text: some Collection<UInt8>) -> Bool {
        let tokens = split(text)
        for (index, token) in tokens.enumerated() {
            if token.isEmpty || token.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return false }
            if isRest(token), index != tokens.count - 1 { return false }
        }
        return !tokens.isEmpty
    }

    package static func isLiteral(_ text: some Collection<UInt8>) -> Bool { literalFault(Array(text).span) == nil }

    package static func hasWildcard(_ text: some Collection<UInt8>) -> Bool {
        split(text).contains { isAny($0) || isRest($0) }
    }

    /// Does `pattern` match the literal `subject`?
    package static func matches(pattern: some Collection<UInt8>, subject: some Collection<UInt8>) -> Bool {
        SubjectPattern(pattern).matches(subject)
    }

    /// Is every subject that `subject` matches also matched by `of`?
    package static func isSubset(_ subject: some Collection<UInt8>, of pattern: some Collection<UInt8>) -> Bool {
        let inner = split(subject)
        let outer = split(pattern)
        for (index, token) in outer.enumerated() {
            if isRest(token) { return inner.count > index }
            guard index < inner.count, !isRest(inner[index]) else { return false }
            if isAny(token) { continue }
            guard !isAny(inner[index]), token.elementsEqual(inner[index]) else { return false }
        }
        return inner.count == outer.count
    }

    /// Is there a literal subject that both match?
    package static func overlaps(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        let left = split(a)
        let right = split(b)
        for index in 0..<max(left.count, right.count) {
            if index < left.count, isRest(left[index]) { return right.count > index }
            if index < right.count, isRest(right[index]) { return left.count > index }
            guard index < left.count, index < right.count else { return false }
            if isAny(left[index]) || isAny(right[index]) || left[index].elementsEqual(right[index]) { continue }
            return false
        }
        return true
    }

    static func split(_ text: some Collection<UInt8>) -> [[UInt8]] {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
    }

    static func isAny(_ token: [UInt8]) -> Bool { token == [UInt8(ascii: "*")] }
    static func isRest(_ token: [UInt8]) -> Bool { token == [UInt8(ascii: ">")] }
}

/// A pattern made ready to be matched many times.
package struct SubjectPattern: Sendable, Hashable {
    private enum Token: Sendable, Hashable {
        case literal([UInt8])
        case any
        case rest
    }
    private let tokens: [Token]
    package let text: String

    package init(_ pattern: some Collection<UInt8>) {
        text = String(decoding: pattern, as: UTF8.self)
        tokens = Subject.split(pattern).map { Subject.isAny($0) ? .any : Subject.isRest($0) ? .rest : .literal($0) }
    }

    package func matches(_ subject: some Collection<UInt8>) -> Bool { matches(Array(subject).span) }

    package func matches(_ subject: Span<UInt8>) -> Bool {
        var at = 0
        for token in tokens {
            // A trailing dot leaves an empty token, which no literal and no wildcard matches.
            if at > subject.count { return false }
            if case .rest = token { return SubjectPattern.hasTokensOnly(subject, from: at) }
            var end = at
            while end < subject.count, subject[end] != UInt8(ascii: ".") { end += 1 }
            switch token {
            case .literal(let literal):
                guard literal.count == end - at, literal.indices.allSatisfy({ literal[$0] == subject[at + $0] }) else { return false }
            case .any where end == at: return false
            default: break
            }
            at = end + 1
        }
        return at == subject.count + 1
    }

    /// At least one token and no empty one: a malformed subject matches nothing.
    private static func hasTokensOnly(_ text: Span<UInt8>, from start: Int) -> Bool {
        var last = UInt8(ascii: ".")
        for index in start..<text.count {
            if text[index] == UInt8(ascii: "."), last == text[index] { return false }
            last = text[index]
        }
        return last != UInt8(ascii: ".")
    }
}
