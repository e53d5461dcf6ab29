internal import Core
internal import Log
internal import PostgreSQLDriver
internal import RedisDriver
internal import Replay

/// Gathers the trace of one message: from the archive, or from the log while the archive has not come so far.
///
/// In the log a message is found by its name, so only one that the client named; one that Meshlog named is found once it is archived.
struct Tracer: Sendable {
    let stores: Stores
    let keys: LogKeys

    /// Nil when nothing is known of it; with how far the archive is.
    func trace(_ uuid: MessageUUID) async throws -> (stand: Position, trace: MessageTrace?) {
        let (stand, archived) = try await stores.archive { session in
            let reader = ArchiveReader(session: session)
            let stand = try ArchiveStand.position(reader)
            guard let found = try reader.message(uuid: uuid) else { return (stand, MessageTrace?.none) }
            let deliveries = try Tracer.deliveries(of: found.position, uuid, session)
            return (
                stand,
                MessageTrace(
                    position: found.position, message: found.message, verdict: found.verdict, isArchived: true, archivePosition: stand,
                    deliveries: deliveries)
            )
        }
        if let archived { return (stand, archived) }
        return (stand, try await logged(uuid, archivedUpTo: stand))
    }

    /// The trace of a message that only the log has.
    func logged(_ uuid: MessageUUID, archivedUpTo stand: Position) async throws -> MessageTrace? {
        try await stores.log { [keys] session in try Tracer.hot(uuid, keys, stand, session) }
    }

    private static func deliveries(of position: Position, _ uuid: MessageUUID, _ session: PostgreSQLSession) throws(PostgreSQLError) -> [LoggedDelivery] {
        let rows = try session.query(
            """
            SELECT delivery_ms, delivery_seq, target, subject, outcome, stream, stream_seq, duplicate, (extract(epoch FROM ack_ts) * 1000000)::int8, \
            attempts, reason FROM delivery WHERE log_ts = $1 AND partition = $2 AND entry_ms = $3 AND entry_seq = $4 \
            ORDER BY delivery_ms, delivery_seq LIMIT \(ViewLimits.traceDeliveriesMax)
            """,
            [
                .timestamp(microseconds: position.microseconds), .int2(Int16(position.partition)), .int8(Int64(clamping: position.ms)),
                .int8(Int64(clamping: position.seq)),
            ])
        return (0..<rows.rowCount).compactMap { row in
            guard let outcome = rows.string(row, 4).flatMap(DeliveryEntry.Outcome.init(rawValue:)) else { return nil }
            return LoggedDelivery(
                position: Position(ms: UInt64(clamping: rows.int64(row, 0) ?? 0), seq: UInt64(clamping: rows.int64(row, 1) ?? 0)),
                delivery: DeliveryEntry(
                    position: position, messageUUID: uuid, target: rows.string(row, 2) ?? "", subject: rows.bytes(row, 3) ?? [], outcome: outcome,
                    stream: rows.string(row, 5) ?? "", sequence: UInt64(clamping: rows.int64(row, 6) ?? 0), duplicate: rows.bool(row, 7) ?? false,
                    ackTS: rows.int64(row, 8) ?? 0, attempts: rows.int(row, 9) ?? 1, reason: rows.string(row, 10) ?? ""))
        }
    }

    private static func hot(_ uuid: MessageUUID, _ keys: LogKeys, _ stand: Position, _ session: RedisSession) throws(RedisError) -> MessageTrace? {
        // "<stream id> <digest>"
        guard case .string(let name) = try session.run("GET", [keys.namePrefix + uuid.description]),
            let position = Position(streamID: String(decoding: name.prefix { $0 != 0x20 }, as: UTF8.self))
        else { return nil }
        let message = try entry(keys.stream(.messages), position, session) { EntryCodec.message($0) }
        guard let message else { return nil }
        let verdict = try entry(keys.stream(.verdicts), position, session) { VerdictEntry(fields: EntryCodec.lookup($0)) }
        return MessageTrace(
            position: position, message: message, verdict: verdict, isArchived: false, archivePosition: stand, deliveries: [])
    }

    private static func entry<T>(_ stream: String, _ position: Position, _ session: RedisSession, _ read: (RedisReply) -> T?) throws(RedisError) -> T? {
        var command = RESPWriter()
        command.command("XRANGE", [stream, position.streamID, position.streamID])
        try session.send(command)
        return try session.receive { reply in reply.count == 1 ? read(reply[0]) : nil }
    }
}
