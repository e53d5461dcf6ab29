/// Every bound of the views beyond those of `Core.Limits`, with its reason.
package enum ViewLimits {
    /// Rows of a page when the client names no limit.
    package static let pageRowsDefault = 100
    /// Characters of a name in a filter: what admission lets into the log.
    package static let nameCharactersMax = 256
    /// Violations named in one answer; a query string has no more than these mistakes that anybody wants to read.
    package static let violationsMax = 32
    /// Deliveries told in one trace: a message goes to few backbones, but may be repeated there.
    package static let traceDeliveriesMax = 100

    /// A position this far ahead of our clock was never given to anybody: clocks differ less.
    package static let clockSkewMs: UInt64 = 3_600_000
    /// Who waits for a position shares one read of the checkpoint in this time.
    package static let positionPollInterval = Duration.milliseconds(25)

    /// Entries and bytes that a follower of the feed takes at once: what one follower holds in memory, and one entry more.
    package static let feedBatchEntriesMax = 256
    package static let feedBatchBytesTarget = 1 << 20
    /// Entries that a follower reads from the log first: a few of the largest messages are more than its batch.
    package static let feedChunk = 4
    /// Messages of the archive that a filter looks at for one batch: some milliseconds, however few of them it lets through.
    package static let feedScanMax = 10_000
    /// A follower that has taken nothing for this long is let go.
    package static let feedStallMax = Duration.seconds(60)
    /// Silence on a followed feed before a sign of life; proxies cut connections after 30 to 60 seconds.
    package static let feedHeartbeat = Duration.seconds(15)
    /// How long the hub waits for an entry before it looks at its followers: bounds the delay of a heartbeat.
    package static let feedWait = Duration.milliseconds(250)
    /// Without followers the hub only keeps its place, at most this often.
    package static let feedIdlePause = Duration.milliseconds(20)
    /// Bytes of one entry in the ring beside its frame, about.
    package static let feedEntryOverheadBytes = 256

    /// Conditions of one filter, and values that one of them may name: what a person or a form asks, not a program's list.
    package static let filterConditionsMax = 16
    package static let filterValuesMax = 100
    /// Earlier states of the control plane that are kept to begin from: the pages of one query, and one comparison beside it.
    package static let pastStatesMax = 4
    /// Entries of `control` read in one round trip when its history is told.
    package static let controlChunk = 1_000
    /// How long a read waits for a process that has just started to know the control plane.
    package static let controlReadyWait = Duration.seconds(2)
    /// Bytes of the comment that goes with a change.
    package static let commentBytesMax = 1_024

    /// Entries of `notifications` read in one round trip, and looked at for one page of a webhook's attempts: the attempts of others lie between.
    package static let attemptsChunk = 500
    package static let attemptsScanMax = 20_000

    /// Entries of a stream read in one round trip: bounds what a page holds beyond its target of bytes.
    package static let entriesChunk = 32

    /// How often the servers are asked whether they are there.
    package static let pulseInterval = Duration.seconds(1)
    /// A server that has not answered for this long counts as missing.
    package static let pulsePatience = Duration.seconds(3)
}
