import CLibpq

/// What a statement answered: rows × columns in text form, held until the object goes.
///
/// - Cost: values are read where libpq stored them; a `String` or array is made only when asked for.
package final class PostgreSQLResult {
    private let result: OpaquePointer
    package let rowCount: Int
    package let columnCount: Int

    /// Takes over `result`.
    init(_ result: OpaquePointer) {
        self.result = result
        rowCount = Int(PQntuples(result))
        columnCount = Int(PQnfields(result))
    }

    deinit { PQclear(result) }

    package var columnNames: [String] {
        (0..<columnCount).map { column in PQfname(result, Int32(column)).map { String(cString: $0) } ?? "" }
    }

    /// Rows that the statement inserted, updated, deleted, selected or copied; 0 where that has no meaning.
    package var affectedRows: Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// The command tag, such as `COMMIT` or `INSERT 0 3`.
    package var commandTag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    package func isNull(_ row: Int, _ column: Int) -> Bool {
        check(row, column)
        return PQgetisnull(result, Int32(row), Int32(column)) == 1
    }

    /// Lends the text form of a value; empty for NULL.
    package func withBytes<R>(_ row: Int, _ column: Int, _ body: (Span<UInt8>) -> R) -> R {
        check(row, column)
        let count = Int(PQgetlength(result, Int32(row), Int32(column)))
        return withExtendedLifetime(self) {
            guard count > 0, let start = PQgetvalue(result, Int32(row), Int32(column)) else {
                return body(UnsafeBufferPointer<UInt8>(start: nil, count: 0).span)
            }
            return start.withMemoryRebound(to: UInt8.self, capacity: count) { body(UnsafeBufferPointer(start: $0, count: count).span) }
        }
    }

    /// The text form as bytes; nil for NULL.
    package func bytes(_ row: Int, _ column: Int) -> [UInt8]? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { span in span.withUnsafeBufferPointer { Array($0) } }
    }

    package func string(_ row: Int, _ column: Int) -> String? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { span in span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
    }

    /// Nil for NULL and for anything that is no integer of 64 bits.
    package func int64(_ row: Int, _ column: Int) -> Int64? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { text in
            var at = 0
            let negative = text.count > 0 && text[0] == UInt8(ascii: "-")
            if negative { at = 1 }
            guard at < text.count else { return nil }
            var value: Int64 = 0
            while at < text.count {
                guard text[at] >= 0x30, text[at] <= 0x39 else { return nil }
                let (tens, over) = value.multipliedReportingOverflow(by: 10)
                let digit = Int64(text[at] - 0x30)
                let (sum, carry) = negative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
                if over || carry { return nil }
                value = sum
                at += 1
            }
            return value
        }
    }

    package func int(_ row: Int, _ column: Int) -> Int? { int64(row, column).map { Int($0) } }

    package func double(_ row: Int, _ column: Int) -> Double? { string(row, column).flatMap { Double($0) } }

    /// Nil for NULL.
    package func bool(_ row: Int, _ column: Int) -> Bool? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { $0.count == 1 && $0[0] == UInt8(ascii: "t") }
    }

    /// The bytes of a bytea (sessions print them as hex); nil for NULL and for what is no bytea.
    package func bytea(_ row: Int, _ column: Int) -> [UInt8]? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { text in
            guard text.count >= 2, text.count % 2 == 0, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") else { return nil }
            var out: [UInt8] = []
            out.reserveCapacity(text.count / 2 - 1)
            var at = 2
            while at < text.count {
                guard let high = PostgreSQLResult.hex(text[at]), let low = PostgreSQLResult.hex(text[at + 1]) else { return nil }
                out.append(high << 4 | low)
                at += 2
            }
            return out
        }
    }

    /// The 16 bytes of a uuid; nil for NULL and for what is no uuid.
    package func uuid(_ row: Int, _ column: Int) -> [UInt8]? {
        if isNull(row, column) { return nil }
        return withBytes(row, column) { text in
            var out: [UInt8] = []
            out.reserveCapacity(16)
            var at = 0
            while at < text.count {
                if text[at] == UInt8(ascii: "-") {
                    at += 1
                    continue
                }
                guard at + 1 < text.count, let high = PostgreSQLResult.hex(text[at]), let low = PostgreSQLResult.hex(text[at + 1]) else { return nil }
                out.append(high << 4 | low)
                at += 2
            }
            return out.count == 16 ? out : nil
        }
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    private func check(_ row: Int, _ column: Int) {
        precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "value (\(row), \(column)) of \(rowCount) × \(columnCount)")
    }
}
