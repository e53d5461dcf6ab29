internal import PostgreSQLDriver
internal import Testing

@Suite("PostgreSQL COPY")
struct PostgreSQLCopyTests {
    @Test("Every type of field arrives as it was written")
    func fields() async throws {
        try await withPostgreSQLSession { session in
            try session.execute(
                "CREATE TABLE t (a int2, b int4, c int8, d timestamptz, e uuid, f text, g json, h text[], i text[], j bytea, k bool, l text, m text[])")
            var writer = BinaryCopyWriter()
            writer.header()
            writer.row(fields: 13)
            writer.int2(-2)
            writer.int4(.min)
            writer.int8(.max)
            writer.timestamp(microseconds: 1_700_000_000_123_456)
            writer.uuid(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
            writer.text("příliš")
            writer.blob(Array(#"{"z": 1, "a":  [1.50]}"#.utf8)[...])
            writer.textArray([Array("x,\"y\"".utf8), []])
            writer.textArray([])
            writer.blob([0, 1, 255].span)
            writer.bool(true)
            writer.null()
            writer.beginTextArray()
            writer.arrayElement([0x61])
            writer.endTextArray()
            writer.trailer()
            #expect(try session.copyIn("COPY t FROM STDIN (FORMAT binary)", writer.bytes) == 1)
            let row = try session.query("SELECT a, b, c, d, e, f, g, array_to_json(h), i, j, k, l, m FROM t")
            let texts = (0..<13).map { row.string(0, $0) }
            #expect(
                texts == [
                    "-2", "-2147483648", "9223372036854775807", "2023-11-14 22:13:20.123456+00", "01234567-89ab-cdef-fedc-ba9876543210", "příliš",
                    #"{"z": 1, "a":  [1.50]}"#, #"["x,\"y\"",""]"#, "{}", "\\x0001ff", "t", nil, "{a}",
                ])
        }
    }

    @Test("A stream may be cut anywhere, and its writer is used again")
    func chunks() async throws {
        try await withPostgreSQLSession { session in
            try session.execute("CREATE TABLE t (n int8, text text)")
            var writer = BinaryCopyWriter(capacity: 1024)
            let rows = try session.copyIn("COPY t FROM STDIN (FORMAT binary)") { (copy) throws(PostgreSQLError) in
                writer.header()
                for number in 0..<20_000 {
                    writer.row(fields: 2)
                    writer.int8(Int64(number))
                    writer.blob([UInt8](repeating: 0x61, count: number % 100))
                    if writer.count > 700 {
                        try copy.send(writer.bytes[..<3])
                        try copy.send(writer.bytes[3...])
                        writer.drain()
                    }
                }
                writer.trailer()
                try copy.send(&writer)
            }
            #expect(rows == 20_000)
            let sums = try session.query("SELECT sum(n), sum(length(text)) FROM t")
            #expect(sums.int(0, 0) == 199_990_000)
            #expect(sums.int(0, 1) == 200 * 4950)
        }
    }

    @Test("A refused copy says why and leaves nothing, and the session goes on")
    func refused() async throws {
        try await withPostgreSQLSession { session in
            try session.execute("CREATE TABLE t (n int8 PRIMARY KEY)")
            func stream(_ numbers: [Int64]) -> [UInt8] {
                var writer = BinaryCopyWriter()
                writer.header()
                for number in numbers {
                    writer.row(fields: 1)
                    writer.int8(number)
                }
                writer.trailer()
                return writer.bytes
            }
            let sql = "COPY t FROM STDIN (FORMAT binary)"
            let duplicate = postgreSQLError { () throws(PostgreSQLError) in _ = try session.copyIn(sql, stream([1, 2, 1])) }
            #expect(duplicate?.sqlState == "23505")
            let garbage = postgreSQLError { () throws(PostgreSQLError) in _ = try session.copyIn(sql, [1, 2, 3]) }
            #expect(garbage?.sqlState == "22P04")
            let refusedEarly = postgreSQLError { () throws(PostgreSQLError) in
                _ = try session.copyIn(sql) { (copy) throws(PostgreSQLError) in
                    let chunk = stream([7, 7])
                    for _ in 0..<2_000 { try copy.send(chunk + [UInt8](repeating: 0, count: 4096)) }
                }
            }
            #expect(refusedEarly?.sqlState != nil)
            let givenUp = postgreSQLError { () throws(PostgreSQLError) in
                _ = try session.copyIn(sql) { (copy) throws(PostgreSQLError) in
                    try copy.send(stream([5]))
                    throw PostgreSQLError.misuse("enough")
                }
            }
            #expect(givenUp == .misuse("enough"))
            let noCopy = postgreSQLError { () throws(PostgreSQLError) in _ = try session.copyIn("SELECT 1", []) }
            #expect(noCopy == .misuse("not a COPY … FROM STDIN"))
            #expect(try session.copyIn(sql, stream([1, 2, 3])) == 3)
            #expect(try session.query("SELECT count(*) FROM t").int(0, 0) == 3)
        }
    }

    @Test("A copy on a session that lost its server is unavailable, before and in the middle")
    func lost() async throws {
        try await withPostgreSQL { url in
            let session = try PostgreSQLSession(conninfo: url, applicationName: "victim")
            let other = try PostgreSQLSession(conninfo: url, applicationName: "other")
            try session.execute("CREATE TABLE t (n int8)")
            let error = postgreSQLError { () throws(PostgreSQLError) in
                _ = try session.copyIn("COPY t FROM STDIN (FORMAT binary)") { (copy) throws(PostgreSQLError) in
                    var writer = BinaryCopyWriter()
                    writer.header()
                    try copy.send(&writer)
                    try other.query("SELECT pg_terminate_backend(\(session.backendPID), 5000)")
                    writer.trailer()
                    try copy.send(&writer)
                }
            }
            #expect(error?.isRetryable == true)
            #expect(session.isBroken)
            let again = postgreSQLError { () throws(PostgreSQLError) in _ = try session.copyIn("COPY t FROM STDIN (FORMAT binary)", []) }
            #expect(again?.isRetryable == true)
        }
    }

    @Test("The binary stream is, byte for byte, what the manual describes")
    func bytes() {
        var writer = BinaryCopyWriter()
        writer.header()
        writer.row(fields: 2)
        writer.int2(258)
        writer.textArray([[0x61], [0x62, 0x63]])
        writer.trailer()
        let header = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let array: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 2, 0x62, 0x63]
        #expect(writer.bytes == header + [0, 2, 0, 0, 0, 2, 1, 2] + [0, 0, 0, UInt8(array.count)] + array + [0xFF, 0xFF])
        writer.reset()
        #expect(writer.count == 0)
    }
}
