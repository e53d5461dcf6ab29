/// Why a regular expression was refused.
package enum PatternFault: Error, Equatable, Sendable {
    /// The pattern itself has more bytes than allowed.
    case tooLong(bytes: Int, max: Int)
    /// It does not compile; the compiler's own words.
    case invalid(reason: String)

    package var detail: String {
        switch self {
        case .tooLong(let bytes, let max): "the pattern has \(bytes) bytes, at most \(max) are allowed"
        case .invalid(let reason): "the pattern is not a regular expression in RE2's syntax: \(reason)"
        }
    }
}
