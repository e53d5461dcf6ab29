internal import Foundation
internal import Glibc

/// The log file of one server.
struct ServerLog: Sendable {
    let path: String

    var size: Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }

    /// Sets the file aside when it has grown too large; one generation is kept.
    func rotate() {
        if size > StackLimits.logBytesMax { rename(path, path + ".1") }
    }

    /// The last lines, at most 16 KiB, from byte `start` on.
    func tail(lines: Int = StackLimits.logTailLines, from start: Int = 0) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { return "(no log)" }
        defer { try? file.close() }
        let first = max(start, size - 16_384)
        guard (try? file.seek(toOffset: UInt64(first))) != nil, let data = try? file.readToEnd() else { return "(empty)" }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}
