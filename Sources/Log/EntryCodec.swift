package import Core
package import RedisDriver

/// Turns entries into commands and replies into entries.
package struct EntryCodec: Sendable {
    private let xadd: RESPTemplate
    private let fields: RESPTemplate
    private let fcall: [UInt8]
    private let streamArgument: [UInt8]
    private let namePrefix: [UInt8]
    private let window: String

    /// - Parameter dedupeWindowMs: how long a name given by a client is remembered.
    package init(keys: LogKeys, dedupeWindowMs: UInt64) {
        let names = MessageField.allCases.map(\.name.description)
        var head = RESPWriter()
        head.begin(3 + 2 * names.count)
        head.raw(RESPWriter.formatted(["XADD", keys.stream(.messages), "*"]))
        xadd = RESPTemplate(head: head.bytes, names: names)
        fields = RESPTemplate(head: [], names: names)
        fcall = RESPWriter.formatted(["FCALL", "meshlog_append"])
        streamArgument = RESPWriter.formatted([keys.stream(.messages)])
        namePrefix = Array(keys.namePrefix.utf8)
        window = String(dedupeWindowMs)
    }

    /// The command that appends a message: a bare XADD when nothing can repeat it, the atomic function when a client named it.
    package func append(_ message: AdmittedMessage, to out: inout RESPWriter) {
        guard message.isNamedByClient || !message.idempotencyName.isEmpty else {
            return out.fill(xadd, isCommand: true, from: message.entry.bytes.span) { message.entry.ranges[at: $0] }
        }
        let keys = nameKeys(message)
        out.begin(3 + 1 + keys.count + 2 + 2 * MessageField.allCases.count)
        out.raw(fcall)
        out.argument(1 + keys.count)
        out.raw(streamArgument)
        for key in keys { out.argument(key) }
        out.argument(window)
        out.argument(ContentDigest.of(message))
        fill(message.entry, to: &out)
    }

    /// Arguments of one commit of the list door: keys behind the first two, then `epoch`, `length`, window, digest and fields.
    package func listCommit(
        _ message: AdmittedMessage, processing: String, lease: String, epoch: Int, length: Int, to out: inout RESPWriter
    ) {
        let keys = nameKeys(message)
        out.begin(3 + 3 + keys.count + 4 + 2 * MessageField.allCases.count)
        out.argument("FCALL")
        out.argument("meshlog_list_commit")
        out.argument(3 + keys.count)
        out.argument(processing)
        out.argument(lease)
        out.raw(streamArgument)
        for key in keys { out.argument(key) }
        out.argument(epoch)
        out.argument(length)
        out.argument(window)
        out.argument(keys.isEmpty ? [] : ContentDigest.of(message))
        fill(message.entry, to: &out)
    }

    private func nameKeys(_ message: AdmittedMessage) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        if message.isNamedByClient {
            var key = namePrefix
            message.uuid.append(to: &key)
            keys.append(key)
        }
        if !message.idempotencyName.isEmpty { keys.append(namePrefix + message.idempotencyName) }
        return keys
    }

    private func fill(_ entry: MessageEntry, to out: inout RESPWriter) {
        out.fill(fields, isCommand: false, from: entry.bytes.span) { entry.ranges[at: $0] }
    }

    // MARK: Replies

    /// Reads `[id, [name, value, …]]`.
    package static func position(_ entry: RedisReply) -> Position? {
        guard entry.count == 2 else { return nil }
        return entry[0].withBytes { Position(streamID: $0) }
    }

    /// The message of an entry; nil when the entry lacks a field. Its values are checked by `MessageEntry.fault`.
    package static func message(_ entry: RedisReply) -> MessageEntry? {
        guard entry.count == 2, entry[1].count >= 2 else { return nil }
        let fields = entry[1]
        var size = 0
        for index in stride(from: 1, to: fields.count, by: 2) { size += fields[index].byteCount }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        var ranges = FieldRanges()
        var found = 0
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let expected = MessageField(rawValue: index / 2)
            let field = expected.flatMap { fields[index].equals($0.name) ? $0 : nil } ?? MessageField.named(fields[index].bytes)
            guard let field else { continue }
            let start = bytes.count
            fields[index + 1].append(to: &bytes)
            ranges[field] = start..<bytes.count
            found += 1
        }
        guard found == MessageField.allCases.count else { return nil }
        return MessageEntry(bytes: bytes, ranges: ranges)
    }

    /// Looks fields of a small entry up by name.
    package static func lookup(_ entry: RedisReply) -> (StaticString) -> ArraySlice<UInt8>? {
        guard entry.count == 2 else { return { _ in nil } }
        let fields = entry[1]
        return { name in
            for index in stride(from: 0, to: fields.count - 1, by: 2) where fields[index].equals(name) { return fields[index + 1].bytes[...] }
            return nil
        }
    }
}
