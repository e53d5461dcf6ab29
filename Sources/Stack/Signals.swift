internal import Glibc

/// The signals used here, by their English names.
enum Signals {
    static let interrupt = SIGINT
    static let terminate = SIGTERM
    static let quit = SIGQUIT
    static let kill = SIGKILL

    /// Sends `signal` to `pid`; false when there is no such process, or it is not ours.
    @discardableResult
    static func send(_ signal: Int32, to pid: Int32) -> Bool {
        // 0 and below name process groups: never those.
        pid > 1 && Glibc.kill(pid, signal) == 0
    }

    /// What setpriv(1) calls it.
    static func name(_ signal: Int32) -> String {
        switch signal {
        case interrupt: "INT"
        case terminate: "TERM"
        case quit: "QUIT"
        case kill: "KILL"
        default: String(signal)
        }
    }
}
