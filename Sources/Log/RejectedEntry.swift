package import Core
package import RedisDriver

/// What could not be admitted or applied, kept with its bytes and the reason.
package struct RejectedEntry: Sendable {
    package static let event = "input.rejected"

    /// The door it came by, or the stage that gave up.
    package var door: String
    package var reason: String
    /// JSON array of violations.
    package var violations: [UInt8]
    /// The input as it came; cut at `Limits.rejectedBytesMax`.
    package var bytes: [UInt8]
    /// Bytes of the whole input.
    package var size: Int
    package var sha256: [UInt8]
    /// Where the entry stands that could not be applied; nil for input that never was an entry.
    package var position: Position?
    package var attempts: Int

    package init(door: String, refusal: Refusal, bytes: [UInt8]) {
        self.init(door: door, reason: refusal.summary, violations: refusal.json, bytes: bytes, position: nil, attempts: 1)
    }

    package init(door: String, reason: String, violations: [UInt8] = Array("[]".utf8), bytes: [UInt8], position: Position?, attempts: Int) {
        self.door = door
        self.reason = reason
        self.violations = violations
        self.bytes = bytes.count > Limits.rejectedBytesMax ? Array(bytes.prefix(Limits.rejectedBytesMax)) : bytes
        size = bytes.count
        sha256 = Hexadecimal.encode(ContentDigest.sha256(bytes))
        self.position = position
        self.attempts = attempts
    }

    /// Names and values as arguments of XADD.
    package var arguments: [[UInt8]] {
        func text(_ value: String) -> [UInt8] { Array(value.utf8) }
        return [
            text("event"), text(RejectedEntry.event), text("v"), text("1"), text("door"), text(door), text("reason"), text(reason), text("violations"),
            violations, text("bytes"), bytes, text("size"), text(String(size)), text("sha256"), sha256, text("position"),
            text(position?.description ?? ""), text("attempts"), text(String(attempts)),
        ]
    }

    /// The command that appends it to `rejected`.
    package func write(keys: LogKeys, to out: inout RESPWriter) {
        let arguments = arguments
        out.begin(3 + arguments.count)
        out.argument("XADD")
        out.argument(keys.stream(.rejected))
        out.argument("*")
        for value in arguments { out.argument(value) }
    }

    /// Appends it to `rejected`.
    package func append(_ session: RedisSession, keys: LogKeys) throws(RedisError) {
        var command = RESPWriter()
        write(keys: keys, to: &command)
        if case .error(let text) = try session.pipeline(command)[0] { throw .server(text) }
    }

    /// Moves a stage's entry into `rejected` and acknowledges it, in one step.
    package func bury(_ session: RedisSession, keys: LogKeys, stream: StreamName, group: GroupName, lease: String, epoch: Int) throws(RedisError) {
        guard let position else { preconditionFailure("only an entry of the log is buried") }
        var command = RESPWriter()
        command.begin(3 + 3 + 3 + arguments.count)
        for value in ["FCALL", "meshlog_bury", "3", keys.stream(.rejected), keys.stream(stream), lease, String(epoch), group.rawValue, position.streamID] {
            command.argument(value)
        }
        for value in arguments { command.argument(value) }
        if case .error(let text) = try session.pipeline(command)[0] { throw .server(text) }
    }
}
