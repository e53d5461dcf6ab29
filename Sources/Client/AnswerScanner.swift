/// Takes HTTP/1.1 answers out of a stream of bytes; only as much of the protocol as a load generator needs.
///
/// - Shape: answers have `Content-Length`, or chunks.
package struct AnswerScanner: Sendable {
    package struct Answer: Sendable, Equatable {
        package let status: Int
        package let body: ArraySlice<UInt8>
        /// The server ends the connection behind this answer.
        package let closes: Bool
    }
    private var buffer: [UInt8] = []
    private var start = 0

    package init() {}

    package mutating func take(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole answer; nil when more bytes are needed. Informational answers are left out.
    ///
    /// - Throws: `MalformedAnswer` when this is no HTTP.
    package mutating func next() throws(MalformedAnswer) -> Answer? {
        while let (answer, end) = try scan() {
            start = end
            if start == buffer.count {
                buffer.removeAll(keepingCapacity: true)
                start = 0
            } else if start > 1 << 20 {
                buffer.removeFirst(start)
                start = 0
            }
            if answer.status >= 200 || answer.status == 101 { return answer }
        }
        return nil
    }

    /// Bytes behind the answers taken so far: of another protocol, once the connection was upgraded.
    package mutating func takeRest() -> ArraySlice<UInt8> {
        defer {
            buffer = []
            start = 0
        }
        return buffer[start...]
    }

    package struct MalformedAnswer: Error {}

    private func scan() throws(MalformedAnswer) -> (Answer, end: Int)? {
        guard let headEnd = headEnd(from: start) else { return nil }
        let head = buffer[start..<headEnd]
        guard head.count >= 12, head.starts(with: "HTTP/1.".utf8), let status = number(head.dropFirst(9).prefix(3)) else { throw MalformedAnswer() }
        let closes = header("connection", head).map { $0.elementsEqual("close".utf8) } ?? false
        let bodyStart = headEnd + 4
        if status < 200 || status == 204 { return (Answer(status: status, body: [], closes: closes), bodyStart) }
        if let length = header("content-length", head).flatMap({ number($0) }) {
            guard buffer.count - bodyStart >= length else { return nil }
            return (Answer(status: status, body: buffer[bodyStart..<(bodyStart + length)], closes: closes), bodyStart + length)
        }
        guard header("transfer-encoding", head) != nil else { throw MalformedAnswer() }
        guard let (body, end) = try chunks(from: bodyStart) else { return nil }
        return (Answer(status: status, body: body[...], closes: closes), end)
    }

    private func headEnd(from: Int) -> Int? {
        var at = from
        while at + 3 < buffer.count {
            if buffer[at + 3] > 0x0D {
                at += 4
            } else if buffer[at] == 0x0D, buffer[at + 1] == 0x0A, buffer[at + 2] == 0x0D, buffer[at + 3] == 0x0A {
                return at
            } else {
                at += 1
            }
        }
        return nil
    }

    /// The value of a header field, without blanks around it.
    private func header(_ name: StaticString, _ head: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let wanted = name.withUTF8Buffer { Array($0) }
        for line in head.split(separator: 0x0A).dropFirst() {
            guard line.count > wanted.count, line[line.startIndex + wanted.count] == UInt8(ascii: ":"),
                zip(line, wanted).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
            else { continue }
            var value = line.dropFirst(wanted.count + 1)
            while let first = value.first, first == 0x20 { value = value.dropFirst() }
            while let last = value.last, last == 0x20 || last == 0x0D { value = value.dropLast() }
            return value
        }
        return nil
    }

    private func chunks(from: Int) throws(MalformedAnswer) -> (body: [UInt8], end: Int)? {
        var body: [UInt8] = []
        var at = from
        while true {
            guard let lineEnd = buffer[at...].firstIndex(of: 0x0A) else { return nil }
            guard let size = Int(String(decoding: buffer[at..<lineEnd].prefix { $0 != 0x0D && $0 != 0x3B }, as: UTF8.self), radix: 16) else {
                throw MalformedAnswer()
            }
            at = lineEnd + 1
            guard buffer.count >= at + size + 2 else { return nil }
            if size == 0 { return (body, at + 2) }
            body.append(contentsOf: buffer[at..<(at + size)])
            at += size + 2
        }
    }

    private func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.count < 10 else { return nil }
        var value = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }
}
