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

    /// Reads the greeting (`INFO {…}`) of the server at `host:port` over a connection of its own: nats.c keeps it to itself.
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
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var addresses: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &addresses) == 0, let first = addresses else {
        throw .unavailable(reason: "\(place): no such host")
    }
    defer { freeaddrinfo(addresses) }
    let socket = Glibc.socket(first.pointee.ai_family, first.pointee.ai_socktype, first.pointee.ai_protocol)
    guard socket >= 0 else { throw .unavailable(reason: "\(place): no socket") }
    defer { Glibc.close(socket) }
    let milliseconds = timeout.natsMilliseconds
    var wait = timeval(tv_sec: Int(milliseconds / 1_000), tv_usec: Int(milliseconds % 1_000) * 1_000)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    guard Glibc.connect(socket, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
        throw .unavailable(reason: "\(place): \(String(cString: strerror(errno)))")
    }
    var line: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while line.count < 65_536, !line.contains(10) {
        let count = Glibc.recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { throw .unavailable(reason: "\(place): no greeting") }
        line.append(contentsOf: buffer[..<count])
    }
    return Array(line.prefix { $0 != 10 && $0 != 13 })
}
