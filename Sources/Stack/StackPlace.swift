internal import Foundation
internal import Glibc

/// Where the parts of a stack lie on the disk.
///
/// Root's PostgreSQL runs as another account, which must be able to reach its data. When the data folder lies where that
/// account may not pass (such as below /root), PostgreSQL's part lies in `/var/lib/meshlog/<id>/postgresql`, and
/// `postgresql` in the data folder is a link to it. The id is kept in the data folder: a removed data folder never meets
/// the archive of its predecessor.
struct StackPlace: Sendable {
    let folder: String
    let id: String

    static let fallback = "/var/lib/meshlog"

    init(dataFolder: String) throws(StackError) {
        let path = URL(fileURLWithPath: dataFolder).standardizedFileURL.path
        if access(path, F_OK) != 0 { try Folder.make(path, mode: 0o755) }
        folder = Processes.resolved(path)
        guard access(folder, W_OK) == 0 else { throw Folder.failure(folder) }
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
    func postgresql(
        _ programs: Prerequisites
    ) throws(StackError) -> (folder: String, account: Account?, programs: String, hasTimescale: Bool) {
        var home = folder + "/postgresql"
        var account: Account?
        if Account.isRoot {
            guard let usual = Account.named("postgres") else {
                throw .folderUnusable(
                    path: home, reason: "PostgreSQL does not run as root, and there is no account `postgres` to run it as.")
            }
            account = owner(of: home + "/data") ?? usual
            if account!.barrier(onWayTo: home + "/data") != nil { home = try elsewhere(home, account!) }
        } else if let owner = owner(of: home + "/data"), owner.uid != geteuid() {
            throw .folderUnusable(
                path: home, reason: "it belongs to user \(owner.name) (it was made by root); run as root again, or choose another folder.")
        }
        let chosen = try version(programs, data: home + "/data")
        let library = "/usr/lib/postgresql/\(chosen.version)/lib/timescaledb.so"
        return (home, account, chosen.folder, access(library, F_OK) == 0)
    }

    private func elsewhere(_ home: String, _ account: Account) throws(StackError) -> String {
        let place = "\(Self.fallback)/\(id)/postgresql"
        try Folder.make(Self.fallback, mode: 0o755)
        try Folder.make("\(Self.fallback)/\(id)", mode: 0o755)
        try Folder.write(folder + "\n", to: "\(Self.fallback)/\(id)/belongs-to")
        guard account.barrier(onWayTo: place) == nil else {
            throw .folderUnusable(
                path: home, reason: "user \(account.name) can pass neither to it nor to \(place); choose another data folder.")
        }
        unlink(home)
        _ = symlink(place, home)
        return place
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
