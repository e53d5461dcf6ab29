import Foundation
import Glibc

/// What a server says of itself before anything else.
package struct NATSServerInfo: Sendable, Equatable {
    package let version: String
    package let name: String
    package let hasJetStream: Bool
    package let payloadBytesMax: Int
    package let needsAuthentication: Bool
    package let needsTLS: Bool

    /// Reads the greeting of the first server of `url`'s list that answers.
    ///
    /// - Parameters:
    ///   - url: as in `NATSOptions`: one address, or several of one cluster separated by commas.
    ///   - timeout: for all of them together; each has its part.
    /// - Throws: what the last one says.
    package static func readFirst(of url: String, timeout: Duration = .seconds(2)) throws(NATSError) -> NATSServerInfo {
        let addresses = url.split(separator: ",").compactMap { address(String($0.filter { !$0.isWhitespace })) }
        var last = NATSError.client(operation: "reading the address", text: "none of NATS")
        for (host, port) in addresses {
            do throws(NATSError) { return try read(host: host, port: port, timeout: timeout / addresses.count) } catch { last = error }
        }
        throw last
    }

    /// As nats.c reads it: the scheme and the port may be left out.
    private static func address(_ text: String) -> (host: String, port: Int)? {
        guard let parts = URLComponents(string: text.contains("://") ? text : "nats://" + text), let host = parts.host, !host.isEmpty else {
            return nil
        }
        return (host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), parts.port ?? 4_222)
    }

    /// Reads the greeting (`INFO {…}`) of the server at `host:port` over a connection of its own: nats.c keeps it to itself. Of a host
    /// with several addresses, the first that takes the connection.
    ///
    /// - Cost: one TCP connection, at most `timeout` for each of its steps. Blocks.
    /// - Throws: `.unavailable`; `.unexpectedReply` if something else answers there.
    package static func read(host: String, port: Int, timeout: Duration = .seconds(2)) throws(NATSError) -> NATSServerInfo {
        let line = try greeting(host: host, port: port, timeout: timeout)
        guard line.starts(with: Array("INFO ".utf8)),
            let object = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(5))) as? [String: Any],
            let version = object["version"] as? String
        else { throw .unexpectedReply("\(host):\(port) does not greet as a NATS server") }
        return NATSServerInfo(
            version: version, name: object["server_name"] as? String ?? "", hasJetStream: object["jetstream"] as? Bool ?? false,
            payloadBytesMax: object["max_payload"] as? Int ?? 0, needsAuthentication: object["auth_required"] as? Bool ?? false,
            needsTLS: object["tls_required"] as? Bool ?? false)
    }
}

private func greeting(host: String, port: Int, timeout: Duration) throws(NATSError) -> [UInt8] {
    let place = "\(host):\(port)"
    let socket = try connect(host: host, port: port, timeout: timeout)
    defer { Glibc.close(socket) }
    var line: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while line.count < 65_536, !line.contains(10) {
        let count = Glibc.recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { throw .unavailable(reason: "\(place): no greeting") }
        line.append(contentsOf: buffer[..<count])
    }
    return Array(line.prefix { $0 != 10 && $0 != 13 })
}

/// A socket that is connected to the first address of `host` that takes it.
private func connect(host: String, port: Int, timeout: Duration) throws(NATSError) -> Int32 {
    let place = "\(host):\(port)"
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var addresses: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &addresses) == 0 else { throw .unavailable(reason: "\(place): no such host") }
    defer { freeaddrinfo(addresses) }
    let milliseconds = timeout.natsMilliseconds
    var wait = timeval(tv_sec: Int(milliseconds / 1_000), tv_usec: Int(milliseconds % 1_000) * 1_000)
    var reason = "no such host"
    var next = addresses
    while let address = next?.pointee {
        next = address.ai_next
        let socket = Glibc.socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard socket >= 0 else {
            reason = String(cString: strerror(errno))
            continue
        }
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        if Glibc.connect(socket, address.ai_addr, address.ai_addrlen) == 0 { return socket }
        reason = String(cString: strerror(errno))
        Glibc.close(socket)
    }
    throw .unavailable(reason: "\(place): \(reason)")
}
