internal import Core
internal import RedisDriver

/// Makes Redis read a connection in pieces of 1 MiB instead of 16 KiB.
///
/// With `appendfsync always` Redis syncs after each turn of its event loop, and in one turn reads each connection once, into a buffer that begins
/// with 16 KiB: a pipeline of a thousand messages would be synced some forty times. An argument that is longer than the buffer makes it as large as
/// that argument, and it stays so while it is made use of. So a question with a long key, which changes nothing, goes before a long pipeline. Where
/// Redis shrinks the buffer meanwhile, or another version never grows it, only time is lost.
/// - Source: Redis 7.0, networking.c: readQueryFromClient and PROTO_MBULK_BIG_ARG; server.c: clientsCronResizeQueryBuffer, once a second.
struct WideReads {
    private static let readBytes = 16 << 10
    /// With the key's beginning below the least that Redis lets be set as the longest argument (`proto-max-bulk-len`), 1 MiB.
    private static let wideBytes = (1 << 20) - 4_096

    private let question: RESPWriter
    private var asked: ContinuousClock.Instant?

    /// - Parameter keys: the key begins as theirs do, so that a user who may only touch those can ask.
    init(keys: LogKeys) {
        var question = RESPWriter()
        question.command("EXISTS", [keys.namePrefix + String(repeating: "-", count: WideReads.wideBytes)])
        self.question = question
    }

    /// What to send before a pipeline of so many bytes; it is answered by one number or an error. Nil where it would not pay.
    mutating func question(before bytes: Int) -> RESPWriter? {
        let now = ContinuousClock.now
        guard bytes > WideReads.readBytes, asked.map({ now - $0 > .seconds(1) }) ?? true else { return nil }
        asked = now
        return question
    }

    /// A new connection begins narrow.
    mutating func reset() { asked = nil }
}
