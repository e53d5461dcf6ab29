internal import Foundation
internal import Glibc

/// The lock on a data folder. The kernel drops it with the process, however that ends.
final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `.folderInUse` when another stack holds it, in this process or another.
    init(folder: String) throws(StackError) {
        let path = folder + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Folder.failure(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
            close(descriptor)
            throw .folderInUse(path: folder, holder: pid.map { "process \($0) (\(Processes.name(of: $0)))" } ?? "another process")
        }
        let text = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }
}
