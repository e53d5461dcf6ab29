internal import Client
internal import Glibc
internal import NIOCore
internal import Stack

/// The port that Meshlog itself listens on.
enum HTTPPort {
    /// - Throws: when somebody else has it: better before the servers are started than after.
    static func require(_ settings: Settings) throws {
        guard settings.port != 0, let holder = Ports.holder(of: settings.port, on: settings.host) else { return }
        throw taken(settings, by: holder)
    }

    /// What ended the serving, in words where somebody took the port meanwhile.
    static func explain(_ error: any Error, _ settings: Settings) -> any Error {
        guard let cause = error as? IOError, cause.errnoCode == EADDRINUSE else { return error }
        return taken(settings, by: Ports.holder(of: settings.port, on: settings.host) ?? "another process")
    }

    private static func taken(_ settings: Settings, by holder: String) -> CommandFailure {
        CommandFailure(
            .failed,
            "Port \(settings.port) for HTTP is taken by \(holder). Stop that one, or choose another port with --port (MESHLOG_PORT).")
    }
}
