/// One plain connection to the embedded PostgreSQL: the start-up packet and simple queries, for set-up, probes and tests.
///
/// The product's own work goes through the PostgreSQLDriver; the stack must not need it, so that either can be tested alone.
/// - Source: PostgreSQL 15, chapter 55 "Frontend/Backend Protocol", version 3.0.
package struct SetupSession: ~Copyable {
    private let socket: LoopbackSocket

    /// - Throws: code `""` when nobody answers, else the server's code, such as 3D000 (no such database).
    package init(
        port: Int, database: String, within: Duration = StackLimits.statementWithin
    ) throws(SetupFailure) {
        guard let socket = LoopbackSocket(port: port, within: within) else { throw .noAnswer }
        var body: [UInt8] = [0, 3, 0, 0]
        for text in ["user", PostgreSQLRecipe.role, "database", database, "application_name", "meshlog stack"] {
            body += Array(text.utf8) + [0]
        }
        body.append(0)
        guard socket.send(Self.length(body.count + 4) + body) else { throw .noAnswer }
        try Self.readUntilReady(socket)
        self.socket = socket
    }

    /// Runs `sql`, one or more statements; the rows of all of them as text.
    @discardableResult
    package func query(_ sql: String) throws(SetupFailure) -> [[String?]] {
        let body = Array(sql.utf8) + [0]
        guard socket.send([UInt8(ascii: "Q")] + Self.length(body.count + 4) + body) else { throw .noAnswer }
        return try Self.readUntilReady(socket)
    }

    @discardableResult
    private static func readUntilReady(_ socket: borrowing LoopbackSocket) throws(SetupFailure) -> [[String?]] {
        var bytes: [UInt8] = []
        var rows: [[String?]] = []
        var failure: SetupFailure?
        while bytes.count < StackLimits.answerBytesMax {
            while let (type, body, size) = message(bytes) {
                switch type {
                case UInt8(ascii: "Z"):
                    if let failure { throw failure }
                    return rows
                case UInt8(ascii: "E"): failure = SetupFailure(fields: body)
                case UInt8(ascii: "D"): rows.append(row(body))
                case UInt8(ascii: "R") where integer(body) != 0:
                    throw SetupFailure(code: "28000", message: "the server asks for a password")
                default: break
                }
                bytes.removeFirst(size)
            }
            guard let more = socket.receive() else { throw failure ?? .noAnswer }
            bytes += more
        }
        throw SetupFailure(code: "54000", message: "an answer above \(StackLimits.answerBytesMax) bytes")
    }

    /// The first whole message of `bytes`: its type, its body, its size with both.
    private static func message(_ bytes: [UInt8]) -> (type: UInt8, body: ArraySlice<UInt8>, size: Int)? {
        guard bytes.count >= 5 else { return nil }
        let size = 1 + integer(bytes[1...])
        guard size >= 5, bytes.count >= size else { return nil }
        return (bytes[0], bytes[5..<size], size)
    }

    private static func row(_ body: ArraySlice<UInt8>) -> [String?] {
        var rest = body.dropFirst(2)
        var columns: [String?] = []
        while rest.count >= 4 {
            let count = integer(rest)
            rest = rest.dropFirst(4)
            columns.append(count < 0 ? nil : String(decoding: rest.prefix(count), as: UTF8.self))
            rest = rest.dropFirst(max(0, count))
        }
        return columns
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int {
        Int(Int32(bitPattern: bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }))
    }

    private static func length(_ count: Int) -> [UInt8] {
        [UInt8(count >> 24 & 0xff), UInt8(count >> 16 & 0xff), UInt8(count >> 8 & 0xff), UInt8(count & 0xff)]
    }
}

/// What PostgreSQL refused, in its words.
package struct SetupFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The SQLSTATE; empty when there was no answer.
    package let code: String
    package let message: String

    package static let noAnswer = SetupFailure(code: "", message: "no answer")

    package var description: String { code.isEmpty ? message : "\(code): \(message)" }
}

extension SetupFailure {
    /// From the fields of an ErrorResponse: a letter and a text each, ended by zeros.
    init(fields: ArraySlice<UInt8>) {
        var texts: [UInt8: String] = [:]
        for field in fields.split(separator: 0) {
            guard let letter = field.first else { continue }
            texts[letter] = String(decoding: field.dropFirst(), as: UTF8.self)
        }
        self.init(code: texts[UInt8(ascii: "C")] ?? "", message: texts[UInt8(ascii: "M")] ?? "")
    }
}
