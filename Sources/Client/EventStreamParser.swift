/// One server-sent event.
package struct ServerEvent: Sendable, Equatable {
    /// The last id seen, with which a client comes back.
    package let id: String
    /// `message` unless the server says otherwise.
    package let name: String
    package let data: [UInt8]

    package init(id: String, name: String, data: [UInt8]) {
        self.id = id
        self.name = name
        self.data = data
    }
}

/// Reads server-sent events from chunks of any size.
///
/// - Source: WHATWG HTML, 9.2.6, "Interpreting an event stream".
/// - Bounds: an event's data has at most `ClientLimits.eventBytesMax` bytes; what is longer is dropped, and counted in `dropped`.
package struct EventStreamParser: Sendable {
    /// The id to come back with; empty before the first.
    package private(set) var lastID = ""
    /// How long the server asks clients to wait before they come back.
    package private(set) var retryMilliseconds: Int?
    package private(set) var dropped = 0

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var name = ""
    private var isTooLong = false
    private var sawReturn = false
    private var isFirstLine = true

    package init() {}

    /// Takes the next bytes and returns the events they complete.
    package mutating func take(_ bytes: some Sequence<UInt8>) -> [ServerEvent] {
        var events: [ServerEvent] = []
        for byte in bytes {
            if byte == 0x0A {
                if sawReturn {
                    sawReturn = false
                    continue
                }
                endLine(&events)
            } else if byte == 0x0D {
                sawReturn = true
                endLine(&events)
            } else {
                sawReturn = false
                if line.count > ClientLimits.eventBytesMax { isTooLong = true } else { line.append(byte) }
            }
        }
        return events
    }

    /// A new connection: what was begun is void, the last id stays.
    package mutating func restart() {
        line = []
        sawReturn = false
        isFirstLine = true
        clear()
    }

    private mutating func clear() {
        data = []
        hasData = false
        name = ""
        isTooLong = false
    }

    private mutating func endLine(_ events: inout [ServerEvent]) {
        defer {
            line.removeAll(keepingCapacity: line.capacity <= 1 << 20)
            isFirstLine = false
        }
        if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        if line.isEmpty {
            if isTooLong { dropped += 1 } else if hasData { events.append(ServerEvent(id: lastID, name: name.isEmpty ? "message" : name, data: data)) }
            clear()
            return
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = colon < line.endIndex ? line[(colon + 1)...] : []
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if hasData { data.append(0x0A) }
            hasData = true
            if data.count + value.count > ClientLimits.eventBytesMax { isTooLong = true } else { data.append(contentsOf: value) }
        case "id": if !value.contains(0) { lastID = String(decoding: value, as: UTF8.self) }
        case "event": name = String(decoding: value, as: UTF8.self)
        case "retry": retryMilliseconds = Int(String(decoding: value, as: UTF8.self)) ?? retryMilliseconds
        default: break
        }
    }
}
