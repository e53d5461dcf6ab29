/// URI references as text: taking them apart, resolving one against a base.
///
/// - Source: RFC 3986, 5.2 and appendix B.
package struct URIText: Sendable, Equatable {
    package var scheme: String?
    package var authority: String?
    package var path: String
    package var query: String?
    package var fragment: String?

    package init(_ text: String) {
        var rest = Substring(text)
        if let at = rest.utf8.firstIndex(of: UInt8(ascii: "#")) {
            fragment = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        if let at = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
            query = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        if let at = rest.utf8.firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }), rest.utf8[at] == UInt8(ascii: ":"),
            at > rest.startIndex
        {
            scheme = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        if rest.utf8.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let end = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            authority = String(rest[..<end])
            rest = rest[end...]
        }
        path = String(rest)
    }

    /// The URI without its fragment.
    package var absolute: String {
        var out = scheme.map { $0 + ":" } ?? ""
        if let authority { out += "//" + authority }
        out += path
        if let query { out += "?" + query }
        return out
    }

    /// This reference seen from `base`.
    package func resolved(against base: URIText) -> URIText {
        var out = self
        if scheme != nil {
            out.path = Self.withoutDots(path)
            return out
        }
        out.scheme = base.scheme
        if authority != nil {
            out.path = Self.withoutDots(path)
            return out
        }
        out.authority = base.authority
        if path.isEmpty {
            out.path = base.path
            if query == nil { out.query = base.query }
        } else if path.utf8.first == UInt8(ascii: "/") {
            out.path = Self.withoutDots(path)
        } else {
            let folder = base.path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(base.path[...$0]) } ?? (base.authority != nil ? "/" : "")
            out.path = Self.withoutDots(folder + path)
        }
        return out
    }

    /// Resolves `.` and `..` segments. A path without slashes, as in a URN, stays as it is.
    private static func withoutDots(_ path: String) -> String {
        guard path.utf8.contains(UInt8(ascii: ".")), path.utf8.contains(UInt8(ascii: "/")) else { return path }
        let isRooted = path.utf8.first == UInt8(ascii: "/")
        var out: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        for (position, segment) in segments.enumerated() {
            let isLast = position == segments.count - 1
            switch segment {
            case ".": if isLast { out.append("") }
            case "..":
                if out.count > (isRooted ? 1 : 0) { out.removeLast() }
                if isLast { out.append("") }
            default: out.append(segment)
            }
        }
        return out.joined(separator: "/")
    }

    /// Resolves `%XX`; what is not one stays.
    package static func percentDecoded(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, let high = hexValue(bytes[at + 1]), let low = hexValue(bytes[at + 2]) {
                out.append(high << 4 | low)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }
}
