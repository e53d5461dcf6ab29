import CNats
import Glibc

/// One header line.
package struct NATSHeader: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Which headers of a received message are copied out; nats.c parses none before the first is asked for.
package enum NATSHeaderSelection: Sendable {
    case none
    case named([String])
    case all
}

/// A received message, copied out of nats.c.
package struct NATSMessage: Hashable, Sendable {
    package let subject: String
    package let reply: String?
    package let headers: [NATSHeader]
    package let payload: [UInt8]
    /// 100, 404, 408, 409, 503 of a message that the server itself sent; nil for a message of a client.
    package let status: Int?
    package let statusDescription: String?

    package init(
        subject: String, reply: String? = nil, headers: [NATSHeader] = [], payload: [UInt8] = [], status: Int? = nil,
        statusDescription: String? = nil
    ) {
        self.subject = subject
        self.reply = reply
        self.headers = headers
        self.payload = payload
        self.status = status
        self.statusDescription = statusDescription
    }

    /// The first header of that name, compared without case as HTTP does.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value ?? headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

extension NATSMessage {
    /// Copies a nats.c message; the caller still owns and destroys it.
    init(copying message: OpaquePointer, headers selection: NATSHeaderSelection) {
        let length = Int(natsMsg_GetDataLength(message))
        let data = natsMsg_GetData(message)
        // A status message never has a payload, so others are spared the look into the headers.
        let status = length == 0 ? firstHeader(of: message, "Status") : nil
        self.init(
            subject: String(cString: natsMsg_GetSubject(message)),
            reply: natsMsg_GetReply(message).map { String(cString: $0) },
            headers: copiedHeaders(of: message, selection),
            payload: length == 0 ? [] : [UInt8](UnsafeRawBufferPointer(start: data, count: length)),
            status: status.flatMap { Int($0) },
            statusDescription: status == nil ? nil : firstHeader(of: message, "Description"))
    }
}

/// The first value of a header, or nil.
func firstHeader(of message: OpaquePointer, _ name: String) -> String? {
    var value: UnsafePointer<CChar>?
    guard natsMsgHeader_Get(message, name, &value) == NATS_OK, let found = value else { return nil }
    return String(cString: found)
}

private func copiedHeaders(of message: OpaquePointer, _ selection: NATSHeaderSelection) -> [NATSHeader] {
    switch selection {
    case .none: return []
    case .named(let names):
        return names.compactMap { name in firstHeader(of: message, name).map { NATSHeader(name, $0) } }
    case .all:
        var keys: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        var count: Int32 = 0
        guard natsMsgHeader_Keys(message, &keys, &count) == NATS_OK, let found = keys else { return [] }
        defer { free(found) }
        var result: [NATSHeader] = []
        for index in 0..<Int(count) {
            guard let key = found[index] else { continue }
            let name = String(cString: key)
            if let value = firstHeader(of: message, name) { result.append(NATSHeader(name, value)) }
        }
        return result
    }
}
