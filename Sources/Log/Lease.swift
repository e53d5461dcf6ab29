package import RedisDriver

/// The right of one process to act for a stage. Every write of the stage carries the epoch, and the log refuses an old one.
package struct Lease: Sendable {
    package enum Attempt: Sendable, Equatable {
        case held(epoch: Int)
        /// Another process acts; its name.
        case heldBy(String)
    }

    package let name: String
    package let instance: String
    package let ttl: Duration
    private let keys: LogKeys
    package private(set) var epoch = 0

    /// - Parameter ttl: how long the others wait after this process has fallen silent.
    package init(name: String, instance: String, ttl: Duration, keys: LogKeys) {
        self.name = name
        self.instance = instance
        self.ttl = ttl
        self.keys = keys
    }

    package var key: String { keys.lease(name) }

    /// Takes the lease or keeps it.
    package mutating func renew(_ session: RedisSession) throws(RedisError) -> Attempt {
        let ms = Int(ttl / .milliseconds(1))
        let reply = try session.run("FCALL", ["meshlog_lease", "2", key, keys.epoch(name), instance, String(ms), String(epoch)])
        guard let parts = reply.array, parts.count == 2, let held = parts[0].int else { throw .unexpectedReply("meshlog_lease") }
        if held == 1, let epoch = parts[1].int {
            self.epoch = epoch
            return .held(epoch: epoch)
        }
        epoch = 0
        return .heldBy(parts[1].text ?? "")
    }

    /// Makes the next who takes it get a higher epoch than `epoch`, under which somebody has written elsewhere: a log that was lost counts anew.
    package static func raiseEpoch(_ name: String, above epoch: Int64, keys: LogKeys, _ session: RedisSession) throws(RedisError) {
        try session.run("FCALL", ["meshlog_lease_raise", "1", keys.epoch(name), String(epoch)])
    }

    /// Gives it up, so that another can take over at once.
    package mutating func release(_ session: RedisSession) throws(RedisError) {
        guard epoch != 0 else { return }
        try session.run("FCALL", ["meshlog_lease", "2", key, keys.epoch(name), instance, "0", String(epoch)])
        epoch = 0
    }
}
