internal import Foundation
internal import Glibc

/// What /proc tells about the processes of this machine.
enum Processes {
    /// A process that works in one of our folders.
    struct Entry: Equatable, Sendable {
        let pid: Int32
        let folder: String
        let program: String
    }

    /// The processes whose working folder is `folder` or below, and whose program is one of `programs`.
    ///
    /// This is how servers of a dead run are found again. It needs no pid file, so none can be stale or lost, and no pid
    /// can be mistaken after it was reused: a process that works in our data folder with a server's program is that server.
    static func working(in folder: String, programs: Set<String>) -> [Entry] {
        let root = resolved(folder)
        return all().compactMap { pid in
            guard let place = link("/proc/\(pid)/cwd"), place == root || place.hasPrefix(root + "/") else { return nil }
            guard let program = link("/proc/\(pid)/exe") else { return nil }
            let name = String(program.split(separator: "/").last ?? "").replacingOccurrences(of: " (deleted)", with: "")
            return programs.contains(name) ? Entry(pid: pid, folder: place, program: name) : nil
        }
    }

    /// Whether the process is gone, or a zombie: it holds no file and no port any more.
    /// (Its program's name disappears earlier, while its sockets are still open.)
    static func hasEnded(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        let state = text.split(separator: ")").last?.split(separator: " ").first
        return state == "Z" || state == "X"
    }

    /// In words, who listens on `port` of this machine: "process 812 (redis-server)".
    static func holder(ofPort port: Int) -> String {
        guard let socket = listener(onPort: port) else { return "another process" }
        let wanted = "socket:[\(socket.inode)]"
        for pid in all() {
            guard let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd") else { continue }
            for descriptor in descriptors where link("/proc/\(pid)/fd/\(descriptor)") == wanted {
                return "process \(pid) (\(name(of: pid)))"
            }
        }
        guard let entry = getpwuid(socket.uid) else { return "a process of user id \(socket.uid)" }
        return "a process of user \(String(cString: entry.pointee.pw_name))"
    }

    /// The program's short name.
    static func name(of pid: Int32) -> String {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8) else { return "unknown" }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The path without symbolic links, as /proc writes it.
    static func resolved(_ path: String) -> String {
        guard let text = realpath(path, nil) else { return path }
        defer { free(text) }
        return String(cString: text)
    }

    private static func all() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }

    /// - Source: proc(5), /proc/net/tcp: local address, state 0A is listening, then queues, timers, retransmits, uid, timeout, inode.
    private static func listener(onPort port: Int) -> (inode: String, uid: UInt32)? {
        let suffix = ":" + String(repeating: "0", count: max(0, 4 - String(port, radix: 16).count)) + String(port, radix: 16).uppercased()
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            // The kernel gives a page at a time, and Foundation's readers of whole files take the first one for all.
            guard let data = try? FileHandle(forReadingAtPath: table)?.readToEnd() else { continue }
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ", omittingEmptySubsequences: true)
                guard fields.count > 9, fields[1].hasSuffix(suffix), fields[3] == "0A" else { continue }
                return (String(fields[9]), UInt32(fields[7]) ?? 0)
            }
        }
        return nil
    }
}
