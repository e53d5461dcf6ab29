/// What can go wrong with the embedded stack.
package enum StackError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Programs are not installed; `line` installs them.
    case missing(programs: [String], line: String)
    /// Another Meshlog runs on this data folder.
    case folderInUse(path: String, holder: String)
    /// The data folder cannot hold the data.
    case folderUnusable(path: String, reason: String)
    /// Somebody else listens on the port.
    case portTaken(server: ServerKind, port: Int, setting: String, holder: String)
    /// The server ended before it was ready.
    case endedEarly(server: ServerKind, how: String, log: String)
    /// The server runs, and did not become ready in time.
    case notReady(server: ServerKind, after: Duration, state: String, log: String)
    /// The server could not be launched, or one of its set-up steps failed.
    case failed(server: ServerKind, step: String, reason: String)
    /// Processes of an earlier run do not go away.
    case leftovers(server: ServerKind, pids: [Int32])
    /// It was stopped before it was ready.
    case stopped(server: ServerKind)

    /// Whether the same call may succeed later without a change by a person.
    package var isRetryable: Bool {
        switch self {
        case .missing, .folderUnusable, .failed, .endedEarly: false
        case .folderInUse, .portTaken, .notReady, .leftovers, .stopped: true
        }
    }

    package var description: String {
        switch self {
        case .missing(let programs, let line):
            "The embedded stack needs \(programs.joined(separator: ", ")). Install with: \(line)"
        case .folderInUse(let path, let holder):
            "The data folder \(path) is in use by \(holder). Stop that one first, or choose another data folder."
        case .folderUnusable(let path, let reason):
            "The data folder \(path) cannot be used: \(reason)"
        case .portTaken(let server, let port, let setting, let holder):
            "Port \(port) for \(server.title) is taken by \(holder). Stop that one, or choose another port with \(setting)."
        case .endedEarly(let server, let how, let log):
            "\(server.title) ended before it was ready (\(how)). Its log ends with:\n\(log)"
        case .notReady(let server, let after, let state, let log):
            "\(server.title) was not ready after \(after) (\(state)). Its log ends with:\n\(log)"
        case .failed(let server, let step, let reason):
            "\(server.title): \(step) failed: \(reason)"
        case .leftovers(let server, let pids):
            "Processes of an earlier \(server.title) do not end, not even by SIGKILL: \(pids.map(String.init).joined(separator: ", "))."
        case .stopped(let server):
            "\(server.title) was stopped before it was ready."
        }
    }
}
