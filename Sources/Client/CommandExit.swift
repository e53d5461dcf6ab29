/// The exit codes of every command, and what they mean to a script.
///
/// - Source: sysexits.h for 64 and 69.
package enum CommandExit: Int32, Sendable {
    case done = 0
    /// Something went wrong that is neither the input's nor a missing server's fault.
    case failed = 1
    /// What was asked was understood and refused (bad input, no such thing, not allowed, a conflict); asking the same again will not help.
    case refused = 2
    /// The command line or a setting cannot be understood.
    case usage = 64
    /// A server is missing or does not answer; the same command may pass later.
    case missingServer = 69

    /// What an HTTP status means for the command that asked.
    package init(status: Int) {
        switch status {
        case 200..<300: self = .done
        // Too slow, too early, too much: the same request may pass later.
        case 408, 425, 429, 502, 503, 504: self = .missingServer
        case 400..<500: self = .refused
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
