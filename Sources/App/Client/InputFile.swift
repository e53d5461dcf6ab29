internal import Client
internal import Dispatch
internal import Foundation
internal import Glibc

/// A file or standard input, read block by block on a thread of its own, since a pipe may keep a reader waiting.
final class InputFile: Sendable {
    /// What people call it: the file's name without its folder, or `-`.
    let name: String
    /// Nil for what has no known end.
    let bytesTotal: Int?
    private let descriptor: Int32
    private let queue: DispatchQueue

    /// - Parameter path: `-` is standard input.
    /// - Throws: `CommandFailure(.refused)` that says why the file cannot be read.
    init(_ path: String) throws {
        if path == "-" {
            name = "-"
            descriptor = STDIN_FILENO
        } else {
            name = URL(fileURLWithPath: path).lastPathComponent
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw CommandFailure(.refused, "cannot read \(path): \(String(cString: strerror(errno)).lowercased())")
            }
        }
        queue = DispatchQueue(label: "meshlog.input")
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            throw CommandFailure(.refused, "cannot read \(path): \(String(cString: strerror(errno)).lowercased())")
        }
        if info.st_mode & S_IFMT == S_IFDIR { throw CommandFailure(.refused, "\(path) is a folder; name the files in it") }
        bytesTotal = info.st_mode & S_IFMT == S_IFREG ? Int(info.st_size) : nil
    }

    deinit { if descriptor > STDERR_FILENO { close(descriptor) } }

    /// The next bytes; empty at the end.
    func read() async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                var bytes = [UInt8](repeating: 0, count: ClientLimits.readBytes)
                var got = -1
                repeat { got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) } } while got < 0 && errno == EINTR
                if got < 0 {
                    continuation.resume(throwing: CommandFailure(.failed, "cannot read \(name): \(String(cString: strerror(errno)).lowercased())"))
                    return
                }
                bytes.removeLast(bytes.count - got)
                continuation.resume(returning: bytes)
            }
        }
    }
}
