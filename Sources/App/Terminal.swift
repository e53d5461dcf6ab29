internal import Foundation
internal import Logging

/// Writes to people.
enum Terminal {
    static func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data(("meshlog: " + text + "\n").utf8))
    }
}

/// Sets logging up once per process: one line per event, on standard error.
enum Logs {
    static func start(_ level: Logger.Level) {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}
