internal import Core

/// Who is named in a message.
struct MessageParties {
    /// Nil when the message names none.
    let source: String?
    /// Each once, in order.
    let destinations: [String]

    init(_ message: MessageEntry) {
        source = message.count(.source) > 0 ? message.string(.source) : nil
        let text = message.slice(.destinations)
        let names = text.isEmpty ? [] : PlainList.names(text) ?? message.destinationNames
        destinations = MessageParties.once(names.filter { !$0.isEmpty })
    }

    /// Names are the same when their bytes are.
    private static func once(_ names: [String]) -> [String] {
        if names.count < 2 { return names }
        if names.count <= 8 {
            var out: [String] = []
            for name in names where !out.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { out.append(name) }
            return out
        }
        var seen: Set<[UInt8]> = []
        return names.filter { seen.insert(Array($0.utf8)).inserted }
    }

    /// Source and destinations, each once.
    var all: [String] {
        guard let source else { return destinations }
        return destinations.contains { $0.utf8.elementsEqual(source.utf8) } ? destinations : [source] + destinations
    }
}

extension LogEvent {
    /// The message of the event; nil when it is something else, or a message that was held and stands in the log again.
    ///
    /// - Throws: for an entry that should be one and is none.
    func message() throws(ProjectionFault) -> MessageEntry? {
        switch content {
        case .message(let message), .decided(let message, _): return message.isReleased ? nil : message
        case .unreadable(let reason, _): throw ProjectionFault(reason)
        case .control, .session: return nil
        }
    }
}

/// Reads the members of a row.
struct RowReader {
    private let root: JSONNode

    init?(_ json: [UInt8]) {
        guard let root = try? JSONDocument(json).root, root.kind == .object else { return nil }
        self.root = root
    }

    func integer(_ name: String) -> Int64? { root[name]?.integer }
    func text(_ name: String) -> String? { root[name]?.string }
    /// µs since the Unix epoch.
    func time(_ name: String) -> Int64? { text(name).flatMap { Timestamp.parse(Array($0.utf8).span) } }
    func position(_ name: String) -> Position? { text(name).flatMap { Position($0) } }
}

extension JSONObject {
    mutating func add(_ key: StaticString, _ value: Int64) { add(key, Int(value)) }
    mutating func add(_ key: StaticString, time microseconds: Int64) { add(key, Timestamp.rfc3339(microseconds: microseconds)) }
}
