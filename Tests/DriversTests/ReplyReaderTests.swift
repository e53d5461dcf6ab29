import RedisDriver
import Testing

/// The reading of Redis's answers, however the bytes come.
@Suite("Replies of Redis")
struct ReplyReaderTests {
    /// Reads all answers of `text`, whose bytes come in pieces of `piece` bytes.
    private func read(_ text: String, piece: Int = .max) throws -> [RedisValue] {
        let reader = ReplyReader()
        var rest = Array(text.utf8)[...]
        var out: [RedisValue] = []
        reader.begin()
        while true {
            if try reader.advance() {
                out.append(reader.lend { $0.value })
                reader.begin()
                continue
            }
            guard !rest.isEmpty else { return out }
            let room = reader.room
            let part = rest.prefix(min(piece, room.count))
            room.copyBytes(from: part)
            reader.took(part.count)
            rest = rest.dropFirst(part.count)
        }
    }

    private static let answers: [(text: String, value: RedisValue)] = [
        ("+OK\r\n", .string(Array("OK".utf8))),
        ("-ERR no such key\r\n", .error("ERR no such key")),
        (":0\r\n", .integer(0)),
        (":-1\r\n", .integer(-1)),
        (":9223372036854775807\r\n", .integer(.max)),
        (":-9223372036854775808\r\n", .integer(.min)),
        ("$-1\r\n", .null),
        ("$0\r\n\r\n", .string([])),
        ("$12\r\nline\r\nbreaks\r\n", .string(Array("line\r\nbreaks".utf8))),
        ("*-1\r\n", .null),
        ("*0\r\n", .array([])),
        ("*3\r\n$1\r\na\r\n:7\r\n$-1\r\n", .array([.string([0x61]), .integer(7), .null])),
        (
            "*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n*2\r\n$3\r\n2-0\r\n*0\r\n",
            .array([
                .array([.string(Array("1-0".utf8)), .array([.string([0x6B]), .string([0x76])])]), .array([.string(Array("2-0".utf8)), .array([])]),
            ])
        ),
        ("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+deep\r\n", (0..<9).reduce(.string(Array("deep".utf8))) { value, _ in .array([value]) }),
    ]

    @Test("Every kind of answer is read whole, and in pieces of any size") func kinds() throws {
        let all = ReplyReaderTests.answers.map(\.text).joined()
        let values = ReplyReaderTests.answers.map(\.value)
        for piece in [Int.max, 1, 2, 3, 5, 7, 64] { #expect(try read(all, piece: piece) == values, "in pieces of \(piece) bytes") }
    }

    @Test("Answers larger than the buffers and with more parts than are kept come out as they went in, one behind the other") func large() throws {
        let text = String(repeating: "x", count: 3 << 20)
        let many = "*100000\r\n" + String(repeating: "$1\r\ny\r\n", count: 100_000)
        let values = try read("$\(text.utf8.count)\r\n\(text)\r\n\(many):5\r\n\(many)", piece: 100_000)
        #expect(values.count == 4)
        #expect(values.first == .string(Array(text.utf8)))
        #expect(values.dropFirst().first?.array?.count == 100_000)
        #expect(values.dropFirst(2).first == .integer(5))
        #expect(values.last?.array?.allSatisfy { $0 == .string([0x79]) } == true)
    }

    @Test(
        "What is none of the protocol is refused",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", "$x\r\n", "$\r\n", ":\r\n", ":-\r\n", ":1 \r\n", ":9223372036854775808\r\n", ":99999999999999999999\r\n",
            "$1\r\nab\r\n",
            "*67108865\r\n", "*1\r\n!\r\n", "$3\n\nabc\r\n",
        ]
    )
    func malformed(_ text: String) {
        #expect(throws: ReplyReader.Malformed.self) { try read(text) }
    }

    @Test("An answer that is not there to its end is no answer", arguments: ReplyReaderTests.answers.map(\.text))
    func cut(_ text: String) throws {
        for length in 0..<text.utf8.count { #expect(try read(String(decoding: text.utf8.prefix(length), as: UTF8.self)).isEmpty) }
    }
}
