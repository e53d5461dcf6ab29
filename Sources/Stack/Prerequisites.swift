internal import Foundation
internal import Glibc

/// The programs of the embedded stack on this machine.
package struct Prerequisites: Equatable, Sendable {
    package var redisServer: String?
    package var natsServer: String?
    /// PostgreSQL's programs, newest major version first: version to the folder of `postgres` and `initdb`.
    package var postgresqlFolders: [(version: Int, folder: String)]

    /// The oldest servers that the stack runs on.
    package static let postgresqlVersionMin = 14

    package init(redisServer: String?, natsServer: String?, postgresqlFolders: [(version: Int, folder: String)]) {
        self.redisServer = redisServer
        self.natsServer = natsServer
        self.postgresqlFolders = postgresqlFolders
    }

    /// Looks for the programs: in `PATH`, in the folders that Debian uses, and under `/usr/lib/postgresql`.
    package static func find(path: String? = ProcessInfo.processInfo.environment["PATH"]) -> Prerequisites {
        // An ordinary user's PATH lacks /usr/sbin, where Debian puts nats-server.
        let folders = (path ?? "").split(separator: ":").map(String.init) + ["/usr/local/bin", "/usr/sbin", "/usr/bin"]
        let find = { (name: String) -> String? in folders.map { (folder: String) in folder + "/" + name }.first { access($0, X_OK) == 0 } }
        return Prerequisites(
            redisServer: find("redis-server"), natsServer: find("nats-server"), postgresqlFolders: postgresql(find("postgres")))
    }

    /// What is missing for `servers`: the Debian packages, in the order of `ServerKind`.
    package func missingPackages(for servers: Set<ServerKind> = Set(ServerKind.allCases)) -> [String] {
        servers.sorted().compactMap { server in
            switch server {
            case .nats: natsServer == nil ? "nats-server" : nil
            case .redis: redisServer == nil ? "redis-server" : nil
            case .postgresql: postgresqlFolders.isEmpty ? "postgresql-15" : nil
            }
        }
    }

    /// - Throws: `.missing` with the line that installs exactly what is missing.
    package func require(_ servers: Set<ServerKind>) throws(StackError) {
        let packages = missingPackages(for: servers)
        guard packages.isEmpty else { throw .missing(programs: packages, line: Self.installLine(packages)) }
    }

    package static func installLine(_ packages: [String]) -> String {
        let sudo = Account.isRoot ? "" : "sudo "
        return "\(sudo)apt-get install -y --no-install-recommends \(packages.joined(separator: " "))"
    }

    private static func postgresql(_ inPath: String?) -> [(version: Int, folder: String)] {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
        var found = versions.map { (version: $0, folder: "\(root)/\($0)/bin") }
            .filter {
                $0.version >= postgresqlVersionMin && access($0.folder + "/initdb", X_OK) == 0 && access($0.folder + "/postgres", X_OK) == 0
            }
            .sorted { $0.version > $1.version }
        if found.isEmpty, let inPath {
            // Not Debian's layout: one version, whose number the data folder's PG_VERSION cannot contradict before initdb.
            let folder = String(Processes.resolved(inPath).dropLast("/postgres".count))
            if access(folder + "/initdb", X_OK) == 0 { found = [(version: 0, folder: folder)] }
        }
        return found
    }

    package static func == (left: Prerequisites, right: Prerequisites) -> Bool {
        left.redisServer == right.redisServer && left.natsServer == right.natsServer
            && left.postgresqlFolders.map(\.folder) == right.postgresqlFolders.map(\.folder)
    }
}
