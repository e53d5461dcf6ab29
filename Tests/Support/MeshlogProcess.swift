internal import Foundation
package import Stack
internal import Synchronization

/// The built program, serving the shared servers as a child process under names of its own.
///
/// It ends with the test process at the latest.
package final class MeshlogProcess: Sendable {
    package let port: Int
    package let pid: Int32
    /// Prefix of its Redis keys.
    package let keyPrefix: String
    package let redisURL: String
    package let postgresqlURL: String
    package let natsURL: String
    /// Its doors.
    package let list: String
    package let natsSubject: String
    package let jetstreamSubject: String
    package let jetstreamStream: String
    package let backboneStream: String
    private let child: Child

    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    private final class Child: @unchecked Sendable {
        // Foundation locks what Process holds; the path never changes.
        let process = Process()
        let errors: String
        init(errors: String) { self.errors = errors }
    }

    /// Starts a process and waits until it serves; one for each name and test process.
    package static func shared(_ name: String, arguments: [String] = []) async throws -> MeshlogProcess {
        let task = running.withLock { tasks in
            if let task = tasks[name] { return task }
            let task = Task { try await start(name, arguments: arguments) }
            tasks[name] = task
            return task
        }
        return try await task.value
    }

    private static let running = Mutex<[String: Task<MeshlogProcess, any Error>]>([:])
    private static let pids = Mutex<[Int32]>([])
    private static let endsWithUs: Void = {
        atexit { for pid in MeshlogProcess.pids.withLock({ $0 }) { kill(pid, SIGKILL) } }
    }()

    /// Starts a process and waits until it serves.
    ///
    /// - Parameters:
    ///   - redis: a server of the test's own; the shared one otherwise.
    ///   - other: a process whose log and archive this one shares.
    ///   - database: the URL of its archive; nil for an empty one of its own.
    package static func start(
        _ name: String, redis: EmbeddedServer? = nil, beside other: MeshlogProcess? = nil, database: String? = nil, arguments: [String] = []
    ) async throws -> MeshlogProcess {
        let stack = try await SharedStack.shared
        _ = endsWithUs
        if let other {
            return try await onThread {
                try MeshlogProcess(
                    other.keyPrefix, redisURL: other.redisURL, postgresqlURL: other.postgresqlURL, natsURL: other.natsURL, arguments: arguments)
            }
        }
        let postgresqlURL: String
        if let database { postgresqlURL = database } else { postgresqlURL = try await SharedStack.database() }
        return try await onThread {
            try MeshlogProcess(
                SharedStack.unique(name), redisURL: (redis ?? stack.redis).url, postgresqlURL: postgresqlURL, natsURL: stack.nats.url, arguments: arguments)
        }
    }

    /// Ends it as a crash would.
    package func crash() {
        kill(pid, SIGKILL)
        child.process.waitUntilExit()
    }

    /// Tells it to stop and waits until it has; its exit code.
    package func stop() async throws -> Int32 {
        kill(pid, SIGTERM)
        return try await onThread { [child] in
            child.process.waitUntilExit()
            return child.process.terminationStatus
        }
    }

    private init(_ name: String, redisURL: String, postgresqlURL: String, natsURL: String, arguments: [String]) throws {
        keyPrefix = name
        list = "\(name):MESSAGES"
        natsSubject = "\(name).MESSAGES"
        jetstreamSubject = "\(name).durable"
        jetstreamStream = "\(name)_DOOR"
        backboneStream = "\(name)_BACKBONE"
        self.redisURL = redisURL
        self.postgresqlURL = postgresqlURL
        self.natsURL = natsURL
        let errors = NSTemporaryDirectory() + "/meshlog-\(ProcessInfo.processInfo.processIdentifier)-\(name).log"
        guard FileManager.default.createFile(atPath: errors, contents: nil) else { throw Failed(description: "cannot write \(errors)") }
        let child = Child(errors: errors)
        self.child = child
        let process = child.process
        process.executableURL = try MeshlogProcess.program()
        process.currentDirectoryURL = URL(fileURLWithPath: NSTemporaryDirectory())
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MESHLOG_") }
        process.arguments =
            [
                "serve", "--port", "0", "--redis-url", redisURL, "--postgresql-url", postgresqlURL, "--nats-url", natsURL, "--home", Repository.root,
                "--key-prefix", name, "--list", list, "--nats-subject", natsSubject, "--jetstream-subject", jetstreamSubject, "--jetstream-stream",
                jetstreamStream,
                "--backbone-stream", backboneStream,
            ] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        pid = process.processIdentifier
        MeshlogProcess.pids.withLock { $0.append(process.processIdentifier) }
        var said = ""
        var found: Int?
        while found == nil {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else {
                throw Failed(description: "meshlog did not serve: \(said) \((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")")
            }
            said += String(decoding: data, as: UTF8.self)
            if let match = said.firstMatch(of: /meshlog serves http:\/\/[^:]+:([0-9]+)\n/) { found = Int(match.1) }
        }
        port = found ?? 0
    }

    /// `meshlog` beside the test bundle; `MESHLOG_PROGRAM` names another.
    private static func program() throws -> URL {
        if let named = ProcessInfo.processInfo.environment["MESHLOG_PROGRAM"] { return URL(fileURLWithPath: named) }
        let tests = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let program = tests.deletingLastPathComponent().appendingPathComponent("meshlog")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw Failed(description: "\(program.path) is not there: run `swift build` first, or set MESHLOG_PROGRAM")
        }
        return program
    }

    /// Runs a command of the program to its end.
    ///
    /// - Parameter environment: beside the test's own, in which no setting stands.
    /// - Returns: exit code, standard output, standard error.
    package static func command(_ arguments: [String], environment: [String: String] = [:]) async throws -> (status: Int32, output: String, errors: String) {
        let program = try program()
        return try await onThread {
            let process = Process()
            process.executableURL = program
            process.currentDirectoryURL = URL(fileURLWithPath: NSTemporaryDirectory())
            process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MESHLOG_") }.merging(environment) { $1 }
            process.arguments = arguments
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            // Commands say little on standard error, less than a pipe takes.
            let said = output.fileHandleForReading.readDataToEndOfFile()
            let complained = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: said, as: UTF8.self), String(decoding: complained, as: UTF8.self))
        }
    }

    package var isRunning: Bool { child.process.isRunning }

    /// What it has said on standard error.
    package var log: String { (try? String(contentsOfFile: child.errors, encoding: .utf8)) ?? "" }

    package func connect() throws -> RawConnection { try RawConnection(port: port) }
}
