internal import Client
internal import Glibc

/// Looks at the disk under a folder.
enum DiskExamination {
    /// Nil when the folder is not there.
    static func finding(_ folder: String) -> Finding? {
        var info = statvfs()
        guard statvfs(folder, &info) == 0 else { return nil }
        let block = Int(info.f_frsize)
        return DiskFacts(folder: folder, freeBytes: Int(info.f_bavail) * block, totalBytes: Int(info.f_blocks) * block).finding
    }
}
