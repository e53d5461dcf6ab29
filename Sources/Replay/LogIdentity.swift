package import Core
internal import Foundation
package import Log
package import PostgreSQLDriver
package import RedisDriver

/// Which log it is: the prefix of its keys, and an id that is made once and lies in Redis beside the streams.
///
/// Positions say nothing about whose they are. So the archive remembers the log that it is of, and belongs to no other.
package struct LogIdentity: Sendable, Equatable {
    package let prefix: String
    package let id: String

    package init(prefix: String, id: String) {
        self.prefix = prefix
        self.id = id
    }

    // MARK: In Redis

    /// The log's own; nil when it has none yet.
    package static func read(_ keys: LogKeys, _ session: RedisSession) throws(RedisError) -> LogIdentity? {
        try session.run("GET", [keys.identity]).text.map { LogIdentity(prefix: keys.prefix, id: $0) }
    }

    /// The log's own, made when it has none. Of two processes that make one at once, the second takes that of the first.
    package static func made(_ keys: LogKeys, _ session: RedisSession) throws(RedisError) -> LogIdentity {
        if let known = try read(keys, session) { return known }
        let id = UUID().uuidString.lowercased()
        let other = try session.run("SET", [keys.identity, id, "NX", "GET"]).text
        return LogIdentity(prefix: keys.prefix, id: other ?? id)
    }

    // MARK: In the archive

    /// The log that the archive is of; nil when it is of none yet.
    package static func owner(on session: PostgreSQLSession) throws(PostgreSQLError) -> LogIdentity? {
        if try !hasPlace(on: session) { return nil }
        let row = try session.query("SELECT key_prefix, log_id FROM log_identity")
        return row.rowCount == 0 ? nil : LogIdentity(prefix: row.string(0, 0) ?? "", id: row.string(0, 1) ?? "")
    }

    /// Can the database say whose archive it is? One that was never set up cannot, nor one that was emptied since.
    ///
    /// - Cost: one round trip.
    package static func hasPlace(on session: PostgreSQLSession) throws(PostgreSQLError) -> Bool {
        try !session.query("SELECT to_regclass('log_identity')").isNull(0, 0)
    }

    /// Refuses an archive of another log.
    ///
    /// - Parameter claiming: takes an archive that is of no log yet; without it such a one passes.
    /// - Cost: two round trips.
    /// - Throws: `.misuse` when it is another's.
    package func check(on session: PostgreSQLSession, claiming: Bool) throws(PostgreSQLError) {
        var owner = try LogIdentity.owner(on: session)
        if owner == nil, claiming, try LogIdentity.hasPlace(on: session) {
            _ = try session.query(
                "INSERT INTO log_identity (log_id, key_prefix) VALUES ($1, $2) ON CONFLICT DO NOTHING", [.text(id), .text(prefix)])
            owner = try LogIdentity.owner(on: session)
        }
        if let owner, owner != self { throw .misuse(refusal(of: owner)) }
    }

    /// Why an archive of `owner` is not this log's, and what to do.
    package func refusal(of owner: LogIdentity) -> String {
        "the archive in this database is of the log '\(owner.prefix)' (\(owner.id)), and this is the log '\(prefix)' (\(id)). Two logs need a database each: set"
            + " --postgresql-url. Where this log goes on in the place of that one, since Redis lost its data, stop all processes of both and run `meshlog migrate --adopt`"
    }

    // MARK: Handing over

    /// The first entry of any stream of the log; nil when it has none.
    package static func firstEntry(_ keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Position? {
        var first: Position?
        for name in StreamName.allCases {
            guard let begin = try LogReader(keys: keys).bounds(name, session).first else { continue }
            first = min(first ?? begin, begin)
        }
        return first
    }

    /// The last id that any stream of the log has given out.
    package static func end(_ keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Position {
        var end = Position.zero
        for name in StreamName.allCases { end = try max(end, LogReader(keys: keys).bounds(name, session).last) }
        return end
    }

    /// How far the archive and the projections are.
    package static func reached(on session: PostgreSQLSession) throws(PostgreSQLError) -> Position {
        let row = try session.query(
            """
            SELECT position_ms, position_seq FROM (
              SELECT position_ms, position_seq FROM checkpoint UNION ALL SELECT position_ms, position_seq FROM projection WHERE status = 'serving'
            ) stands ORDER BY 1 DESC, 2 DESC LIMIT 1
            """)
        return row.rowCount == 0 ? .zero : Position(ms: UInt64(row.int64(0, 0) ?? 0), seq: UInt64(row.int64(0, 1) ?? 0))
    }

    /// Lets each stream of a log without entries go on behind `position`, whatever the server's clock says.
    package static func goOn(behind position: Position, _ keys: LogKeys, _ session: RedisSession) throws(RedisError) {
        for name in StreamName.allCases {
            let key = keys.stream(name)
            if try session.run("EXISTS", [key]) == .integer(0) {
                // A stream without entries is made together with a group only.
                try session.run("XGROUP", ["CREATE", key, "adoption", "0", "MKSTREAM"])
                try session.run("XGROUP", ["DESTROY", key, "adoption"])
            }
            if try LogReader(keys: keys).bounds(name, session).last < position { try session.run("XSETID", [key, position.streamID]) }
        }
    }

    /// Makes the archive this log's. What it holds stays; fencing begins anew, since the log's own numbers have.
    package func adopt(on session: PostgreSQLSession) throws(PostgreSQLError) {
        try session.transaction { () throws(PostgreSQLError) in
            _ = try session.query(
                """
                INSERT INTO log_identity (log_id, key_prefix) VALUES ($1, $2)
                ON CONFLICT (only_row) DO UPDATE SET log_id = excluded.log_id, key_prefix = excluded.key_prefix, since = now()
                """, [.text(id), .text(prefix)])
            try session.execute("UPDATE checkpoint SET epoch = 0; UPDATE projection SET epoch = 0")
        }
    }
}
