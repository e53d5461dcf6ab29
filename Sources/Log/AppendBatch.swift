package import Core
internal import RedisDriver

/// Entries made ready to be appended, as the commands that go over the wire: a door fills it on its own thread, so that the
/// appender only moves bytes.
///
/// One batch can be used again and again: `removeAll` keeps its memory.
package struct AppendBatch: Sendable {
    struct Entry: Sendable {
        /// Of the message; nil for a rejected input and a notification.
        let uuid: MessageUUID?
        /// Where its command ends.
        let end: Int
    }

    private(set) var commands = RESPWriter()
    private(set) var entries: [Entry] = []
    private let codec: EntryCodec
    private let keys: LogKeys

    init(codec: EntryCodec, keys: LogKeys) {
        self.codec = codec
        self.keys = keys
    }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
    /// Of all commands.
    package var bytes: Int { commands.bytes.count }

    package mutating func add(_ message: AdmittedMessage) {
        codec.append(message, to: &commands)
        entries.append(Entry(uuid: message.uuid, end: commands.bytes.count))
    }

    /// Kept in `rejected`: what a door could neither admit nor answer.
    package mutating func add(_ entry: RejectedEntry) {
        entry.write(keys: keys, to: &commands)
        entries.append(Entry(uuid: nil, end: commands.bytes.count))
    }

    /// Told to webhooks.
    package mutating func add(_ notification: NotificationEntry) {
        notification.write(keys: keys, to: &commands)
        entries.append(Entry(uuid: nil, end: commands.bytes.count))
    }

    package mutating func removeAll() {
        commands.removeAll()
        entries.removeAll(keepingCapacity: true)
    }

    /// The id of the entry at `index`, in the order in which they were added.
    package func uuid(at index: Int) -> MessageUUID? { entries[index].uuid }
}
