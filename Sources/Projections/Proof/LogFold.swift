import Core
import Log
import PostgreSQLDriver

/// What happened to single events of a generation out of the log's order: those that were parked were not applied in their turn, and
/// some of them later.
struct OutOfTurn {
    struct Applied {
        let stream: StreamName
        let position: Position
        /// The checkpoint behind which it was applied.
        let after: Position
        let kept: [UInt8]
    }
    private struct Place: Hashable {
        let stream: StreamName
        let position: Position
    }
    private var passed: Set<Place> = []
    /// In the order in which they were applied.
    private(set) var applied: [Applied] = []

    init() {}

    init(_ row: GenerationRow, on session: PostgreSQLSession) throws(ProjectionError) {
        let answer = try database { () throws(PostgreSQLError) in
            try session.query(
                """
                SELECT position_ms, position_seq, stream, status, applied_ms, applied_seq, CASE WHEN status = 'applied' THEN entry END FROM projection_parked
                WHERE name = $1 AND generation = $2 ORDER BY applied_events, position_ms, position_seq
                """, [.text(row.name), .int4(Int32(row.generation))])
        }
        for index in 0..<answer.rowCount {
            func position(_ column: Int) -> Position {
                Position(ms: UInt64(clamping: answer.int64(index, column) ?? 0), seq: UInt64(clamping: answer.int64(index, column + 1) ?? 0))
            }
            guard let stream = answer.string(index, 2).flatMap({ StreamName(rawValue: $0) }) else { continue }
            passed.insert(Place(stream: stream, position: position(0)))
            if answer.string(index, 3) == "applied" {
                applied.append(Applied(stream: stream, position: position(0), after: position(4), kept: answer.bytes(index, 6) ?? []))
            }
        }
    }

    func passes(_ event: LogEvent) -> Bool { !passed.isEmpty && passed.contains(Place(stream: event.stream, position: event.position)) }
}

/// Folds the log in memory from its beginning, as the rows of a generation were made: for proofs and for looks at the past.
final class LogFold<P: Projection> {
    private(set) var fold: Fold<P>
    private let source: EventSource
    private let outOfTurn: OutOfTurn
    private var nextApplied = 0
    private var seen: [Position: LogEvent] = [:]
    private var waiting: ArraySlice<LogEvent> = []
    private(set) var entries: Int64 = 0
    /// The last entry that was folded, or passed over.
    private(set) var lastEntry = Position.zero
    /// Only the row with this key is of interest.
    private let only: String?

    init(_ projection: P, _ place: ProjectionPlace, _ outOfTurn: OutOfTurn, only: String? = nil) throws(ProjectionError) {
        fold = Fold(projection)
        self.outOfTurn = outOfTurn
        self.only = only
        source = try EventSource(streams: projection.definition.streams, after: .zero, name: "fold-\(projection.definition.name)", place: place)
    }

    /// The first entry there is, when older ones are gone for good.
    var begins: Position? { source.begins }
    /// Part of the way came from the archive, which has no unreadable entries.
    var usedArchive: Bool { source.usedArchive }

    func commit() -> [RowChange] { fold.commit() }

    /// Folds everything up to and with `position`.
    ///
    /// - Parameter each: called after every chunk; throws to give up.
    /// - Returns: whether the log goes on behind it, so that nothing can be added any more.
    func run(to position: Position, each: () throws(ProjectionError) -> Void) throws(ProjectionError) -> Bool {
        while true {
            if waiting.isEmpty {
                waiting = try source.next()[...]
                if waiting.isEmpty {
                    if !source.isAtHead { continue }
                    applyLate(upTo: position)
                    return false
                }
            }
            while let event = waiting.first {
                if event.position > position {
                    applyLate(upTo: position)
                    return true
                }
                if nextApplied < outOfTurn.applied.count { applyLate(before: event.position) }
                waiting.removeFirst()
                apply(event)
            }
            try each()
        }
    }

    private func apply(_ event: LogEvent) {
        entries += 1
        lastEntry = event.position
        if outOfTurn.passes(event) {
            seen[event.position] = event
            fold.pass(event.position)
            return
        }
        do throws(ProjectionFault) {
            guard let only else {
                try fold.apply(event)
                return
            }
            let keys = try fold.keys(of: event)
            if keys.contains(where: { $0.utf8.elementsEqual(only.utf8) }) { try fold.apply(event, keys: [only]) } else { fold.pass(event.position) }
        } catch {
            // Skipped or parked when the rows were made, and so here.
        }
    }

    // MARK: Out of turn

    private func applyLate(before position: Position) { applyLate { $0 < position } }
    private func applyLate(upTo position: Position) { applyLate { $0 <= position } }

    private func applyLate(_ isDue: (Position) -> Bool) {
        while nextApplied < outOfTurn.applied.count, isDue(outOfTurn.applied[nextApplied].after) {
            let one = outOfTurn.applied[nextApplied]
            nextApplied += 1
            let event = seen[one.position] ?? LogEvent(kept: one.kept, stream: one.stream, position: one.position)
            guard let keys = try? fold.keys(of: event), only.map({ only in keys.contains { $0.utf8.elementsEqual(only.utf8) } }) ?? true else { continue }
            _ = try? fold.applyAgain(event)
        }
    }

    // MARK: Rows

    /// All rows in order of their keys.
    var rows: [ProjectionRowText] {
        fold.rows.map { ProjectionRowText(key: $0.0, json: $0.1.json, position: fold.position(of: $0.0) ?? .zero) }
            .filter { row in only.map { $0.utf8.elementsEqual(row.key.utf8) } ?? true }
            .sorted { KeyOrder.isBefore($0.key, $1.key) }
    }
}
