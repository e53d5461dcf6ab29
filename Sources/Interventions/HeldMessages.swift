package import Core
package import Log
package import PostgreSQLDriver
package import RedisDriver
package import Replay

/// Finds what is held: in the log, or in the archive once the log has let it go.
package struct HeldMessages: Sendable {
    private let keys: LogKeys

    package init(keys: LogKeys) { self.keys = keys }

    /// Messages with their verdicts, as far as the log still has both.
    ///
    /// - Cost: one round trip.
    package func inLog(_ positions: [Position], _ session: RedisSession) throws(RedisError) -> [Position: DecidedMessage] {
        if positions.isEmpty { return [:] }
        var command = RESPWriter()
        for position in positions {
            for stream in [StreamName.messages, .verdicts] { command.command("XRANGE", [keys.stream(stream), position.streamID, position.streamID]) }
        }
        try session.send(command)
        var out: [Position: DecidedMessage] = [:]
        var failure: RedisError?
        for position in positions {
            let message = try session.receive { reply in
                if reply.kind == .error { failure = .server(reply.string) }
                return reply.count == 1 ? EntryCodec.message(reply[0]) : nil
            }
            let verdict = try session.receive { reply in
                if reply.kind == .error { failure = .server(reply.string) }
                return reply.count == 1 ? VerdictEntry(fields: EntryCodec.lookup(reply[0])) : nil
            }
            if let message, let verdict { out[position] = DecidedMessage(position: position, message: message, verdict: verdict) }
        }
        if let failure { throw failure }
        return out
    }

    /// A message with its verdict from the archive; nil when it has none there.
    package static func inArchive(_ position: Position, _ session: PostgreSQLSession) throws(ArchiveError) -> DecidedMessage? {
        guard let found = try ArchiveReader(session: session).message(at: position), let verdict = found.verdict else { return nil }
        return DecidedMessage(position: position, message: found.message, verdict: verdict)
    }

    /// Why a message is not what the session was opened about; nil when it is.
    package static func fault(_ held: DecidedMessage, _ opening: SessionOpening) -> String? {
        guard held.verdict.outcome == .hold else { return "the verdict on \(held.position) is '\(held.verdict.outcome.rawValue)', not 'hold'" }
        guard !opening.digest.isEmpty else { return nil }
        let digest = String(decoding: ContentDigest.inputs(held.message, at: held.position, held.verdict), as: UTF8.self)
        return digest == opening.digest ? nil : "the entry at \(held.position) is not what was held: its digest is \(digest), the session's \(opening.digest)"
    }
}
