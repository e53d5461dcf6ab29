package import Core
package import Log
internal import PostgreSQLDriver
internal import RedisDriver

/// Reads the events of one or several streams behind a position, oldest first.
///
/// Several streams are merged by position (and in the order in which they are named, where two use the same id), up to the point where
/// none of them can bring anything older: Redis stamps entries with its clock, so a stream that was read to its end brings nothing from
/// before that moment. It has connections of its own, and belongs to one thread.
/// - Bounds: a chunk of each stream, see `ProjectionLimits.chunkBytesTarget`.
package final class EventSource {
    private let session: RedisSession
    private let keys: LogKeys
    private let sources: [StreamSource]
    private let tail: DecidedTail?
    private var held: [[LogEvent]]
    private var heldFrom: [Int]
    /// Up to where each stream was complete when it was read.
    private var settled: [Position]
    /// Entries given out.
    package private(set) var entries: Int64 = 0
    /// The last call gave everything there was.
    package private(set) var isAtHead = false

    /// - Parameters:
    ///   - ordinals: how many entries of each stream stand up to `after`, where that is known.
    ///   - tail: where messages are looked for before the log is asked.
    package init(
        streams: [StreamName], after: Position, ordinals: [StreamName: Int64] = [:], tail: DecidedTail? = nil, name: String,
        place: ProjectionPlace
    ) throws(ProjectionError) {
        self.tail = streams == [.messages] ? tail : nil
        let session = try place.redis("\(name)-source")
        self.session = session
        keys = place.keys
        let archive = ArchiveSource { () throws(ProjectionError) in try place.postgresql("\(name)-archive") }
        let messages = self.tail
        sources = streams.map {
            StreamSource(
                $0, after: after, ordinal: ordinals[$0], tail: messages, keys: place.keys, session: session, archive: archive,
                prefetches: streams.count == 1)
        }
        held = streams.map { _ in [] }
        heldFrom = streams.map { _ in 0 }
        settled = streams.map { _ in after }
    }

    /// Bytes of the entries read.
    package var bytes: Int { sources.reduce(0) { $0 + $1.bytes } }

    /// The first entry there was, when older ones are gone for good.
    package var begins: Position? { sources.compactMap(\.begins).min() }

    /// Some of what was given out came from the archive.
    package var usedArchive: Bool { sources.contains { $0.usedArchive } }

    /// How many entries of each stream stand up to what was given out, where that is known.
    package var ordinals: [StreamName: Int64] {
        var out: [StreamName: Int64] = [:]
        for (index, source) in sources.enumerated() {
            if let known = source.ordinal { out[source.stream] = known - Int64(held[index].count - heldFrom[index]) }
        }
        return out
    }

    /// The next events; none at the head.
    package func next() throws(ProjectionError) -> [LogEvent] {
        let events = sources.count == 1 ? try sources[0].next() : try merged()
        if sources.count == 1 { isAtHead = sources[0].isAtEnd }
        entries += Int64(events.count)
        return events
    }

    /// Waits at the head until something new stands in one of the streams, at most `wait`.
    package func await(_ wait: Duration) throws(ProjectionError) {
        guard isAtHead else { return }
        if let tail, tail.isKept(at: sources[0].after) {
            sources[0].asksLog = !tail.wait(after: sources[0].after, wait)
            return
        }
        let ms = max(1, Int(wait / .milliseconds(1)))
        let names = sources.map { keys.stream($0.stream) }
        let ids = sources.map(\.after.streamID)
        _ = try redis { () throws(RedisError) in try session.run("XREAD", ["COUNT", "1", "BLOCK", String(ms), "STREAMS"] + names + ids) }
    }

    // MARK: Several streams

    private func merged() throws(ProjectionError) -> [LogEvent] {
        let frontier = try fill()
        var out: [LogEvent] = []
        while out.count < ProjectionLimits.chunkEntries {
            var best: Int?
            for index in sources.indices where heldFrom[index] < held[index].count {
                if let other = best, held[other][heldFrom[other]].position <= held[index][heldFrom[index]].position { continue }
                best = index
            }
            guard let best, held[best][heldFrom[best]].position <= frontier else { break }
            out.append(held[best][heldFrom[best]])
            heldFrom[best] += 1
        }
        let events = whole(out)
        isAtHead = sources.indices.allSatisfy { sources[$0].isAtEnd && heldFrom[$0] == held[$0].count }
        return events
    }

    /// Reads on where everything is given out; the position up to which no stream can bring anything older any more.
    private func fill() throws(ProjectionError) -> Position {
        for index in sources.indices where heldFrom[index] == held[index].count {
            let source = sources[index]
            let now = try redis { () throws(RedisError) in try session.run("TIME") }.array ?? []
            guard now.count == 2, let seconds = now[0].int, let microseconds = now[1].int else { throw .log(.unexpectedReply("TIME")) }
            let ms = UInt64(seconds) * 1000 + UInt64(microseconds) / 1000
            let lastMessage =
                source.stream == .verdicts ? try redis { () throws(RedisError) in try LogReader(keys: keys).bounds(.messages, session).last } : .zero
            held[index] = try source.next()
            heldFrom[index] = 0
            // Entries of this very millisecond may still come; and a verdict has the id of its message, so while a message is undecided an old
            // one may.
            settled[index] = source.isAtEnd && source.after >= lastMessage ? Position(ms: ms == 0 ? 0 : ms - 1, seq: .max) : source.after
        }
        return settled.min() ?? .zero
    }

    /// Entries with the same id in several streams stay together: a checkpoint lies behind all of them or before all.
    private func whole(_ events: [LogEvent]) -> [LogEvent] {
        guard let last = events.last else { return events }
        var out = events
        for index in sources.indices {
            while heldFrom[index] < held[index].count, held[index][heldFrom[index]].position == last.position {
                out.append(held[index][heldFrom[index]])
                heldFrom[index] += 1
            }
        }
        return out
    }
}
