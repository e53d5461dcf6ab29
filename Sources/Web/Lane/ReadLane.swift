/// Answers plain GETs from memory, on the connection's event loop.
package protocol ReadLane: Sendable {
    /// The answer to a GET without conditions.
    ///
    /// - Parameter target: as it stands in the request line, with its query: visible ASCII that begins with a slash.
    /// - Returns: nil when it is none for the lane: the connection leaves it, and the router serves the request.
    /// - Cost: runs on the event loop, so it must not block; a look-up.
    func read(_ target: Span<UInt8>) -> Answer?
}
