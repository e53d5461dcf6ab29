internal import Logging
package import PostgreSQLDriver
internal import Synchronization

/// Connections to an archive that is this log's and as this version needs it: nobody gets one before the migrations are applied.
///
/// PostgreSQL may be away when a process starts, so whoever connects first once it is there brings it up to date; of several at once, the
/// others wait for that. A database that was emptied while the process serves, or replaced by an empty one, is brought up to date in the same way.
/// What a start would have been refused for refuses every connection, until it is mended.
package final class PreparedArchive: Sendable {
    private let migrator: Migrator
    private let identity: LogIdentity
    private let open: @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession
    private let isPrepared = Atomic(false)
    private let log = Logger(label: "meshlog.archive")

    /// - Parameters:
    ///   - folder: of the migrations.
    ///   - identity: of the log whose archive it is, or will be when it is of none yet.
    ///   - open: makes a connection with this application name.
    package init(
        folder: String, identity: LogIdentity, open: @escaping @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession
    ) throws(MigrationError) {
        migrator = try Migrator(folder: folder)
        self.identity = identity
        self.open = open
    }

    /// Applies what is pending, once for each database that it meets.
    package func prepare() throws(MigrationError) {
        if isPrepared.load(ordering: .acquiring) { return }
        let session: PostgreSQLSession
        do throws(PostgreSQLError) { session = try open("meshlog-migrate") } catch { throw .database(error) }
        let report = try migrator.apply(on: session)
        do throws(PostgreSQLError) { try identity.check(on: session, claiming: true) } catch { throw .database(error) }
        isPrepared.store(true, ordering: .releasing)
        guard !report.applied.isEmpty else { return }
        log.info("migrated", metadata: ["applied": "\(report.applied.count)", "flavour": "\(report.flavour?.rawValue ?? "none")"])
    }

    /// - Throws: also `.misuse` with the reason why the archive cannot be prepared, or whose it is.
    package func connect(_ name: String) throws(PostgreSQLError) -> PostgreSQLSession {
        try prepareForStage()
        let session = try open(name)
        if try !LogIdentity.hasPlace(on: session) {
            log.error("the archive is empty: its database was emptied, or is another; it is set up again, and has what the log still holds from now on")
            isPrepared.store(false, ordering: .releasing)
            try prepareForStage()
        }
        // Each time: by now it may be another database.
        try identity.check(on: session, claiming: true)
        return session
    }

    private func prepareForStage() throws(PostgreSQLError) {
        do throws(MigrationError) {
            try prepare()
        } catch {
            switch error {
            case .database(let inner), .failed(_, let inner): throw inner
            default: throw .misuse("\(error)")
            }
        }
    }
}
