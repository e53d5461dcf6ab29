/// Which version of a document the author of a change saw.
package enum ExpectedVersion: Sendable, Equatable {
    case any
    /// There is no such document.
    case none
    /// There is one, in whatever version.
    case exists
    /// Its last change stands here.
    case at(Position)
    /// Its last change stands at one of these; at none of them when there are none.
    case oneOf([Position])

    /// As `meshlog_control` takes it: a change is based on one version, which `ControlMachine` has chosen.
    package var word: String {
        switch self {
        case .any: "any"
        case .none: "none"
        case .exists: "exists"
        case .at(let position): position.streamID
        case .oneOf: preconditionFailure("a change is based on one version")
        }
    }
}
