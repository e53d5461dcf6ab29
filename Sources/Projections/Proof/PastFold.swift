import Core
import Log
import PostgreSQLDriver

/// The state of a projection at a past moment, folded for one answer.
final class PastFold<P: Projection> {
    private let fold: LogFold<P>
    private let definition: ProjectionDefinition

    /// - Parameter only: the one row that is asked for; an event that concerns several rows is then taken to fit the others.
    init(_ projection: P, _ place: ProjectionPlace, only: String?) throws(ProjectionError) {
        definition = projection.definition
        let session = try place.postgresql("past-\(definition.name)")
        let serving = try GenerationTable.serving(definition.name, on: session)
        let outOfTurn = if let serving { try OutOfTurn(serving, on: session) } else { OutOfTurn() }
        fold = try LogFold(projection, place, outOfTurn, only: only)
    }

    var position: Position { fold.lastEntry }

    /// - Returns: whether the log goes on behind the position.
    /// - Throws: `.tooMuch` beyond the limits; `.gap` when the log begins behind the position.
    func run(to position: Position) throws(ProjectionError) -> Bool {
        let isSettled = try fold.run(to: position) { () throws(ProjectionError) in
            guard fold.entries <= ProjectionLimits.pastEntriesMax else {
                throw .tooMuch(
                    "the state of \(definition.name) at \(position) takes more than \(ProjectionLimits.pastEntriesMax) entries to fold; ask for an earlier one")
            }
            guard fold.fold.held <= ProjectionLimits.pastRowsMax else {
                throw .tooMuch("the state of \(definition.name) at \(position) has more than \(ProjectionLimits.pastRowsMax) rows; ask for a single row")
            }
        }
        if let begins = fold.begins, position < begins { throw .gap(definition.streams[0], after: position, first: begins) }
        return isSettled
    }

    func state() -> PastState {
        _ = fold.commit()
        return PastState(definition: definition, position: position, events: fold.fold.events, digest: fold.fold.digest.description, rows: fold.rows)
    }

    /// Goes on to a later position and says what has changed.
    func difference(to position: Position) throws(ProjectionError) -> PastDifference {
        let from = self.position
        _ = fold.commit()
        let before = fold.fold
        _ = try run(to: position)
        var changes: [PastDifference.Change] = []
        for change in fold.commit() {
            let old = before.row(change.key)?.json
            if old == change.json { continue }
            changes.append(.init(key: change.key, before: old, after: change.json, position: change.position))
        }
        changes.sort { KeyOrder.isBefore($0.key, $1.key) }
        return PastDifference(from: from, to: self.position, changes: changes)
    }
}
