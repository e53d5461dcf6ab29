internal import Foundation
package import Log
internal import Logging
package import PostgreSQLDriver

/// Keeps the archive's days: makes partitions ahead of time and drops what is past the archive's retention.
///
/// Done from here on every flavour rather than by TimescaleDB's background jobs, which fail on some minor versions of PostgreSQL.
package struct ArchiveMaintenance: Sendable {
    private let loop: StageLoop
    private let retention: Duration?
    private let interval: Duration
    private let connect: @Sendable () throws(PostgreSQLError) -> PostgreSQLSession
    private let log = Logger(label: "meshlog.maintain")

    /// - Parameter retention: how long rows stay; nil for ever.
    package init(
        loop: StageLoop, retention: Duration?, interval: Duration = .seconds(3_600),
        connect: @escaping @Sendable () throws(PostgreSQLError) -> PostgreSQLSession
    ) {
        self.loop = loop
        self.retention = retention
        self.interval = interval
        self.connect = connect
    }

    /// Runs until shutdown; one process maintains at a time.
    package func run() async {
        await WorkerThread.run("maintain") { [self] stop in
            loop.run(stop, begin: { _, _, _ in ContinuousClock.now - interval }) { last, _, _ in
                if ContinuousClock.now - last >= interval {
                    try maintain()
                    last = .now
                }
                stop.wait(for: .milliseconds(500))
            }
        }
    }

    private func maintain() throws(PostgreSQLError) {
        let session = try connect()
        // Dropping a partition needs the table for an instant: better to try again in an hour than to stand in front of the writers.
        try session.setTimeouts(statement: nil, lock: .seconds(2))
        let keep = retention.map { PostgreSQLParameter.inferred("\(Int64($0 / .seconds(1))) seconds") }
        let answer = try session.query("SELECT action, object FROM meshlog_maintain($1::interval)", [keep])
        for row in 0..<answer.rowCount {
            log.info("archive days", metadata: ["action": "\(answer.string(row, 0) ?? "")", "object": "\(answer.string(row, 1) ?? "")"])
        }
    }
}
