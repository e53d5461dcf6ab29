internal import Core
internal import HTTPTypes
internal import Web

/// A document's version as an entity tag: the position of its last change, in quotes.
///
/// - Source: RFC 9110, 8.8.3 and 13.1.
struct EntityTag: Equatable {
    let isWeak: Bool
    /// What stands between the quotes.
    let opaque: String

    static func text(_ revision: Position) -> String { "\"\(revision)\"" }

    /// What a header field names: any version, or one of these.
    enum Condition: Equatable {
        case any
        case tags([EntityTag])

        /// `If-Match` compares strongly: a weak tag is never meant. A tag that is none of ours names no version that there is.
        var positions: [Position] {
            guard case .tags(let tags) = self else { return [] }
            return tags.compactMap { $0.isWeak ? nil : PositionText.parse($0.opaque) }
        }

        /// `If-None-Match` compares weakly.
        func holdsWeakly(_ revision: Position) -> Bool {
            switch self {
            case .any: true
            case .tags(let tags): tags.contains { $0.opaque == revision.description }
            }
        }

        func holdsStrongly(_ revision: Position) -> Bool { self == .any || positions.contains(revision) }
    }

    // MARK: Requests

    /// The version that a change names; nil when it names none.
    ///
    /// - Throws: 400 for what is no entity tag.
    static func expected(_ headers: HTTPFields) throws(ProblemDocument) -> ExpectedVersion? {
        let match = try condition(headers, .ifMatch)
        let noneMatch = headers[.ifNoneMatch]
        if match != nil, noneMatch != nil { throw fault(.ifNoneMatch, "it contradicts If-Match; send one of them") }
        if let noneMatch {
            guard noneMatch == "*" else { throw fault(.ifNoneMatch, "a change takes '*' only: there must be no such document yet") }
            return ExpectedVersion.none
        }
        return match.map { $0 == .any ? ExpectedVersion.exists : .oneOf($0.positions) }
    }

    /// What a read asks of the version: that it is one of those it names, and that it is none of those it knows.
    ///
    /// - Throws: 400 for what is no entity tag.
    static func conditions(_ headers: HTTPFields) throws(ProblemDocument) -> (match: Condition?, noneMatch: Condition?) {
        (try condition(headers, .ifMatch), try condition(headers, .ifNoneMatch))
    }

    // MARK: Reading

    private static func condition(_ headers: HTTPFields, _ name: HTTPField.Name) throws(ProblemDocument) -> Condition? {
        guard let text = headers[name] else { return nil }
        if text == "*" { return .any }
        guard let tags = list(text) else {
            throw fault(name, "neither '*' nor ETags as they were given, such as \"0-1767225600000-0\" with its quotes")
        }
        return .tags(tags)
    }

    /// Tags with commas between them, of which there may be too many; nil for what is no such list. A tag may hold commas itself.
    private static func list(_ text: String) -> [EntityTag]? {
        var tags: [EntityTag] = []
        var rest = text.utf8[...]
        func skipBlanks() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }
        while true {
            skipBlanks()
            guard let first = rest.first else { return tags.isEmpty ? nil : tags }
            if first != UInt8(ascii: ",") {
                let isWeak = rest.starts(with: "W/".utf8)
                if isWeak { rest = rest.dropFirst(2) }
                guard rest.first == UInt8(ascii: "\"") else { return nil }
                let opaque = rest.dropFirst().prefix { $0 == 0x21 || ($0 >= 0x23 && $0 != 0x7F) }
                rest = rest[opaque.endIndex...]
                guard rest.first == UInt8(ascii: "\"") else { return nil }
                rest = rest.dropFirst()
                tags.append(EntityTag(isWeak: isWeak, opaque: String(decoding: opaque, as: UTF8.self)))
                skipBlanks()
                guard let next = rest.first else { return tags }
                guard next == UInt8(ascii: ",") else { return nil }
            }
            rest = rest.dropFirst()
        }
    }

    private static func fault(_ header: HTTPField.Name, _ detail: String) -> ProblemDocument {
        ParameterFault.problem([ParameterFault(parameter: header.rawName, detail: detail)])
    }
}
