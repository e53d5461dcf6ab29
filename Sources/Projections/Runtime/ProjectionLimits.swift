/// The bounds of the projection runtime, with their reasons.
package enum ProjectionLimits {
    /// Entries of one round trip to the log: beyond, the reply's memory grows and nothing gets faster.
    static let chunkEntries = 1_000
    /// Bytes of one round trip that are aimed at; after large entries the next chunk has fewer.
    static let chunkBytesTarget = 2 << 20
    /// Events folded between two commits of a catch-up: what a crash repeats (some seconds of work).
    static let commitEvents = 1_000_000
    /// Rows changed between two commits: what PostgreSQL merges well within a lease. Fewer would write a row again for each of its events.
    static let commitRows = 150_000
    /// Bytes of entries folded between two commits: bounds what large rows hold in memory.
    static let commitBytes = 256 << 20
    /// A catch-up commits at least this often, so that readers see it move.
    static let commitInterval = Duration.seconds(20)
    /// Rows a materializer keeps in memory (some hundred MB at most); above, it forgets them and looks up what it needs.
    package static let rowsHeldMax = 250_000
    /// Changed rows that go as parameters of one statement; more are cheaper by COPY.
    static let insertRowsMax = 64
    /// The index of PostgreSQL takes about 2,700 bytes.
    package static let keyBytesMax = 2_048
    /// Digests kept for a projection; when there are more, every second one goes.
    static let digestsMax = 256
    /// Events between two recorded digests during a catch-up.
    static let digestEvents: Int64 = 10_000
    /// Parked events of a projection; a projection that cannot apply its events at all stops instead of filling the disk.
    static let parkedMax = 100_000
    /// Parked events tried again in one step, and listed on one page.
    static let parkedPage = 1_000
    /// Rows a past state may have: it is held in memory for one answer.
    package static let pastRowsMax = 500_000
    /// Entries folded for one answer about the past: about a minute of work.
    package static let pastEntriesMax: Int64 = 20_000_000
    /// Differing rows that a verification names; the others are counted.
    package static let differencesMax = 100
    /// A head that does not move for so long although the log goes on is stalled.
    /// - Source: Marten's high-water-mark health check.
    package static let stalledAfterMs: Int64 = 30_000
    /// Generations kept in the list after they were replaced, failed or cancelled.
    static let generationsKept = 10
    /// A takeover waits so long for readers of the old rows before it tries again later.
    static let takeoverLockMs = 500
    /// How long an archive that is a little behind is waited for before a reader is told.
    static let archiveWait = Duration.seconds(5)
}
