internal import Core

/// A member of a document or row by which lists can be filtered.
struct FilterField: Equatable, Sendable {
    enum Kind: Sendable {
        case text, integer
        /// An array of texts; a condition holds when it holds for one of them.
        case list
        /// Its members are reached by dotted paths.
        case object
        /// Any JSON value.
        case any

        /// What a value of it looks like.
        var words: String {
            switch self {
            case .text: "text"
            case .integer: "a whole number"
            case .list: "a list of texts"
            case .object: "an object"
            case .any: "any JSON value"
            }
        }

        var hasMembers: Bool { self == .object || self == .any }

        /// What can be asked of it.
        var tests: [FilterTest] {
            switch self {
            case .text, .any: FilterTest.allCases
            case .integer: [.equals, .among, .above, .from, .below, .upTo]
            case .list: [.equals, .among, .prefix]
            case .object: []
            }
        }

        /// Whether a text can be a value of it.
        func takes(_ text: String) -> Bool {
            switch self {
            case .text, .list, .object, .any: true
            case .integer: FilterValue.number(text)?.isInteger == true
            }
        }
    }

    let name: String
    let kind: Kind

    init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}
