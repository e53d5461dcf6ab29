internal import Logging
package import RedisDriver

/// The life of a stage that must act alone: connect, take the lease, work in steps, keep the lease, give it up; after a failure, wait and begin again.
package struct StageLoop: Sendable {
    package let name: String
    package let instance: String
    package let endpoint: RedisEndpoint
    package let keys: LogKeys
    package let leaseTTL: Duration
    private let setup: LogSetup?
    private let log: Logger

    /// - Parameter setup: applied again where a failure says that something of it is gone.
    package init(
        name: String, instance: String, endpoint: RedisEndpoint, keys: LogKeys, leaseTTL: Duration = .seconds(10), setup: LogSetup? = nil
    ) {
        self.setup = setup
        self.name = name
        self.instance = instance
        self.endpoint = endpoint
        self.keys = keys
        self.leaseTTL = leaseTTL
        log = Logger(label: "meshlog.\(name)")
    }

    /// Runs until the stop.
    ///
    /// - Parameters:
    ///   - begin: called with a fresh session once the lease is held; makes what the steps need. Where that may outlast the lease, it asks its
    ///     last argument between the parts, which keeps the lease; once that says false the lease is lost or the stop requested, and what is
    ///     returned is not used.
    ///   - step: one bounded piece of work; returns soon (under half the lease) also when there is nothing to do.
    package func run<State>(
        _ stop: StopSignal, begin: (RedisSession, Int, _ isGoing: () -> Bool) throws -> State, step: (inout State, RedisSession, Int) throws -> Void
    ) {
        var backoff = Backoff()
        var saidStandby = false
        var complaint = Complaint()
        while !stop.isRequested {
            var lease = Lease(name: name, instance: instance, ttl: leaseTTL, keys: keys)
            do {
                let session = try RedisSession(endpoint, name: "meshlog-\(name)", timeout: .seconds(10))
                var renewed = ContinuousClock.now
                guard case .held(let epoch) = try lease.renew(session) else {
                    if !saidStandby { log.info("standing by: another process acts for this stage") }
                    saidStandby = true
                    stop.wait(for: leaseTTL / 5)
                    continue
                }
                saidStandby = false
                log.info("acting", metadata: ["epoch": "\(epoch)"])
                func keep() throws {
                    guard ContinuousClock.now - renewed > leaseTTL / 4 else { return }
                    // The time before the question: an answer may have lain there while this process was stopped.
                    let asked = ContinuousClock.now
                    guard case .held(epoch) = try lease.renew(session) else { throw LogError.fenced("lost the lease") }
                    renewed = asked
                }
                var lost: (any Error)?
                var state = try begin(session, epoch) {
                    guard !stop.isRequested else { return false }
                    do { try keep() } catch { lost = error }
                    return lost == nil
                }
                if let lost { throw lost }
                while !stop.isRequested {
                    try keep()
                    try step(&state, session, epoch)
                    backoff.reset()
                    complaint = Complaint()
                }
                try lease.release(session)
            } catch {
                let reason = "\(error)"
                if complaint.isDue(reason) { log.warning("stopped working, will try again", metadata: ["reason": "\(reason)"]) }
                if LogSetup.isMissing(error) { mend(stop) }
                stop.wait(for: backoff.next())
            }
        }
    }

    /// Makes again what is gone from the log; what cannot be made now is tried again with the next failure.
    private func mend(_ stop: StopSignal) {
        guard let setup else { return }
        do {
            let session = try RedisSession(endpoint, name: "meshlog-\(name)", timeout: .seconds(10))
            let made = try setup.apply(session, while: { !stop.isRequested })
            if !made.isEmpty {
                log.error("parts of the log were gone and were made again", metadata: ["what": "\(made.joined(separator: ", "))"])
            }
        } catch {
            log.warning("parts of the log are gone and cannot be made again", metadata: ["reason": "\(error)"])
        }
    }
}

/// Says which failures of a spell are worth a line: the first, each with another reason, and one a minute.
private struct Complaint {
    private var reason: String?
    private var said = ContinuousClock.now

    mutating func isDue(_ reason: String) -> Bool {
        let now = ContinuousClock.now
        guard reason != self.reason || now - said >= .seconds(60) else { return false }
        self.reason = reason
        said = now
        return true
    }
}
