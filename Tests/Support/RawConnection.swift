internal import Foundation
internal import Stack

/// A client's connection that does exactly what a test says, byte by byte: HTTP/1.1 and WebSocket.
///
/// Calls block; every wait has the bound given at the start.
package final class RawConnection {
    package struct Answer: Sendable {
        package let status: Int
        /// Names in lower case.
        package let headers: [String: String]
        package let body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package struct Frame: Sendable, Equatable {
        package let opcode: UInt8
        package let payload: [UInt8]

        package var text: String { String(decoding: payload, as: UTF8.self) }
    }

    package struct Broken: Error, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    private let socket: LoopbackSocket
    private var buffer: [UInt8] = []
    private var at = 0

    package init(port: Int, within: Duration = .seconds(30)) throws {
        guard let socket = LoopbackSocket(port: port, within: within) else { throw Broken(description: "nobody listens on \(port)") }
        self.socket = socket
    }

    package func write(_ bytes: [UInt8]) throws {
        guard socket.send(bytes) else { throw Broken(description: "the connection has ended while writing") }
    }

    // MARK: HTTP

    /// The bytes of a POST.
    package static func post(_ path: String, _ body: [UInt8], headers: [(String, String)] = [], chunked: Bool = false) -> [UInt8] {
        var head = "POST \(path) HTTP/1.1\r\nHost: localhost\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        guard chunked else { return Array((head + "Content-Length: \(body.count)\r\n\r\n").utf8) + body }
        var out = Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8)
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(60_000)
            out += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [0x0D, 0x0A]
            rest = rest.dropFirst(chunk.count)
        }
        return out + Array("0\r\n\r\n".utf8)
    }

    package func post(_ path: String, _ body: [UInt8], headers: [(String, String)] = [], chunked: Bool = false) throws -> Answer {
        try write(RawConnection.post(path, body, headers: headers, chunked: chunked))
        return try answer()
    }

    package func get(_ path: String) throws -> Answer {
        try write(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        return try answer()
    }

    /// Reads one HTTP answer.
    package func answer() throws -> Answer {
        let head = String(decoding: try line(endingIn: Array("\r\n\r\n".utf8)), as: UTF8.self)
        var lines = head.components(separatedBy: "\r\n")
        let first = lines.removeFirst().split(separator: " ")
        guard first.count >= 2, first[0].hasPrefix("HTTP/1."), let status = Int(first[1]) else {
            throw Broken(description: "no HTTP answer: \(head.prefix(200))")
        }
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        if status == 101 || status == 204 { return Answer(status: status, headers: headers, body: []) }
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            var body: [UInt8] = []
            while true {
                let size = String(decoding: try line(endingIn: [0x0D, 0x0A]), as: UTF8.self)
                guard let count = Int(size.prefix { $0 != ";" }, radix: 16) else { throw Broken(description: "no chunk: \(size)") }
                body += try read(count)
                _ = try read(2)
                if count == 0 { return Answer(status: status, headers: headers, body: body) }
            }
        }
        return Answer(status: status, headers: headers, body: try read(headers["content-length"].flatMap(Int.init) ?? 0))
    }

    // MARK: WebSocket

    /// Upgrades the connection.
    package func upgrade(_ path: String, subprotocol: String? = nil) throws {
        let offer = subprotocol.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? ""
        try write(
            Array(
                ("GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\(offer)"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8))
        let answer = try answer()
        guard answer.status == 101, answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" else {
            throw Broken(description: "not upgraded: \(answer.status) \(answer.text)")
        }
    }

    /// The bytes of one masked frame.
    package static func frame(_ payload: [UInt8], opcode: UInt8 = 1) -> [UInt8] {
        var out: [UInt8] = [0x80 | opcode]
        switch payload.count {
        case 0..<126: out.append(0x80 | UInt8(payload.count))
        case 126..<65_536: out += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: out += [0x80 | 127] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: payload.count >> $0) }
        }
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        out += mask
        out.reserveCapacity(out.count + payload.count)
        for (index, byte) in payload.enumerated() { out.append(byte ^ mask[index & 3]) }
        return out
    }

    package func send(_ payload: [UInt8], opcode: UInt8 = 1) throws { try write(RawConnection.frame(payload, opcode: opcode)) }

    /// The next whole frame that is no ping.
    package func receive() throws -> Frame {
        while true {
            let head = try read(2)
            var count = Int(head[1] & 0x7F)
            if count == 126 { count = try read(2).reduce(0) { $0 << 8 | Int($1) } } else if count == 127 { count = try read(8).reduce(0) { $0 << 8 | Int($1) } }
            let payload = try read(count)
            guard head[0] & 0x80 != 0 else { throw Broken(description: "a fragment") }
            if head[0] & 0x0F == 9 {
                try send(payload, opcode: 10)
                continue
            }
            return Frame(opcode: head[0] & 0x0F, payload: payload)
        }
    }

    // MARK: Bytes

    /// Everything until the other side hangs up.
    package func readToEnd() -> [UInt8] {
        while let bytes = socket.receive() { buffer += bytes }
        defer { at = buffer.count }
        return Array(buffer[at...])
    }

    private func read(_ count: Int) throws -> [UInt8] {
        while buffer.count - at < count { try fill() }
        defer { at += count }
        return Array(buffer[at..<(at + count)])
    }

    /// What stands before the next `end`, which is passed.
    private func line(endingIn end: [UInt8]) throws -> [UInt8] {
        var from = at
        while true {
            while from + end.count <= buffer.count {
                if buffer[from] == end[0], buffer[from..<(from + end.count)].elementsEqual(end) {
                    defer { at = from + end.count }
                    return Array(buffer[at..<from])
                }
                from += 1
            }
            try fill()
            from = max(at, min(from, buffer.count - end.count))
        }
    }

    private func fill() throws {
        if at > 1 << 20 {
            buffer.removeFirst(at)
            at = 0
        }
        guard let bytes = socket.receive() else { throw Broken(description: "the connection has ended, or nothing came in time") }
        buffer += bytes
    }
}
