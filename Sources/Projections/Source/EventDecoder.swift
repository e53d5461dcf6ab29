internal import Core
internal import Log
internal import RedisDriver

/// Turns replies of the log into events.
enum EventDecoder {
    static func event(_ stream: StreamName, _ entry: RedisReply) -> LogEvent? {
        guard let position = EntryCodec.position(entry) else { return nil }
        let content =
            switch stream {
            case .control: control(entry)
            case .sessions: session(entry)
            default: message(entry)
            }
        return LogEvent(stream: stream, position: position, content: content)
    }

    private static func session(_ entry: RedisReply) -> LogEvent.Content {
        switch SessionLog.event(entry) {
        case .success(let event): .session(event)
        case .failure(let fault): .unreadable(reason: fault.reason, text: fault.text)
        }
    }

    private static func control(_ entry: RedisReply) -> LogEvent.Content {
        let fields = entry.count == 2 ? entry[1] : entry
        let count = entry.count == 2 ? fields.count : 0
        // Fields are asked for in the order in which they stand, unless somebody else wrote the entry.
        var next = 0
        do throws(ControlFault) {
            return .control(
                try ControlEvent(fields: { name in
                    if next + 1 < count, fields[next].equals(name) {
                        next += 2
                        return fields[next - 1].bytes[...]
                    }
                    for index in stride(from: 0, to: count - 1, by: 2) where fields[index].equals(name) { return fields[index + 1].bytes[...] }
                    return nil
                }))
        } catch {
            return .unreadable(reason: error.detail, text: EntryCodec.json(entry))
        }
    }

    private static func message(_ entry: RedisReply) -> LogEvent.Content {
        guard let message = EntryCodec.message(entry) else { return .unreadable(reason: "the entry lacks a field of a message", text: EntryCodec.json(entry)) }
        // What the router buries is never archived: a fold from the log must not see it either.
        if let fault = MessageCheck.fault(message) { return .unreadable(reason: fault, text: EntryCodec.json(entry)) }
        return .message(message)
    }
}

/// `MessageEntry.fault` for millions of entries: the usual ones are passed by a few looks at their bytes, the others get the full check.
enum MessageCheck {
    static func fault(_ message: MessageEntry) -> String? {
        isPlain(message) ? nil : message.fault
    }

    /// ASCII throughout, with everything that the full check asks for.
    private static func isPlain(_ message: MessageEntry) -> Bool {
        let bytes = message.bytes.span
        var all: UInt8 = 0
        for index in bytes.indices { all |= bytes[index] }
        guard all < 0x80, message.slice(.event).elementsEqual(accepted), isUUID(message.slice(.messageUUID)) else { return false }
        guard Subject.topicFault(message.slice(.topic).span) == nil else { return false }
        guard message.slice(.originTS).allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), message.count(.originTS) <= 18 else { return false }
        return isPlainList(message.slice(.destinations))
    }

    private static let accepted = Array(MessageEntry.accepted.utf8)

    private static func isUUID(_ text: ArraySlice<UInt8>) -> Bool { MessageUUID(utf8: text.span) != nil }

    /// Empty, or `["a","b"]` without escapes.
    private static func isPlainList(_ text: ArraySlice<UInt8>) -> Bool { text.isEmpty || PlainList.count(text) != nil }
}

/// A JSON array of strings without escapes, as admission writes it.
enum PlainList {
    /// The strings; nil when the text is anything else.
    static func names(_ text: ArraySlice<UInt8>) -> [String]? {
        var out: [String] = []
        guard walk(text, { out.append(String(decoding: text[$0], as: UTF8.self)) }) else { return nil }
        return out
    }

    static func count(_ text: ArraySlice<UInt8>) -> Int? {
        var count = 0
        return walk(text, { _ in count += 1 }) ? count : nil
    }

    private static func walk(_ text: ArraySlice<UInt8>, _ found: (Range<Int>) -> Void) -> Bool {
        var at = text.startIndex
        let end = text.endIndex
        func skipSpace() { while at < end, text[at] == 0x20 { at += 1 } }
        guard at < end, text[at] == UInt8(ascii: "[") else { return false }
        at += 1
        skipSpace()
        if at + 1 == end, text[at] == UInt8(ascii: "]") { return true }
        while at < end, text[at] == UInt8(ascii: "\"") {
            let start = at + 1
            at = start
            while at < end, text[at] != UInt8(ascii: "\"") {
                if text[at] == UInt8(ascii: "\\") || text[at] < 0x20 { return false }
                at += 1
            }
            guard at < end else { return false }
            found(start..<at)
            at += 1
            skipSpace()
            guard at < end else { return false }
            if text[at] == UInt8(ascii: "]") { return at + 1 == end }
            guard text[at] == UInt8(ascii: ",") else { return false }
            at += 1
            skipSpace()
        }
        return false
    }
}
