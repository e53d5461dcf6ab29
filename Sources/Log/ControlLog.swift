package import Core
package import RedisDriver

package enum ControlOutcome: Sendable, Equatable {
    /// One position a change, in order.
    case appended([Position])
    /// The change with this index is based on another version; nothing was written.
    case conflict(index: Int, current: Position?)
}

/// Appends to `control`, and reads it.
package struct ControlLog: Sendable {
    package let keys: LogKeys

    package init(keys: LogKeys) { self.keys = keys }

    /// Appends changes, all or none.
    ///
    /// - Shape: 1…`Limits.controlBatchMax` changes of different documents.
    /// - Throws: `.unavailable`: the outcome is unknown; reading the documents tells.
    package func append(_ changes: [ControlChange], _ session: RedisSession) throws(RedisError) -> ControlOutcome {
        precondition(!changes.isEmpty && changes.count <= Limits.controlBatchMax, "1 to \(Limits.controlBatchMax) changes")
        let width = 3 + 2 * ControlEvent.fieldNames.count
        var command = RESPWriter()
        command.begin(6 + width * changes.count)
        for word in ["FCALL", "meshlog_control", "2", keys.stream(.control), keys.controlVersions] { command.argument(word) }
        command.argument(width)
        for change in changes {
            command.argument(change.event.kind.rawValue + "/" + change.event.key)
            command.argument(change.expected.word)
            command.argument(change.event.change == .deleted ? 1 : 0)
            for (name, value) in zip(ControlEvent.fieldNames, change.event.fieldValues) {
                command.argument(name)
                command.argument(value)
            }
        }
        let reply = try session.pipeline(command)[0]
        if case .error(let text) = reply { throw .server(text) }
        guard let items = reply.array, let kind = items.first?.int else { throw .unexpectedReply("meshlog_control") }
        if kind == 1, items.count == 3, let number = items[1].int {
            return .conflict(index: number - 1, current: items[2].text.flatMap { Position(streamID: $0) })
        }
        let positions = items.dropFirst().compactMap { $0.text.flatMap { Position(streamID: $0) } }
        guard kind == 0, positions.count == changes.count else { throw .unexpectedReply("meshlog_control") }
        return .appended(positions)
    }

    /// Reads an entry of `control`: the event, or why it is none and what it holds as JSON.
    package static func event(_ entry: RedisReply) -> Result<ControlEvent, UnreadableEntry> {
        do throws(ControlFault) {
            return .success(try ControlEvent(fields: EntryCodec.lookup(entry)))
        } catch {
            return .failure(UnreadableEntry(reason: error.detail, text: EntryCodec.json(entry)))
        }
    }
}

/// An entry that is not what its stream holds.
package struct UnreadableEntry: Error, Sendable {
    package let reason: String
    /// Its fields as a JSON object.
    package let text: [UInt8]
}
