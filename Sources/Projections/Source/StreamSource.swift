import Core
import Log
import RedisDriver
import Replay

/// Reads one stream behind a position, in chunks, oldest first; what the log has let go comes from the archive.
///
/// A chunk begins with the entry that was read last: while that is there, nothing behind it can have been trimmed. When it is not, the
/// counts of the stream tell whether something is missing, and then the archive is read up to the first entry that the log still has, or to its end
/// when the log has none. A log that begins behind the cursor without a trim may be the successor of one that was lost: the archive is asked.
final class StreamSource {
    let stream: StreamName
    /// Everything up to here was given out.
    private(set) var after: Position
    /// Entries of the stream up to `after`, from the stream's first on; nil when that is not known.
    private(set) var ordinal: Int64?
    /// The last chunk reached the end of the stream.
    private(set) var isAtEnd = false
    /// The first entry there was, when older ones are gone for good.
    private(set) var begins: Position?
    private(set) var bytes = 0
    private(set) var usedArchive = false
    /// The next look is into the log, whatever the tail has: nothing has come there for a while.
    var asksLog = false
    private let tail: DecidedTail?
    private let keys: LogKeys
    private let session: RedisSession
    private let archive: ArchiveSource
    private let prefetches: Bool
    private var asked: Int?
    private var count = 128
    /// The entries before this one are read from the archive.
    private var archivedUntil: Position?
    /// The last id of the log when it had no entries and the archive was asked: until it gives out another, there is nothing new.
    private var askedAt: Position?

    /// - Parameters:
    ///   - tail: of messages; asked before the log.
    ///   - prefetches: the next chunk is on its way while the caller works on this one; then nobody else may use the session.
    init(
        _ stream: StreamName, after: Position, ordinal: Int64?, tail: DecidedTail?, keys: LogKeys, session: RedisSession,
        archive: ArchiveSource, prefetches: Bool
    ) {
        self.tail = tail
        self.stream = stream
        self.after = after
        self.ordinal = after == .zero ? 0 : ordinal
        self.keys = keys
        self.session = session
        self.archive = archive
        self.prefetches = prefetches
    }

    /// The next events; none at the end of the stream.
    func next() throws(ProjectionError) -> [LogEvent] {
        while true {
            if let until = archivedUntil {
                let events = try archive.events(stream, after: after, before: until)
                if let last = events.last {
                    after = last.position
                    ordinal = nil
                    usedArchive = true
                    isAtEnd = false
                    return events
                }
                // All that is before it was read: the log goes on from its first entry.
                archivedUntil = nil
                ordinal = try redis { () throws(RedisError) in try removed(before: until) }
            }
            if let events = remembered() { return events }
            if let events = try stream == .verdicts ? decided() : chunk() { return events }
        }
    }

    // MARK: The tail

    /// What the router of this process has just decided; nil when the log has to be asked.
    private func remembered() -> [LogEvent]? {
        defer { asksLog = false }
        guard let tail, asked == nil, !asksLog else { return nil }
        switch tail.read(after: after, count: ProjectionLimits.chunkEntries, bytes: ProjectionLimits.chunkBytesTarget) {
        case .elsewhere: return nil
        case .upToDate:
            isAtEnd = true
            return []
        case .messages(let messages):
            after = messages.last?.position ?? after
            if let known = ordinal { ordinal = known + Int64(messages.count) }
            let size = messages.reduce(0) { $0 + $1.message.bytes.count }
            bytes += size
            isAtEnd = messages.count < ProjectionLimits.chunkEntries && size < ProjectionLimits.chunkBytesTarget
            return messages.map { LogEvent(stream: stream, position: $0.position, content: .message($0.message)) }
        }
    }

    // MARK: The log

    private func request() throws(RedisError) {
        // The one read last comes again, and one more than wanted.
        let wanted = count + 1
        var command = RESPWriter()
        command.command("XRANGE", [keys.stream(stream), after.streamID, "+", "COUNT", String(wanted)])
        try session.send(command)
        asked = wanted
    }

    /// Nil when the archive has to be read first, or the log again.
    private func chunk() throws(ProjectionError) -> [LogEvent]? {
        let answer: Result<(events: [LogEvent], isContiguous: Bool), RedisError> = try redis { () throws(RedisError) in
            if asked == nil { try request() }
            let wanted = asked ?? 0
            asked = nil
            return try session.receive { reply in
                if reply.kind == .error { return .failure(.server(reply.string)) }
                return take(reply, wanted)
            }
        }
        let (events, isContiguous) = try redis { () throws(RedisError) in try answer.get() }
        guard let first = events.first, let last = events.last else {
            if !isContiguous, try !isWhole(from: nil) { return nil }
            return []
        }
        if !isContiguous, try !isWhole(from: first.position) { return nil }
        after = last.position
        if let known = ordinal { ordinal = known + Int64(events.count) }
        return events
    }

