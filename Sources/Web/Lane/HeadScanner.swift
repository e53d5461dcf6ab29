/// What a look at unconsumed bytes found. Ranges and counts are from the first of these bytes.
enum HeadScan: Equatable {
    /// Not a whole head yet.
    case incomplete
    /// Not in the narrow grammar: the connection leaves the lane, nothing is consumed.
    case outside
    case post(PostHead)
    case get(GetHead)
    /// A GET that asks for an upgrade, with the length of its head; `Handshake` reads the rest.
    case upgrade(headBytes: Int)
}

/// The head of a POST that the lane serves.
struct PostHead: Equatable {
    var path = 0
    var headBytes = 0
    var bodyBytes = 0
    var traceparent: Range<Int>?
    var authorization: Range<Int>?
}

/// The head of a GET without a body, conditions or wishes.
struct GetHead: Equatable {
    var target: Range<Int>
    var headBytes = 0
}

/// Reads the narrow grammar of the fast lane: HTTP/1.1, one space, CRLF, no folding, no `obs-text`, exactly one `Host`.
///
/// It is narrower than RFC 9112 on purpose. Whatever it does not know to be plain is `outside`, where a full parser decides,
/// so no request is ever read in two ways.
struct HeadScanner: Sendable {
    /// Whole request lines without CRLF, one per path.
    private let postLines: [[UInt8]]
    private let bodyBytesMax: Int

    init(paths: [String], bodyBytesMax: Int) {
        postLines = paths.map { Array("POST \($0) HTTP/1.1".utf8) }
        self.bodyBytesMax = bodyBytesMax
    }

    private static let getPrefix = Array("GET /".utf8)
    private static let versionSuffix = Array(" HTTP/1.1".utf8)

    /// - Cost: one pass over the head, no allocation.
    func scan(_ text: Span<UInt8>) -> HeadScan {
        let found = text.count <= WebLimits.headBytesMax ? scanHead(text) : scanHead(text.extracting(0..<WebLimits.headBytesMax))
        return found == .incomplete && text.count >= WebLimits.headBytesMax ? .outside : found
    }

    private func scanHead(_ text: Span<UInt8>) -> HeadScan {
        guard text.count > 0 else { return .incomplete }
        guard text[0] == UInt8(ascii: "P") || text[0] == UInt8(ascii: "G") else { return .outside }
        var at = 0
        while at < text.count, text[at] != 0x0A { at += 1 }
        guard at < text.count else { return .incomplete }
        guard at > 0, text[at - 1] == 0x0D else { return .outside }
        let line = text.extracting(0..<(at - 1))
        at += 1
        if let path = postLines.firstIndex(where: { Self.equal(line, $0) }) {
            var rules = PostRules(path: path, bodyBytesMax: bodyBytesMax)
            return Self.scanFields(text, &at, &rules)
        }
        guard Self.isGet(line) else { return .outside }
        var rules = GetRules(target: (Self.getPrefix.count - 1)..<(line.count - Self.versionSuffix.count))
        return Self.scanFields(text, &at, &rules)
    }

    private static func isGet(_ line: Span<UInt8>) -> Bool {
        let target = (getPrefix.count - 1)..<max(getPrefix.count, line.count - versionSuffix.count)
        guard line.count >= getPrefix.count + versionSuffix.count,
            equal(line.extracting(0..<getPrefix.count), getPrefix),
            equal(line.extracting(target.upperBound..<line.count), versionSuffix)
        else { return false }
        return target.allSatisfy { line[$0] > 0x20 && line[$0] < 0x7F }
    }

    private static func scanFields(_ text: Span<UInt8>, _ at: inout Int, _ rules: inout some HeadRules) -> HeadScan {
        while at < text.count {
            if text[at] == 0x0D {
                guard at + 1 < text.count else { return .incomplete }
                return text[at + 1] == 0x0A ? rules.finish(headBytes: at + 2) : .outside
            }
            var name = FieldName(start: at)
            while at < text.count, text[at] != UInt8(ascii: ":") {
                guard isToken(text[at]) else { return .outside }
                name.append(text[at])
                at += 1
            }
            guard at < text.count else { return .incomplete }
            guard name.count > 0 else { return .outside }
            at += 1
            while at < text.count, isBlank(text[at]) { at += 1 }
            let start = at
            while at < text.count, (text[at] >= 0x20 && text[at] < 0x7F) || text[at] == 0x09 { at += 1 }
            guard at < text.count else { return .incomplete }
            guard text[at] == 0x0D else { return .outside }
            guard at + 1 < text.count else { return .incomplete }
            guard text[at + 1] == 0x0A else { return .outside }
            var end = at
            while end > start, isBlank(text[end - 1]) { end -= 1 }
            guard rules.see(name, start..<end, text) else { return .outside }
            at += 2
        }
        return .incomplete
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// RFC 9110, 5.6.2: `tchar`, as two bit sets.
    static func isToken(_ byte: UInt8) -> Bool {
        guard byte < 0x80 else { return false }
        let set: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return set >> UInt64(byte & 63) & 1 == 1
    }

    static func equal(_ text: Span<UInt8>, _ bytes: [UInt8]) -> Bool {
        guard text.count == bytes.count else { return false }
        for index in 0..<bytes.count where text[index] != bytes[index] { return false }
        return true
    }
}
