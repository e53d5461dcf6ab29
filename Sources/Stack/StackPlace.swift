internal import Foundation
internal import Glibc

/// Where the parts of a stack lie on the disk, and the locks that keep every other stack away from them.
///
/// Root's PostgreSQL runs as another account, which must be able to reach its data. When the data folder lies where that
/// account may not pass (such as below /root), PostgreSQL's part lies in `<fallback>/<id>/postgresql`, and `postgresql` in
/// the data folder is a link to it. The link says where the part is, the id only names a new one: a removed data folder never
/// meets the archive of its predecessor. A copy of a data folder has the link too; so the part says whose it is (`belongs-to`),
/// and has a lock of its own.
struct StackPlace: Sendable {
    let folder: String
    let id: String
    private let fallback: String
    /// Held for as long as the stack is.
    private let lock: FolderLock

    /// What PostgreSQL needs to know.
    struct Home: Sendable {
        var folder: String
        var account: Account?
        var programs: String
        var hasTimescale: Bool
        /// Of a part that lies outside the data folder.
        var lock: FolderLock?
    }

    /// Makes the data folder where it is not there, and takes it.
    init(dataFolder: String, fallback: String) throws(StackError) {
        let path = URL(fileURLWithPath: dataFolder).standardizedFileURL.path
        if access(path, F_OK) != 0 { try Folder.make(path, mode: 0o755) }
        folder = Processes.resolved(path)
        guard access(folder, W_OK) == 0 else { throw Folder.failure(folder) }
        self.fallback = Processes.resolved(fallback)
        lock = try FolderLock(folder: folder)
        try Folder.make(folder + "/logs", mode: 0o755)
        let file = folder + "/id"
        if let text = try? String(contentsOfFile: file, encoding: .utf8), text.count >= 12 {
            id = text.trimmingCharacters(in: .whitespacesAndNewlines)
        } else {
            id = String(UInt64.random(in: UInt64.max / 2...UInt64.max), radix: 16)
            try Folder.write(id + "\n", to: file)
        }
    }

    var logs: String { folder + "/logs" }

    /// PostgreSQL's folder, account and programs.
    func postgresql(_ programs: Prerequisites) throws(StackError) -> Home {
        let link = folder + "/postgresql"
        var home = try target(of: link) ?? link
        var account: Account?
        if Account.isRoot {
            guard let usual = Account.named("postgres") else {
                throw .folderUnusable(
                    path: link, reason: "PostgreSQL does not run as root, and there is no account `postgres` to run it as.")
            }
            let runner = owner(of: home + "/data") ?? usual
            account = runner
            if let barrier = runner.barrier(onWayTo: home + "/data") {
                guard home == link else { throw .folderUnusable(path: home, reason: "user \(runner.name) may not pass \(barrier).") }
                home = try elsewhere(link, runner)
            }
        } else if let owner = owner(of: home + "/data"), owner.uid != geteuid() {
            throw .folderUnusable(
                path: home, reason: "it belongs to user \(owner.name) (it was made by root); run as root again, or choose another folder.")
        }
        let lock = home == link ? nil : try take(home, account)
        let chosen = try version(programs, data: home + "/data")
        let library = "/usr/lib/postgresql/\(chosen.version)/lib/timescaledb.so"
        return Home(folder: home, account: account, programs: chosen.folder, hasTimescale: access(library, F_OK) == 0, lock: lock)
    }

    /// Where the link leads; nil when it is none, or not there.
    ///
    /// - Throws: `.folderUnusable` when what it leads to has gone: an empty archive is nothing to begin with unasked.
    private func target(of link: String) throws(StackError) -> String? {
        guard let written = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else { return nil }
        let target = Processes.resolved(written.hasPrefix("/") ? written : folder + "/" + written)
        let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
        guard access(parent, F_OK) == 0 else {
            throw .folderUnusable(
                path: folder,
                reason:
                    "its archive lies in \(target), which is not there. Put it back, or remove the link \(link) to begin with an empty archive."
            )
        }
        return target
    }

    /// A new part outside the data folder, with the link that leads there.
    private func elsewhere(_ link: String, _ account: Account) throws(StackError) -> String {
        let place = "\(fallback)/\(id)/postgresql"
        // An empty folder goes; one with data would be left behind, and an empty archive take its place.
        if access(link, F_OK) == 0, rmdir(link) != 0 {
            throw .folderUnusable(
                path: link,
                reason:
                    "user \(account.name) cannot reach it any more. Move it to \(place), and make \(link) a link to that; or make the way to it passable."
            )
        }
        try Folder.make(fallback, mode: 0o755)
        try Folder.make("\(fallback)/\(id)", mode: 0o755)
        if let barrier = account.barrier(onWayTo: place) {
            throw .folderUnusable(
                path: link, reason: "user \(account.name) may pass neither to it nor \(barrier); choose another data folder.")
        }
        guard symlink(place, link) == 0 else { throw Folder.failure(link) }
        return place
    }

    /// Takes the part of PostgreSQL that lies outside the data folder, unless it is another data folder's.
    private func take(_ home: String, _ account: Account?) throws(StackError) -> FolderLock {
        // A folder that somebody has linked himself may have other things beside it.
        let note = (home.hasPrefix(fallback + "/") ? URL(fileURLWithPath: home).deletingLastPathComponent().path : home) + "/belongs-to"
        if let other = try? String(contentsOfFile: note, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines), other != folder,
            Processes.resolved(other + "/postgresql") == home
        {
            throw .folderUnusable(
                path: folder,
                reason: "it is a copy of \(other), and both have their archive in \(home). Two stacks must not write one. "
                    + "For an empty archive of its own, remove `id` and `postgresql` in \(folder); if it takes the place of \(other), remove `postgresql` there."
            )
        }
        try Folder.make(home, mode: 0o700, owner: account)
        let lock = try FolderLock(folder: home)
        try Folder.write(folder + "\n", to: note)
        return lock
    }

    /// The programs of the version that made the data; the newest when there is none yet.
    private func version(_ programs: Prerequisites, data: String) throws(StackError) -> (version: Int, folder: String) {
        let text = (try? String(contentsOfFile: data + "/PG_VERSION", encoding: .utf8)) ?? ""
        guard let made = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { return programs.postgresqlFolders[0] }
        if let same = programs.postgresqlFolders.first(where: { $0.version == made || $0.version == 0 }) { return same }
        throw .missing(programs: ["PostgreSQL \(made), which made \(data)"], line: Prerequisites.installLine(["postgresql-\(made)"]))
    }

    /// The owner of `path` unless it is root; nil when it does not exist.
    private func owner(of path: String) -> Account? {
        var info = stat()
        guard stat(path, &info) == 0, info.st_uid != 0 else { return nil }
        let name = getpwuid(info.st_uid).map { String(cString: $0.pointee.pw_name) } ?? "\(info.st_uid)"
        return Account(name: name, uid: info.st_uid, gid: info.st_gid)
    }
}
