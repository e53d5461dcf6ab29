/// Judges the fields of one head as the scanner meets them.
protocol HeadRules {
    /// False when the field takes the request out of the narrow grammar.
    mutating func see(_ name: FieldName, _ value: Range<Int>, _ text: Span<UInt8>) -> Bool
    func finish(headBytes: Int) -> HeadScan
}

/// A field's name, in lower case, packed so that it compares as one number.
struct FieldName {
    let start: Int
    private(set) var count = 0
    /// The last 16 bytes of the name, big-endian.
    private(set) var packed: UInt128 = 0

    init(start: Int) { self.start = start }

    /// Setting bit 5 lowers letters; among the other token bytes it only merges `^` with `~` and moves `_`, which no known name has.
    mutating func append(_ byte: UInt8) {
        packed = packed << 8 | UInt128(byte | 0x20)
        count += 1
    }

    /// A known name, computed from its text. Names above 16 bytes are told apart by their length and their end.
    struct Known {
        let count: Int
        let packed: UInt128

        init(_ name: String) {
            count = name.utf8.count
            packed = name.utf8.reduce(0) { $0 << 8 | UInt128($1) }
        }
    }

    static func == (name: FieldName, known: Known) -> Bool { name.count == known.count && name.packed == known.packed }
}

/// The fields that matter to a plain POST.
struct PostRules: HeadRules {
    private var head = PostHead()
    private let bodyBytesMax: Int
    private var hosts = 0
    private var lengths = 0
    private var types = 0
    private var traces = 0
    private var authorizations = 0

    init(path: Int, bodyBytesMax: Int) {
        head.path = path
        self.bodyBytesMax = bodyBytesMax
    }

    private static let host = FieldName.Known("host")
    private static let contentLength = FieldName.Known("content-length")
    private static let contentType = FieldName.Known("content-type")
    private static let connection = FieldName.Known("connection")
    private static let traceparent = FieldName.Known("traceparent")
    private static let authorization = FieldName.Known("authorization")
    /// Fields that change how a request is read or answered; the full stack knows what they mean.
    private static let refused = [
        "transfer-encoding", "content-encoding", "expect", "upgrade", "trailer", "te", "idempotency-key", "prefer",
    ].map(FieldName.Known.init)
    private static let keepAlive = Array("keep-alive".utf8)
    private static let json = Array("application/json".utf8)
    private static let charset = Array("charset=utf-8".utf8)

    mutating func see(_ name: FieldName, _ value: Range<Int>, _ text: Span<UInt8>) -> Bool {
        switch name.count {
        case 4 where name == Self.host:
            hosts += 1
            return hosts == 1 && HostField.isValid(text, value)
        case 10 where name == Self.connection:
            return Self.equalLowered(text, value, Self.keepAlive)
        case 11 where name == Self.traceparent:
            traces += 1
            head.traceparent = traces == 1 && TraceContext.isWellFormed(text.extracting(value)) ? value : nil
            return true
        case 12 where name == Self.contentType:
            types += 1
            return types == 1 && Self.isJSON(text, value)
        case 13 where name == Self.authorization:
            authorizations += 1
            head.authorization = value
            return authorizations == 1
        case 14 where name == Self.contentLength:
            lengths += 1
            return lengths == 1 && readLength(text, value)
        default:
            return !Self.isRefused(name, text)
        }
    }

    func finish(headBytes: Int) -> HeadScan {
        guard hosts == 1, lengths == 1 else { return .outside }
        var head = head
        head.headBytes = headBytes
        return .post(head)
    }

    /// Canonical decimal digits only: no sign, no leading zero, no list.
    private mutating func readLength(_ text: Span<UInt8>, _ value: Range<Int>) -> Bool {
        guard (1...9).contains(value.count), value.count == 1 || text[value.lowerBound] != UInt8(ascii: "0") else { return false }
        var length = 0
        for index in value {
            let byte = text[index]
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return false }
            length = length * 10 + Int(byte - UInt8(ascii: "0"))
        }
        head.bodyBytes = length
        return length <= bodyBytesMax
    }

    private static func isRefused(_ name: FieldName, _ text: Span<UInt8>) -> Bool {
        let letter = text[name.start] | 0x20
        if letter == UInt8(ascii: "c"), starts(name, text, "ce-") { return true }
        if letter == UInt8(ascii: "m"), starts(name, text, "meshlog-") { return true }
        return refused.contains { name == $0 }
    }

    static func starts(_ name: FieldName, _ text: Span<UInt8>, _ prefix: String) -> Bool {
        guard name.count >= prefix.utf8.count else { return false }
        return zip(name.start..., prefix.utf8).allSatisfy { text[$0] | 0x20 == $1 }
    }

    /// `application/json`, with `charset=utf-8` or without a parameter.
    private static func isJSON(_ text: Span<UInt8>, _ value: Range<Int>) -> Bool {
        guard value.count >= json.count else { return false }
        let type = value.lowerBound..<(value.lowerBound + json.count)
        guard equalLowered(text, type, json) else { return false }
        var at = type.upperBound
        if at == value.upperBound { return true }
        while at < value.upperBound, HeadScanner.isBlank(text[at]) { at += 1 }
        guard at < value.upperBound, text[at] == UInt8(ascii: ";") else { return false }
        at += 1
        while at < value.upperBound, HeadScanner.isBlank(text[at]) { at += 1 }
        return equalLowered(text, at..<value.upperBound, charset)
    }

    static func equalLowered(_ text: Span<UInt8>, _ range: Range<Int>, _ bytes: [UInt8]) -> Bool {
        guard range.count == bytes.count else { return false }
        for index in 0..<bytes.count {
            let byte = text[range.lowerBound + index]
            let lowered = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
            if lowered != bytes[index] { return false }
        }
        return true
    }
}

/// The fields that matter to a GET: it stays in the lane for an upgrade, or when nothing but its target decides the answer.
struct GetRules: HeadRules {
    private var head: GetHead
    private var hosts = 0
    private var upgrades = false
    private var isPlain = true

    init(target: Range<Int>) { head = GetHead(target: target) }

    private static let host = FieldName.Known("host")
    private static let upgrade = FieldName.Known("upgrade")
    private static let connection = FieldName.Known("connection")
    private static let keepAlive = Array("keep-alive".utf8)
    /// A body, which no GET of the lane has.
    private static let refused = ["transfer-encoding", "content-length", "expect"].map(FieldName.Known.init)
    /// Fields that change how a request is answered; the full stack knows what they mean.
    private static let wishes = ["range", "te", "prefer"].map(FieldName.Known.init)
    private static let prefixes = ["if-", "meshlog-"]

    mutating func see(_ name: FieldName, _ value: Range<Int>, _ text: Span<UInt8>) -> Bool {
        if name == Self.upgrade {
            upgrades = true
        } else if name == Self.host {
            hosts += 1
            // What is none goes where it is refused, also with an upgrade.
            if !HostField.isValid(text, value) { return false }
        } else if name == Self.connection {
            isPlain = isPlain && PostRules.equalLowered(text, value, Self.keepAlive)
        } else if Self.wishes.contains(where: { name == $0 }) || Self.prefixes.contains(where: { PostRules.starts(name, text, $0) }) {
            isPlain = false
        }
        return !Self.refused.contains { name == $0 }
    }

    func finish(headBytes: Int) -> HeadScan {
        if upgrades { return .upgrade(headBytes: headBytes) }
        guard isPlain, hosts == 1 else { return .outside }
        var head = head
        head.headBytes = headBytes
        return .get(head)
    }
}
