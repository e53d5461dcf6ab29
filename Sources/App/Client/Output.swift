internal import Client
internal import Foundation
internal import Glibc
internal import Synchronization

/// What commands write: results on standard output, everything else on standard error.
enum Output {
    /// Writes one line of results.
    static func line(_ text: String) { write(Array((text + "\n").utf8), to: STDOUT_FILENO) }

    /// Tells who started a server; what nobody takes is dropped, since the server goes on.
    static func say(_ text: String) { write(Array((text + "\n").utf8), to: STDOUT_FILENO, isResult: false) }

    /// Writes JSON as it is, on a line of its own.
    static func json(_ bytes: some Sequence<UInt8>) { write(Array(bytes) + [0x0A], to: STDOUT_FILENO) }

    /// Writes a JSON value on exactly one line, for those who read line by line.
    static func jsonLine(_ bytes: some Sequence<UInt8>) { write(JSONLine.folded(bytes) + [0x0A], to: STDOUT_FILENO) }

    /// Says why the command ends.
    static func complain(_ text: String) { write(Array("meshlog: \(text)\n".utf8), to: STDERR_FILENO) }

    /// Says something beside the results.
    static func note(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// Shows a progress line in place of the one before; empty takes it away.
    static func progress(_ text: String) { write(Array("\r\u{1B}[K\(text)".utf8), to: STDERR_FILENO) }

    /// False once a write has shown that nobody reads the results any more; a command without an end of its own ends then.
    static var hasReader: Bool { !closed.withLock { $0.contains(STDOUT_FILENO) } }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Colours on a terminal, unless NO_COLOR is set or the terminal is a dumb one.
    static var ink: Ink {
        let environment = ProcessInfo.processInfo.environment
        return Ink(isOn: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb")
    }

    /// Columns of the terminal; without one, lines are cut late enough to be useful in a file.
    static var width: Int { columns(STDOUT_FILENO) ?? 200 }
    static var errorWidth: Int { columns(STDERR_FILENO) ?? 200 }

    private static func columns(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Outputs that take nothing any more.
    private static let closed = Mutex<Set<Int32>>([])

    /// A write to a pipe without a reader fails instead of ending the process.
    private static let outlivesReaders: Void = { _ = Glibc.signal(SIGPIPE, SIG_IGN) }()

    /// Writes all of `bytes`.
    ///
    /// A reader that has gone (`meshlog publish … | head -1`) ends no work: what would be written for it is dropped, and so is what cannot be
    /// written beside the results. Results that a full disk or the like does not take end the command, since its exit code would lie.
    private static func write(_ bytes: [UInt8], to descriptor: Int32, isResult: Bool = true) {
        _ = outlivesReaders
        if closed.withLock({ $0.contains(descriptor) }) { return }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            let reason = errno
            if count >= 0 {
                sent += count
            } else if reason != EINTR, reason != EAGAIN {
                closed.withLock { _ = $0.insert(descriptor) }
                if reason == EPIPE || descriptor != STDOUT_FILENO || !isResult { return }
                complain("cannot write to standard output: \(String(cString: strerror(reason)).lowercased())")
                exit(CommandExit.failed.rawValue)
            }
        }
    }
}
