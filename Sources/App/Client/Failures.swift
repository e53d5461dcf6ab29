internal import ArgumentParser
internal import Client
internal import Glibc
internal import Log
internal import NATSDriver
internal import PostgreSQLDriver
internal import RedisDriver
internal import Replay
internal import Stack

/// The one place that turns whatever ended a command into one clear line and an exit code.
enum Failures {
    /// Leaves the process. What the argument parser itself has to say (help, usage) it says in its own form.
    static func leave(_ error: any Error) -> Never {
        switch error {
        case is CleanExit, is ExitCode, is ValidationError: Meshlog.exit(withError: error)
        // Help that was asked for comes as an error of the parser's own.
        case _ where Meshlog.exitCode(for: error) != .failure: Meshlog.exit(withError: error)
        default:
            let failure = failure(of: error)
            Output.complain(failure.description)
            exit(failure.exit.rawValue)
        }
    }

    static func failure(of error: any Error) -> CommandFailure {
        switch error {
        case let error as CommandFailure: error
        case let error as ServerError: error.failure
        case let error as SettingError: CommandFailure(.usage, error.description)
        case let error as StackError:
            if case .missing = error { CommandFailure(.missingServer, error.description) } else { CommandFailure(.failed, error.description) }
        case let error as RedisError: failure(of: error)
        case let error as PostgreSQLError: failure(of: error)
        case let error as NATSError: failure(of: error)
        case let error as HistoryError: failure(of: error)
        case let error as LogError:
            switch error {
            case .unavailable, .overloaded: CommandFailure(.missingServer, error.description)
            case .fenced, .declaration, .protocolFault: CommandFailure(.failed, error.description)
            }
        case let error as MigrationError:
            switch error {
            case .database(let cause): failure(of: cause)
            default: CommandFailure(.failed, error.description)
            }
        default: CommandFailure(.failed, "\(error)")
        }
    }

    private static func failure(of error: HistoryError) -> CommandFailure {
        switch error {
        case .log(let cause): failure(of: cause)
        case .archive(.database(let cause)): failure(of: cause)
        default: CommandFailure(.failed, error.description)
        }
    }

    private static func failure(of error: RedisError) -> CommandFailure {
        switch error {
        case .unavailable, .timedOut: CommandFailure(.missingServer, "\(error.description); set --redis-url, or start one with `meshlog up`")
        case .badAddress: CommandFailure(.usage, error.description)
        case .server, .unexpectedReply: CommandFailure(.failed, error.description)
        }
    }

    private static func failure(of error: PostgreSQLError) -> CommandFailure {
        switch error {
        case .unavailable: CommandFailure(.missingServer, "\(error.description); set --postgresql-url, or start one with `meshlog up`")
        case .misuse: CommandFailure(.usage, error.description)
        case .server: CommandFailure(.failed, error.description)
        }
    }

    private static func failure(of error: NATSError) -> CommandFailure {
        switch error {
        case .unavailable, .timedOut: CommandFailure(.missingServer, "\(error.reason); set --nats-url, or start one with `meshlog up`")
        default: CommandFailure(.failed, error.reason)
        }
    }
}
