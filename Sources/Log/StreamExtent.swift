package import Core
package import RedisDriver

/// Where a stream begins and ends, and how much of it is gone.
package struct StreamExtent: Sendable, Equatable {
    /// The oldest entry that is there; nil for an empty stream.
    package let first: Position?
    /// The last id ever given out; zero where there was none.
    package let last: Position
    /// Entries that were there and are not any more.
    package let removed: Int64

    /// - Cost: one round trip.
    package static func read(_ stream: StreamName, keys: LogKeys, _ session: RedisSession) throws(RedisError) -> StreamExtent {
        let reply = try session.call("XINFO", ["STREAM", keys.stream(stream)])
        if case .error(let text) = reply {
            if text.hasPrefix("ERR no such key") { return StreamExtent(first: nil, last: .zero, removed: 0) }
            throw .server(text)
        }
        let info = reply.pairs
        return StreamExtent(
            first: info["first-entry"]?.array?.first?.text.flatMap { Position(streamID: $0) },
            last: info["last-generated-id"]?.text.flatMap { Position(streamID: $0) } ?? .zero,
            removed: Int64((info["entries-added"]?.int ?? 0) - (info["length"]?.int ?? 0)))
    }
}
