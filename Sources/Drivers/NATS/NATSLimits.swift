/// The bounds of this driver, each with its reason.
package enum NATSLimits {
    /// Messages of one publish batch. Their acks wait in one subscription whose pending limit must hold them all; servers from 2.11 on
    /// refuse more than 10,000 messages in flight per stream.
    package static let publishBatchMax = 4_096

    /// Bytes of a subject. The server closes the connection of a client whose control line (subject, reply, sizes) exceeds 4,096.
    package static let subjectBytesMax = 2_048

    /// Messages that `tail` reads at most: one pull request, headers only.
    package static let tailMax = 4_096

    /// Bytes that publishes may pile up while a connection reconnects. nats.c's own default is 8 MB; small means that they fail early.
    package static let reconnectBufferBytesMax = 65_536

    /// Connection events kept for a reader who is slow; older ones are dropped.
    package static let eventsMax = 64

    /// Messages and bytes waiting for a subscriber before nats.c drops new ones and counts them.
    package static let pendingMessagesMax = 65_536
    package static let pendingBytesMax = 64 << 20

    /// Pages of a list API (256 to 1,024 names each) that are followed.
    package static let pagesMax = 64

    /// How long nats.c's own thread may take to report what it has read from a connection that was closed.
    package static let refusalsWait: Duration = .seconds(5)

    /// How often a wait for acks looks whether the connection is still the same one.
    package static let waitSlice: Duration = .milliseconds(200)
}
