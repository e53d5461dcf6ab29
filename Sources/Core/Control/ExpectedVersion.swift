/// Which version of a document the author of a change saw.
package enum ExpectedVersion: Sendable, Equatable {
    case any
    /// There is no such document.
    case none
    /// There is one, in whatever version.
    case exists
    /// Its last change stands here.
    case at(Position)

    /// As `meshlog_control` takes it.
    package var word: String {
        switch self {
        case .any: "any"
        case .none: "none"
        case .exists: "exists"
        case .at(let position): position.streamID
        }
    }
}
