/// The stream of a running `copyIn`; of no use behind its end.
///
/// It would be non-copyable, but Swift 6.3.1's optimizer crashes on that here (EarlyPerfInliner, `forwardToInit`).
package struct PostgreSQLCopy {
    let session: PostgreSQLSession

    /// Sends a chunk, cut anywhere; an empty one is nothing.
    ///
    /// - Throws: `.unavailable` when the connection is lost. A refusal by the server comes at the end, from `copyIn`.
    package func send(_ chunk: Span<UInt8>) throws(PostgreSQLError) {
        var failure: PostgreSQLError?
        chunk.withUnsafeBufferPointer { bytes in
            do throws(PostgreSQLError) {
                try session.putCopyData(bytes)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    package func send(_ chunk: [UInt8]) throws(PostgreSQLError) { try send(chunk.span) }
    package func send(_ chunk: ArraySlice<UInt8>) throws(PostgreSQLError) { try send(chunk.span) }

    /// Sends what `writer` holds and empties it, keeping its memory.
    package func send(_ writer: inout BinaryCopyWriter) throws(PostgreSQLError) {
        try send(writer.bytes.span)
        writer.drain()
    }
}
