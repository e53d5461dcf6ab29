internal import Log

/// Makes the loops of the stages.
struct Loops: Sendable {
    let settings: Settings
    let setup: LogSetup

    /// - Parameter reads: the stream whose declaration says how long this stage may be silent before another process acts for it.
    func callAsFunction(_ name: String, reads stream: StreamName? = nil) -> StageLoop {
        let ttl = stream.map { setup.catalog[$0].claimAfter } ?? .seconds(10)
        return StageLoop(
            name: name, instance: settings.instance, endpoint: settings.redis, keys: settings.keys, leaseTTL: ttl, setup: setup)
    }
}
