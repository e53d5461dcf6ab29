internal import Foundation
internal import Glibc

/// Folders and small files of the stack, with owner and mode.
enum Folder {
    /// Makes `path` with its parents. New parents are passable by everybody: PostgreSQL's account must get through.
    static func make(_ path: String, mode: UInt32, owner: Account? = nil) throws(StackError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        } catch {
            throw .folderUnusable(path: path, reason: error.localizedDescription)
        }
        guard chmod(path, mode) == 0 else { throw failure(path) }
        try give(path, to: owner)
    }

    /// Writes `text` whole or not at all.
    static func write(_ text: String, to path: String, owner: Account? = nil) throws(StackError) {
        let draft = path + ".new"
        do {
            try text.write(toFile: draft, atomically: false, encoding: .utf8)
        } catch {
            throw .folderUnusable(path: draft, reason: error.localizedDescription)
        }
        chmod(draft, 0o600)
        try give(draft, to: owner)
        guard rename(draft, path) == 0 else { throw failure(path) }
    }

    /// Makes an empty file where there is none.
    static func touch(_ path: String, owner: Account? = nil) throws(StackError) {
        if access(path, F_OK) != 0 { try write("", to: path, owner: owner) }
    }

    static func give(_ path: String, to owner: Account?) throws(StackError) {
        guard let owner else { return }
        guard chown(path, owner.uid, owner.gid) == 0 else { throw failure(path) }
    }

    /// What its disk has left for unprivileged writers; nil where that cannot be told.
    static func freeBytes(_ path: String) -> Int? {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { return nil }
        return Int(info.f_bavail) * Int(info.f_frsize)
    }

    static func failure(_ path: String) -> StackError {
        .folderUnusable(path: path, reason: String(cString: strerror(errno)))
    }
}
