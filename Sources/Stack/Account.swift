internal import Glibc

/// A user of the system, and what he may reach.
struct Account: Equatable, Sendable {
    let name: String
    let uid: UInt32
    let gid: UInt32

    static var isRoot: Bool { geteuid() == 0 }

    static func named(_ name: String) -> Account? {
        guard let entry = getpwnam(name) else { return nil }
        return Account(name: name, uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
    }

    /// The first folder on the way to `path` that this account may not pass; nil when the way is open.
    /// - Source: path_resolution(7). Access lists are not looked at.
    func barrier(onWayTo path: String) -> String? {
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            var info = stat()
            guard stat(folder, &info) == 0 else { return nil }  // not there yet: we make it passable
            let bit: UInt32 = info.st_uid == uid ? S_IXUSR : info.st_gid == gid ? S_IXGRP : S_IXOTH
            if info.st_mode & bit == 0 { return folder }
        }
        return nil
    }
}
