internal import Log
internal import Logging
internal import PostgreSQLDriver
internal import RedisDriver

/// Builds the generations that were asked for, one at a time in a process; several processes build several at once.
package struct Rebuilder: Sendable {
    private let catalog: ProjectionCatalog
    private let place: ProjectionPlace
    private let log = Logger(label: "meshlog.rebuild")

    package init(_ catalog: ProjectionCatalog, _ place: ProjectionPlace) {
        self.catalog = catalog
        self.place = place
    }

    /// Runs until shutdown.
    package func run() async {
        await WorkerThread.run("rebuild") { [self] stop in run(stop) }
    }

    private func run(_ stop: StopSignal) {
        var backoff = Backoff()
        var failing = false
        while !stop.isRequested {
            do {
                let control = try place.redis("rebuild")
                let session = try place.postgresql("rebuild")
                while !stop.isRequested {
                    if try !buildOne(stop, control, session) { stop.wait(for: place.poll) }
                    backoff.reset()
                    failing = false
                }
            } catch {
                if !failing { log.warning("stopped working, will try again", metadata: ["reason": "\(error)"]) }
                failing = true
                stop.wait(for: backoff.next())
            }
        }
    }

    /// - Returns: false when there is nothing to do for this process.
    private func buildOne(_ stop: StopSignal, _ control: RedisSession, _ session: PostgreSQLSession) throws -> Bool {
        for row in try GenerationTable.all(on: session) where row.status == .building {
            guard let runtime = catalog[row.name], runtime.definition.version == row.version else { continue }
            var lease = Lease(name: "rebuild:\(row.name)", instance: place.instance, ttl: place.leaseTTL, keys: place.keys)
            guard case .held = try lease.renew(control) else { continue }
            try runtime.rebuild(row.generation, place, stop, control, &lease)
            try lease.release(control)
            return true
        }
        return false
    }
}
