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
    /// What a program writes comes in small pieces, which are worth a short wait; a person's line is not.
    private let gathers: Bool
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
        gathers = bytesTotal == nil && isatty(descriptor) == 0
    }

    deinit { if descriptor > STDERR_FILENO { close(descriptor) } }

    /// Whether a read would return at once; always so for a regular file.
    var hasMore: Bool { isReadable(until: ContinuousClock.now) }

    /// The next bytes, at most `ClientLimits.readBytes`; empty at the end.
    func read() async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in continuation.resume(with: Result { try next() }) }
        }
    }

    private func next() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: ClientLimits.readBytes)
        var filled = try fill(&bytes, from: 0)
        if gathers, filled > 0 {
            let deadline = ContinuousClock.now + ClientLimits.gatherTime
            while filled < bytes.count, isReadable(until: deadline) {
                let count = try fill(&bytes, from: filled)
                // The end: the next read finds it again.
                if count == 0 { break }
                filled += count
            }
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Reads once into the room from `start` on; how many bytes came, 0 at the end.
    private func fill(_ bytes: inout [UInt8], from start: Int) throws -> Int {
        while true {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start) }
            let reason = errno
            if got >= 0 { return got }
            if reason != EINTR { throw CommandFailure(.failed, "cannot read \(name): \(String(cString: strerror(reason)).lowercased())") }
        }
    }

    private func isReadable(until deadline: ContinuousClock.Instant) -> Bool {
        var input = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let left = max(.zero, ContinuousClock.now.duration(to: deadline))
        return poll(&input, 1, Int32(left / .milliseconds(1))) > 0
    }
}
