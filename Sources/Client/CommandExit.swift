/// The exit codes of every command, and what they mean to a script.
///
/// - Source: sysexits.h for 64 and 69.
package enum CommandExit: Int32, Sendable {
    case done = 0
    /// Something went wrong that is neither the input's nor a missing server's fault.
    case failed = 1
    /// The input was read and refused; sending it again will not help.
    case refused = 2
    /// The command line or a setting cannot be understood.
    case usage = 64
    /// A server is missing or does not answer; the same command may pass later.
    case missingServer = 69

    /// What an HTTP status means for the command that asked.
    package init(status: Int) {
        switch status {
        case 200..<300: self = .done
        case 400, 413, 415, 422: self = .refused
        case 502, 503, 504: self = .missingServer
        default: self = .failed
        }
    }
}

/// Why a command ends: one clear line for a person, and the code for a script.
package struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let exit: CommandExit
    package let description: String

    package init(_ exit: CommandExit, _ description: String) {
        self.exit = exit
        self.description = description
    }

    /// What a server's answer other than success says: the problem document's title and detail, else the status.
    package init(status: Int, body: [UInt8], asked: String) {
        let exit = CommandExit(status: status) == .done ? CommandExit.failed : CommandExit(status: status)
        guard let problem = JSONSlice(body), let title = problem["title"]?.string else {
            self.init(exit, "\(asked) was answered with status \(status)")
            return
        }
        let detail = problem["detail"]?.string.map { ": \($0)" } ?? ""
        self.init(exit, title + detail)
    }
}
