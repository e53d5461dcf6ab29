internal import Client
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// What can go wrong on the way to a Meshlog, before it has answered.
enum ServerError: Error {
    /// Nobody listens there.
    case unreachable(url: String, reason: String)
    /// The connection broke, or no answer came in time: whether the request took effect is unknown.
    case interrupted(url: String, reason: String)

    var failure: CommandFailure {
        switch self {
        case .unreachable(let url, let reason):
            CommandFailure(.missingServer, "nothing listens at \(url) (\(reason)); start Meshlog with `meshlog up`, or give its address with --url")
        case .interrupted(let url, let reason): CommandFailure(.missingServer, "\(url) did not answer (\(reason)); try again")
        }
    }
}

extension ServerError {
    /// What an error of a socket means.
    init(_ error: any Error, url: String) {
        switch error {
        case let error as ServerError: self = error
        case let error as NIOConnectionError:
            // One error for each address of the host; the first is enough to understand it.
            if let first = error.connectionErrors.first {
                self = .unreachable(url: url, reason: ServerError.reason(first.error))
            } else {
                self = .unreachable(url: url, reason: "no such host")
            }
        case let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN].contains(error.errnoCode):
            self = .unreachable(url: url, reason: ServerError.reason(error))
        default: self = .interrupted(url: url, reason: ServerError.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)).lowercased() }
        if case .connectTimeout? = error as? ChannelError { return "no answer in time" }
        return "\(error)"
    }

    /// For a line beside the results.
    var summary: String {
        switch self {
        case .unreachable(let url, let reason): "\(url) is away (\(reason))"
        case .interrupted(let url, let reason): "the connection to \(url) ended (\(reason))"
        }
    }
}
