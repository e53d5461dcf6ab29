package import Core
package import Log
internal import NIOConcurrencyHelpers
package import RedisDriver

/// The runtime of one projection: behind the protocol, everything knows the type of its rows.
package final class ProjectionHost<P: Projection>: ProjectionRuntime {
    package let projection: P
    package let definition: ProjectionDefinition
    /// The state that was asked for last: pages of it follow one another.
    private let past = NIOLockedValueBox<(asked: Position, state: PastState)?>(nil)

    package init(_ projection: P) {
        self.projection = projection
        definition = projection.definition
    }

    package func materialize(_ place: ProjectionPlace) async {
        let materializer = Materializer(projection, place)
        await WorkerThread.run("projection:\(definition.name)") { materializer.run($0) }
    }

    package func rebuild(_ generation: Int, _ place: ProjectionPlace, _ stop: StopSignal, _ session: RedisSession, _ lease: inout Lease) throws {
        let epoch = lease.epoch
        var renewed = ContinuousClock.now
        var held = lease
        defer { lease = held }
        try Rebuild(projection, place).run(generation, epoch: epoch, stop: stop, control: session) {
            guard ContinuousClock.now - renewed > place.leaseTTL / 4 else { return }
            guard case .held = try held.renew(session) else { throw LogError.fenced("lost the lease") }
            renewed = .now
        }
    }

    package func verify(_ place: ProjectionPlace, progress: (VerifyProgress) -> Void) throws(ProjectionError) -> Verification {
        try Verifier(projection, place).run(progress)
    }

    package func state(at position: Position, _ place: ProjectionPlace) throws(ProjectionError) -> PastState {
        if let known = past.withLockedValue({ $0 }), known.asked == position { return known.state }
        let fold = try PastFold(projection, place, only: nil)
        let isSettled = try fold.run(to: position)
        let state = fold.state()
        // A moment that is not over yet may still get entries.
        if isSettled, state.rows.count <= ProjectionHost.pastRowsKept { past.withLockedValue { $0 = (position, state) } }
        return state
    }

    /// A kept state costs memory for as long as the process lives.
    private static var pastRowsKept: Int { 50_000 }

    package func row(_ key: String, at position: Position, _ place: ProjectionPlace) throws(ProjectionError) -> PastRow {
        let fold = try PastFold(projection, place, only: key)
        _ = try fold.run(to: position)
        return PastRow(position: fold.position, row: fold.state().rows.first)
    }

    package func diff(from: Position, to: Position, _ place: ProjectionPlace) throws(ProjectionError) -> PastDifference {
        guard from <= to else { throw .invalid("'from' (\(from)) is behind 'to' (\(to)); swap them") }
        let fold = try PastFold(projection, place, only: nil)
        _ = try fold.run(to: from)
        return try fold.difference(to: to)
    }
}
