package import Core
package import Log
internal import Projections

/// Everything that steers Meshlog at one position of `control`: an immutable picture that a process reads without locks or I/O.
package struct ControlState: ControlFold, Sendable {
    /// Everything up to here is folded in it.
    package private(set) var position: Position
    /// The rows of `config` and `topics`, ready to be asked which value applies.
    package private(set) var table = ConfigTable()
    /// Events that could not be applied; their projection parks them, here they are passed over.
    package private(set) var faults = 0
    private var kinds: [ControlKind: Kind]
    /// Topics that topic groups name, with the number of groups that do.
    private var topics: [String: Int] = [:]

    private struct Kind: Sendable {
        var position: Position
        var rows: [String: ControlRow]
    }

    /// Before the first event, or as loaded: each kind may stand at another position.
    package init(loaded: [ControlKind: (position: Position, rows: [String: ControlRow])] = [:]) {
        kinds = Dictionary(
            uniqueKeysWithValues: ControlKind.allCases.map { kind in
                (kind, loaded[kind].map { Kind(position: $0.position, rows: $0.rows) } ?? Kind(position: .zero, rows: [:]))
            })
        position = kinds.values.map(\.position).min() ?? .zero
        for (key, row) in kinds[.config]?.rows ?? [:] { table.put(key: key, row) }
        for (key, row) in kinds[.topics]?.rows ?? [:] {
            table.put(topicGroup: key, row)
            count(row, by: 1)
        }
    }

    // MARK: Reading

    package func row(_ kind: ControlKind, _ key: String) -> ControlRow? { kinds[kind]?.rows[key] }

    /// All documents of a kind, by key.
    package func rows(_ kind: ControlKind) -> [String: ControlRow] { kinds[kind]?.rows ?? [:] }

    /// How far documents of a kind are folded.
    package func position(of kind: ControlKind) -> Position { kinds[kind]?.position ?? .zero }

    /// What a change must stand behind, so that no kind passes it over: before the rest of the stream is folded, kinds are further than `position`.
    package var reached: Position { kinds.values.reduce(position) { max($0, $1.position) } }

    /// The version of each document, by "<kind>/<key>".
    package var versions: [String: Position] {
        var out: [String: Position] = [:]
        for (kind, known) in kinds {
            for (key, row) in known.rows { out["\(kind.rawValue)/\(key)"] = row.revision }
        }
        return out
    }

    /// Does a topic group name this topic?
    package func isKnown(topic: String) -> Bool { topics[topic] != nil }

    // MARK: Folding

    /// Folds one entry of `control`. What stands at or before a kind's own position is passed over by it.
    package mutating func apply(_ position: Position, _ entry: Result<ControlEvent, UnreadableEntry>) {
        self.position = max(self.position, position)
        guard case .success(let change) = entry else {
            faults += 1
            return
        }
        guard let stand = kinds[change.kind]?.position, position > stand else { return }
        let before = row(change.kind, change.key)
        var after = before
        do throws(ProjectionFault) {
            try ControlProjection(change.kind).apply(LogEvent(stream: .control, position: position, content: .control(change)), to: &after, key: change.key)
        } catch {
            faults += 1
            return
        }
        kinds[change.kind]?.rows[change.key] = after
        kinds[change.kind]?.position = position
        switch change.kind {
        case .config: table.put(key: change.key, after)
        case .topics:
            count(before, by: -1)
            count(after, by: 1)
            table.put(topicGroup: change.key, after)
        default: break
        }
    }

    private mutating func count(_ row: ControlRow?, by change: Int) {
        guard let row, let list = try? JSONDocument(row.document).root["topic_ids"] else { return }
        for topic in Set(list.items.compactMap(\.string)) {
            let count = (topics[topic] ?? 0) + change
            topics[topic] = count > 0 ? count : nil
        }
    }
}