    private func take(_ reply: RedisReply, _ wanted: Int) -> Result<(events: [LogEvent], isContiguous: Bool), RedisError> {
        let total = reply.count
        isAtEnd = total < wanted
        guard total > 0 else { return .success(([], false)) }
        let overlaps = EntryCodec.position(reply[0]) == after
        var failure: RedisError?
        // Only where nothing else has to be asked first on this connection.
        if prefetches, overlaps, !isAtEnd, let last = EntryCodec.position(reply[total - 1]) {
            let before = after
            after = last
            do throws(RedisError) { try request() } catch { failure = error }
            after = before
        }
        if let failure { return .failure(failure) }
        var events: [LogEvent] = []
        events.reserveCapacity(total)
        var size = 0
        for index in (overlaps ? 1 : 0)..<total {
            guard let event = EventDecoder.event(stream, reply[index]) else { return .failure(.unexpectedReply("an entry of \(stream.rawValue) has no id")) }
            size += event.byteCount
            events.append(event)
        }
        bytes += size
        if !events.isEmpty { count = min(ProjectionLimits.chunkEntries, max(16, ProjectionLimits.chunkBytesTarget / max(1, size / events.count))) }
        return .success((events, overlaps))
    }

    private func decided() throws(ProjectionError) -> [LogEvent]? {
        let reader = LogReader(keys: keys)
        let messages = try redis { () throws(RedisError) in
            try reader.decided(after: after, count: ProjectionLimits.chunkEntries, bytes: ProjectionLimits.chunkBytesTarget, session)
        }
        isAtEnd = messages.isEmpty
        guard let first = messages.first, let last = messages.last else { return try isWhole(from: nil) ? [] : nil }
        let key = keys.stream(stream)
        let present = try redis { () throws(RedisError) in try session.run("XRANGE", [key, after.streamID, after.streamID]) }
        if present.array?.isEmpty != false, try !isWhole(from: first.position) { return nil }
        after = last.position
        if let known = ordinal { ordinal = known + Int64(messages.count) }
        for message in messages { bytes += message.message.bytes.count }
        return messages.map { LogEvent(stream: stream, position: $0.position, content: .decided($0.message, $0.verdict)) }
    }

    // MARK: What was trimmed

    /// Whether nothing is missing between `after` and `first`, the first entry behind it that the log has; nil when it has none. When something is, the
    /// archive is read next; when it is gone for good, a fold from the beginning begins later, and any other one cannot go on.
    private func isWhole(from first: Position?) throws(ProjectionError) -> Bool {
        let extent = try redis { () throws(RedisError) in try StreamExtent.read(stream, keys: keys, session) }
        if let oldest = extent.first {
            if oldest <= after { return true }
            // It has come since the log was read.
            if first == nil { return false }
        }
        if first == nil, extent.last == askedAt { return true }
        if extent.removed > 0 {
            if first == nil, extent.last <= after { return true }
            if after != .zero, let ordinal, extent.removed <= ordinal { return true }
        } else if first == after.next {
            return true
        } else if try !archive.holds(stream, after: after, before: first) {
            // A log that nothing was taken from has all there is, unless it is the successor of one that was lost.
            if first == nil { askedAt = extent.last }
            return true
        }
        let end: Position
        if let first { end = first } else { end = try archiveEnd() }
        let coverage = try archive.coverage(stream, after: after, before: end, removed: extent.removed)
        if first == nil { askedAt = extent.last }
        switch coverage {
        case .whole:
            archivedUntil = end
            return false
        case .from(let position):
            // Only a fold from the beginning may begin later than the log did.
            guard after == .zero else { throw .gap(stream, after: after, first: position) }
            begins = position
            archivedUntil = end
            return false
        case .nothing:
            guard after == .zero else { throw .gap(stream, after: after, first: first) }
            begins = first ?? extent.last.next
            ordinal = extent.removed
            return true
        }
    }

    /// Up to where the archive is read when the log has no entries: it has what was decided here, and in a log before this one.
    private func archiveEnd() throws(ProjectionError) -> Position {
        let decided = try redis { () throws(RedisError) in try StreamExtent.read(.verdicts, keys: keys, session) }.last
        let archived = try archive.reached(stream)
        return max(decided, archived).next
    }

    /// Entries that stood before `first`, when the log begins there, or will.
    private func removed(before first: Position) throws(RedisError) -> Int64? {
        let extent = try StreamExtent.read(stream, keys: keys, session)
        if let oldest = extent.first { return oldest == first ? extent.removed : nil }
        return extent.last < first ? extent.removed : nil
    }
}
