internal import Core
internal import HTTPTypes
internal import Web

/// A document's version as an entity tag: the position of its last change, in quotes.
///
/// - Source: RFC 9110, 8.8.3 and 13.1.
enum EntityTag {
    static func text(_ revision: Position) -> String { "\"\(revision)\"" }

    /// The version that a change names; nil when it names none.
    ///
    /// - Throws: 400 for what is no version of ours.
    static func expected(_ headers: HTTPFields) throws(ProblemDocument) -> ExpectedVersion? {
        let match = headers[.ifMatch]
        let noneMatch = headers[.ifNoneMatch]
        if match != nil, noneMatch != nil { throw fault("If-None-Match", "it contradicts If-Match; send one of them") }
        if let noneMatch {
            guard noneMatch == "*" else { throw fault("If-None-Match", "a change takes '*' only: there must be no such document yet") }
            return ExpectedVersion.none
        }
        guard let match else { return nil }
        if match == "*" { return .exists }
        guard let position = position(match) else {
            throw fault("If-Match", "neither '*' nor one ETag as it was given, such as \"0-1767225600000-0\" with its quotes")
        }
        return .at(position)
    }

    /// A read that knows this version already.
    static func isKnown(_ headers: HTTPFields, _ revision: Position) -> Bool {
        guard let known = headers[.ifNoneMatch] else { return false }
        return known.split(separator: ",").contains { part in
            let tag = part.drop { $0 == " " }
            // Reads compare weakly.
            return tag == "*" || tag == text(revision) || tag == "W/" + text(revision)
        }
    }

    private static func position(_ tag: String) -> Position? {
        guard tag.count > 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return nil }
        return PositionText.parse(tag.dropFirst().dropLast())
    }

    private static func fault(_ header: String, _ detail: String) -> ProblemDocument {
        ParameterFault.problem([ParameterFault(parameter: header, detail: detail)])
    }
}
