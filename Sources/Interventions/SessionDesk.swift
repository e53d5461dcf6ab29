package import Core
package import Log
package import PostgreSQLDriver
package import RedisDriver
internal import Replay

/// What a person says about a session.
package struct SessionCommand: Sendable {
    package var id: String
    package var decision: SessionClosing.Decision
    /// Of what he has seen.
    package var digest: String
    package var by: String
    /// The door.
    package var via: String
    package var comment: String
    /// With `edit`: what takes the place of the message's own members.
    package var changes: JSONDocument?

    package init(id: String, decision: SessionClosing.Decision, digest: String, by: String, via: String, comment: String = "", changes: JSONDocument? = nil) {
        self.id = id
        self.decision = decision
        self.digest = digest
        self.by = by
        self.via = via
        self.comment = comment
        self.changes = changes
    }
}

/// What became of a decision.
package struct SessionReceipt: Sendable {
    package let opening: SessionOpening
    package let closing: SessionClosing
    /// Of the event in `sessions`.
    package let position: Position
}

/// Why a decision changed nothing.
package enum SessionRefusal: Error, Sendable {
    /// No such session is open; how it ended, where that is among the stream's last entries.
    case notOpen((position: Position, closing: SessionClosing)?)
    case otherDigest(String)
    /// Its time was over, µs since the epoch.
    case tooLate(Int64)
    case notAnApprover([String])
    /// The edit breaks the rules of messages.
    case refused(Refusal)
    /// The held entry is gone, or is not what was held.
    case unreleasable(String)
    /// A store does not answer; whether the decision took effect is unknown, repeating it does nothing twice.
    case unavailable(String)
}

/// Carries people's decisions about held messages out: exactly once, and only about what they have seen.
package struct SessionDesk: Sendable {
    private let redis: BlockingPool<RedisSession>
    private let postgresql: BlockingPool<PostgreSQLSession>
    private let log: SessionLog
    private let held: HeldMessages
    private let admit: @Sendable (MessageEntry, MessageUUID) throws(Refusal) -> Void

    /// - Parameter admit: what an edited message has to pass beyond the form of messages: what the configuration and templates say.
    package init(
        redis: BlockingPool<RedisSession>, postgresql: BlockingPool<PostgreSQLSession>, keys: LogKeys,
        admit: @escaping @Sendable (MessageEntry, MessageUUID) throws(Refusal) -> Void
    ) {
        self.redis = redis
        self.postgresql = postgresql
        log = SessionLog(keys: keys)
        held = HeldMessages(keys: keys)
        self.admit = admit
    }

    /// Decides. When this returns, the event is in the log, and with it the released message.
    package func decide(_ command: SessionCommand) async throws(SessionRefusal) -> SessionReceipt {
        guard let opening = try await opening(command.id) else { throw .notOpen(try await ending(command.id)) }
        guard opening.approvers.isEmpty || opening.approvers.contains(command.by) else { throw .notAnApprover(opening.approvers) }
        guard command.digest == opening.digest else { throw .otherDigest(opening.digest) }
        let message = command.decision == .deny ? nil : try await release(opening, command)
        let closing = SessionClosing(
            opening.position, .decided(command.decision, by: command.by, via: command.via, comment: command.comment, digest: command.digest))
        let outcome = try await inLog { [log] session throws(RedisError) in
            try log.end([(closing, command.digest, message)], by: .person, session)[0]
        }
        switch outcome {
        case .ended(let position, let released):
            return SessionReceipt(opening: opening, closing: SessionClosing(closing.session, closing.cause, released: released), position: position)
        case .notOpen, .notDue: throw .notOpen(try await ending(command.id))
        case .otherDigest(let digest): throw .otherDigest(digest)
        case .tooLate(let end): throw .tooLate(end)
        }
    }

    /// What an open session is about; nil when it is not open.
    package func opening(_ id: String) async throws(SessionRefusal) -> SessionOpening? {
        try await inLog { [log] session throws(RedisError) in try log.open([id], session)[0] }
    }

    /// The message that a session is about, with its verdict; nil when neither log nor archive has it.
    package func message(_ position: Position) async throws(SessionRefusal) -> DecidedMessage? {
        if let found = try await inLog({ [held] session throws(RedisError) in try held.inLog([position], session)[position] }) { return found }
        do {
            return try await postgresql.run { session in try HeldMessages.inArchive(position, session) }
        } catch {
            throw .unavailable("the message is no longer in the log, and the archive cannot be read")
        }
    }

    // MARK: Parts

    private func release(_ opening: SessionOpening, _ command: SessionCommand) async throws(SessionRefusal) -> MessageEntry {
        guard let found = try await message(opening.position) else {
            throw .unreleasable("neither the log nor the archive has the message at \(opening.position)")
        }
        if let fault = HeldMessages.fault(found, opening) { throw .unreleasable(fault) }
        let release = Release(
            command.decision == .edit ? .edit : .approve, session: opening.sessionID, origin: opening.position, by: command.by, passed: opening.passed)
        guard command.decision == .edit else { return ReleasedMessage.entry(found.message, release) }
        do throws(Refusal) {
            guard let changes = command.changes else { throw Refusal(.missing, "/message", "an edit says what to change") }
            let edited = try ReleasedMessage.edited(found.message, changes.root)
            try admit(edited, opening.messageUUID)
            return ReleasedMessage.entry(edited, release)
        } catch {
            throw .refused(error)
        }
    }

    private func ending(_ id: String) async throws(SessionRefusal) -> (position: Position, closing: SessionClosing)? {
        try await inLog { [log] session throws(RedisError) in try log.ending(of: id, session) }
    }

    private func inLog<R: Sendable>(_ body: @escaping @Sendable (RedisSession) throws(RedisError) -> R) async throws(SessionRefusal) -> R {
        do {
            return try await redis.run { session in try body(session) }
        } catch {
            throw .unavailable("\(error)")
        }
    }
}
