internal import Core
package import Log
internal import Logging
internal import RedisDriver

/// The Redis list door: `RPUSH MESSAGES '{"topic": …}'`.
///
/// An element moves to a processing list first, and leaves that only in the same step that appends its entry (or the record of
/// its rejection). One process serves the list at a time, so the order of pushes is the order of entries.
package struct ListDoor: Sendable {
    /// Which end of the list was pushed first.
    package enum Order: String, Sendable, CaseIterable {
        /// Clients push with RPUSH: the head is on the left.
        case rpush
        /// Clients push with LPUSH: the head is on the right.
        case lpush
    }

    private let loop: StageLoop
    private let list: String
    private let order: Order
    private let keys: LogKeys
    private let codec: EntryCodec
    private let admission: Admission
    private let log = Logger(label: "meshlog.list-door")

    /// - Parameter list: name of the Redis list.
    package init(loop: StageLoop, list: String, order: Order, keys: LogKeys, codec: EntryCodec, admission: Admission) {
        self.loop = loop
        self.list = list
        self.order = order
        self.keys = keys
        self.codec = codec
        self.admission = admission
    }

    /// Runs until shutdown.
    package func run() async {
        await WorkerThread.run("list-door") { [self] stop in
            // A conflict ends its step, so what was sent behind it was in vain: after one, steps are short, and grow again while all goes well.
            let most = Limits.readBatchMax / 2
            loop.run(stop, begin: { _, _, _ in most }) { count, session, epoch in
                let claimed = try claim(count, session, epoch)
                if claimed.elements.isEmpty {
                    try wait(session)
                } else if try commit(claimed.elements, session, epoch, length: claimed.length) {
                    count = min(count * 2, most)
                } else {
                    count = max(count / 4, 1)
                }
            }
        }
    }

    private var processing: String { "\(list):processing" }
    private var lease: String { keys.lease(loop.name) }
    private var head: String { order == .rpush ? "LEFT" : "RIGHT" }

    /// Elements to work on, oldest first (what an earlier run left, then what is new), and the length of the processing list. A step is
    /// bounded in bytes too, so that it ends well within the lease.
    private func claim(_ count: Int, _ session: RedisSession, _ epoch: Int) throws(RedisError) -> (elements: [[UInt8]], length: Int) {
        let bounds = [String(count), head, String(Limits.listStepBytesTarget)]
        let reply = try session.run("FCALL", ["meshlog_list_claim", "3", list, processing, lease, String(epoch)] + bounds)
        guard let items = reply.array, let length = items.last?.int else { throw .unexpectedReply("meshlog_list_claim") }
        return (items.dropLast().compactMap { if case .string(let bytes) = $0 { bytes } else { nil } }, length)
    }

    /// Sleeps in Redis until an element comes; it is moved by the same command, so a crash here loses nothing.
    private func wait(_ session: RedisSession) throws(RedisError) {
        try session.run("BLMOVE", [list, processing, head, "RIGHT", "0.25"])
    }

    /// False when a conflict ended it early.
    private func commit(_ elements: [[UInt8]], _ session: RedisSession, _ epoch: Int, length total: Int) throws -> Bool {
        var commands = RESPWriter()
        var refused: Set<Int> = []
        for (index, element) in elements.enumerated() {
            let length = total - index
            do throws(Refusal) {
                let message = try admission.admit(element, door: .redisList)
                codec.listCommit(
                    message, processing: processing, lease: lease, epoch: epoch, length: length, to: &commands)
            } catch {
                refused.insert(index)
                reject(RejectedEntry(door: Door.redisList.rawValue, refusal: error, bytes: element), epoch, length, &commands)
            }
        }
        for (index, value) in try session.pipeline(commands).enumerated() {
            guard let parts = value.array, parts.count == 2, let id = parts[0].text, let position = Position(streamID: id) else {
                if case .error(let text) = value { throw LogError(.server(text)) }
                throw LogError.protocolFault("meshlog_list_commit")
            }
            guard parts[1].int != 2 else {
                // Nothing behind it was committed, since the element is still there; it comes again with the next claim.
                admission.count(.conflict(position), door: .redisList)
                try rejectConflict(elements[index], position, session, epoch, length: total - index)
                return false
            }
            guard !refused.contains(index) else { continue }
            admission.count(parts[1].int == 0 ? .appended(position) : .duplicate(position), door: .redisList)
        }
        return true
    }

    /// The same id with another content cannot be answered here, so it is kept.
    private func rejectConflict(_ element: [UInt8], _ position: Position, _ session: RedisSession, _ epoch: Int, length: Int) throws {
        let refusal = Refusal(.conflict, "/message_uuid", "the id stands at \(position) with another content; a new message needs a new id")
        var command = RESPWriter()
        reject(RejectedEntry(door: Door.redisList.rawValue, refusal: refusal, bytes: element), epoch, length, &command)
        if case .error(let text) = try session.pipeline(command)[0] { throw LogError(.server(text)) }
        log.warning("an element with a used id went to rejected", metadata: ["position": "\(position)"])
    }

    /// Commits the record of a rejection in place of an entry: the same function, without a name, on another stream.
    private func reject(_ entry: RejectedEntry, _ epoch: Int, _ length: Int, _ out: inout RESPWriter) {
        let arguments = entry.arguments
        out.begin(3 + 3 + 4 + arguments.count)
        for value in ["FCALL", "meshlog_list_commit", "3", processing, lease, keys.stream(.rejected), String(epoch), String(length), "0", ""] {
            out.argument(value)
        }
        for value in arguments { out.argument(value) }
    }
}
