/// What somebody wants done to a document.
package struct ControlCommand: Sendable {
    package enum Verb: Sendable, Equatable {
        /// A new document; there must be none.
        case create([UInt8])
        /// The whole document, new or not.
        case put([UInt8])
        /// A merge patch (RFC 7396) on the document that is there.
        case patch([UInt8])
        case delete
    }
    package let kind: ControlKind
    package let key: String
    package let verb: Verb
    /// The version its author saw; nil when they did not say, which is the version at hand.
    package let expected: ExpectedVersion?
    package let author: ControlAuthor

    package init(_ verb: Verb, _ kind: ControlKind, _ key: String, expected: ExpectedVersion? = nil, author: ControlAuthor) {
        self.verb = verb
        self.kind = kind
        self.key = key
        self.expected = expected
        self.author = author
    }
}

/// Who changes a document, through which door and why; it stands in the event.
package struct ControlAuthor: Sendable, Equatable {
    package let principal: String
    package let via: String
    package let comment: String

    package init(principal: String = "", via: String, comment: String = "") {
        self.principal = principal
        self.via = via
        self.comment = comment
    }
}
