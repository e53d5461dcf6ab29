internal import Foundation
internal import Glibc

/// The lock on a data folder. The kernel drops it with the process, however that ends.
package final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `.folderInUse` when another stack holds it, in this process or another.
    package init(folder: String) throws(StackError) {
        let path = folder + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Folder.failure(path) }
        let descriptor = descriptor
        // More than once: whoever looks whether it is held has it for a moment.
        guard OwnThread.wait(within: StackLimits.lockWithin, until: { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }) else {
            let pid = FolderLock.named(path)
            throw .folderInUse(path: folder, holder: pid.map { "process \($0) (\(Processes.name(of: $0)))" } ?? "another process")
        }
        let text = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }

    /// The process that holds the lock of a folder; nil when none does. A pid alone could be another process's by now.
    package static func holder(of folder: String) -> Int32? {
        let path = folder + "/lock"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return nil }
        return named(path)
    }

    /// Who wrote himself into the file.
    private static func named(_ path: String) -> Int32? {
        Int32(((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
