package import Core
package import Log
package import RedisDriver

/// A projection at work, whatever its rows are: what wiring, REST and the command line see of it.
package protocol ProjectionRuntime: AnyObject, Sendable {
    var definition: ProjectionDefinition { get }

    /// Keeps the rows of the serving generation up to date until shutdown; one process acts, the others stand by.
    func materialize(_ place: ProjectionPlace) async

    /// Works on a generation that is being built, until it serves, fails or is cancelled, or the process is told to stop. Blocking.
    func rebuild(_ generation: Int, _ place: ProjectionPlace, _ stop: StopSignal, _ session: RedisSession, _ lease: inout Lease) throws

    /// Folds the log again and compares: digests along the way, then the checkpoint and every row. Blocking; writes nothing.
    func verify(_ place: ProjectionPlace, progress: (VerifyProgress) -> Void) throws(ProjectionError) -> Verification

    /// The state as of `position`, folded from the log (and the archive, where the log was trimmed). Blocking.
    ///
    /// - Bounds: `ProjectionLimits.pastEntriesMax`, `pastRowsMax`.
    func state(at position: Position, _ place: ProjectionPlace) throws(ProjectionError) -> PastState

    /// One row as of `position`.
    func row(_ key: String, at position: Position, _ place: ProjectionPlace) throws(ProjectionError) -> PastRow

    /// The rows that differ between two positions.
    func diff(from: Position, to: Position, _ place: ProjectionPlace) throws(ProjectionError) -> PastDifference
}
