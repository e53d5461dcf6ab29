package import Core
package import RedisDriver

/// Turns entries into commands and replies into entries.
package struct EntryCodec: Sendable {
    private let xadd: [UInt8]
    private let names: RESPTemplate
    private let fcall: [UInt8]
    private let streamArgument: [UInt8]
    private let namePrefix: [UInt8]
    private let window: String

    /// - Parameter dedupeWindowMs: how long a name given by a client is remembered, where the configuration says nothing.
    package init(keys: LogKeys, dedupeWindowMs: UInt64) {
        xadd = RESPWriter.formatted(["XADD", keys.stream(.messages), "*"])
        names = RESPTemplate(names: MessageField.allCases.map(\.name.description))
        fcall = RESPWriter.formatted(["FCALL", "meshlog_append"])
        streamArgument = RESPWriter.formatted([keys.stream(.messages)])
        namePrefix = Array(keys.namePrefix.utf8)
        window = String(dedupeWindowMs)
    }

    /// The command that appends a message: a bare XADD when nothing can repeat it, the atomic function when a client named it.
    package func append(_ message: AdmittedMessage, to out: inout RESPWriter) {
        guard message.isNamedByClient || !message.idempotencyName.isEmpty else {
            out.begin(3 + EntryCodec.arguments(message.entry))
            out.raw(xadd)
            return fill(message.entry, to: &out)
        }
        let keys = nameKeys(message)
        out.begin(3 + 1 + keys.count + 2 + EntryCodec.arguments(message.entry))
        out.raw(fcall)
        out.argument(1 + keys.count)
        out.raw(streamArgument)
        for key in keys { out.argument(key) }
        out.argument(message.dedupeWindowMs.map { String($0) } ?? window)
        out.argument(ContentDigest.of(message))
        fill(message.entry, to: &out)
    }

    /// Arguments of one commit of the list door: keys behind the first two, then `epoch`, `length`, window, digest and fields.
    package func listCommit(
        _ message: AdmittedMessage, processing: String, lease: String, epoch: Int, length: Int, to out: inout RESPWriter
    ) {
        let keys = nameKeys(message)
        out.begin(3 + 3 + keys.count + 4 + EntryCodec.arguments(message.entry))
        out.argument("FCALL")
        out.argument("meshlog_list_commit")
        out.argument(3 + keys.count)
        out.argument(processing)
        out.argument(lease)
        out.raw(streamArgument)
        for key in keys { out.argument(key) }
        out.argument(epoch)
        out.argument(length)
        out.argument(message.dedupeWindowMs.map { String($0) } ?? window)
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
        out.fill(names, from: entry.bytes.span) { gap in
            let range = entry.ranges[at: gap]
            return range.isEmpty && EntryCodec.isOptional[gap] ? nil : range
        }
    }

    /// Names and values that stand in the log.
    private static func arguments(_ entry: MessageEntry) -> Int {
        var count = 0
        for index in isOptional.indices where !isOptional[index] || !entry.ranges[at: index].isEmpty { count += 2 }
        return count
    }

    private static let isOptional = InlineArray<17, Bool> { MessageField.allCases[$0].isOptional }

    // MARK: Replies

    /// Reads `[id, [name, value, …]]`.
    package static func position(_ entry: RedisReply) -> Position? {
        guard entry.count == 2 else { return nil }
        return entry[0].withBytes { Position(streamID: $0) }
    }

    /// The message of an entry; nil when the entry lacks a field that is not optional. Its values are checked by `MessageEntry.fault`.
    package static func message(_ entry: RedisReply) -> MessageEntry? {
        guard entry.count == 2, entry[1].count >= 2 else { return nil }
        let fields = entry[1]
        var size = 0
        for index in stride(from: 1, to: fields.count, by: 2) { size += fields[index].byteCount }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        var ranges = FieldRanges()
        var found: UInt32 = 0
        var next = 0
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let field = field(fields[index], from: next) else { continue }
            let start = bytes.count
            fields[index + 1].append(to: &bytes)
            ranges[field] = start..<bytes.count
            found |= 1 << UInt32(field.rawValue)
            next = field.rawValue + 1
        }
        return found & required == required ? MessageEntry(bytes: bytes, ranges: ranges) : nil
    }

    /// The field of this name; they stand in order, with gaps, unless somebody else wrote the entry.
    private static func field(_ name: RedisReply, from next: Int) -> MessageField? {
        for index in next..<isOptional.count {
            guard let field = MessageField(rawValue: index) else { break }
            if name.equals(field.name) { return field }
        }
        return MessageField.named(name.bytes)
    }

    private static let required = MessageField.allCases.reduce(UInt32(0)) { $1.isOptional ? $0 : $0 | 1 << UInt32($1.rawValue) }

    /// Looks fields of a small entry up by name.
    package static func lookup(_ entry: RedisReply) -> (StaticString) -> ArraySlice<UInt8>? {
        guard entry.count == 2 else { return { _ in nil } }
        let fields = entry[1]
        let pairs = fields.count / 2
        // Fields are asked for in the order in which they stand, so the one behind the last is the likeliest.
        var next = 0
        return { name in
            var pair = next
            for _ in 0..<pairs {
                if pair >= pairs { pair = 0 }
                if fields[2 * pair].equals(name) {
                    next = pair + 1
                    return fields[2 * pair + 1].bytes[...]
                }
                pair += 1
            }
            return nil
        }
    }

    /// All fields of an entry as a JSON object, for entries that nobody can read otherwise; bytes that are not UTF-8 are replaced.
    package static func json(_ entry: RedisReply) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "{")]
        guard entry.count == 2 else { return Array("{}".utf8) }
        let fields = entry[1]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(fields[index].string, to: &out)
            out.append(UInt8(ascii: ":"))
            JSONText.append(fields[index + 1].string, to: &out)
        }
        out.append(UInt8(ascii: "}"))
        return out
    }
}
