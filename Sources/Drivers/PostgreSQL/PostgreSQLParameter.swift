/// One parameter of a statement, with the type it is sent as; a nil parameter is NULL.
package struct PostgreSQLParameter: Sendable, Equatable {
    /// OID of the type, 0 when the server shall infer it.
    let type: UInt32
    /// The bytes, without a trailing NUL.
    let bytes: [UInt8]
    let isBinary: Bool

    private init(_ type: UInt32, _ bytes: [UInt8], binary: Bool) {
        self.type = type
        self.bytes = bytes
        isBinary = binary
    }

    /// Text whose type the server infers from where it stands.
    package static func inferred(_ text: String) -> PostgreSQLParameter { .init(0, Array(text.utf8), binary: false) }
    package static func text(_ text: String) -> PostgreSQLParameter { .init(25, Array(text.utf8), binary: true) }
    package static func text(_ bytes: some Collection<UInt8>) -> PostgreSQLParameter { .init(25, Array(bytes), binary: true) }
    package static func json(_ bytes: some Collection<UInt8>) -> PostgreSQLParameter { .init(114, Array(bytes), binary: true) }
    package static func bytea(_ bytes: some Collection<UInt8>) -> PostgreSQLParameter { .init(17, Array(bytes), binary: true) }
    package static func bool(_ value: Bool) -> PostgreSQLParameter { .init(16, [value ? 1 : 0], binary: true) }
    package static func int2(_ value: Int16) -> PostgreSQLParameter { .init(21, bigEndian(value), binary: true) }
    package static func int4(_ value: Int32) -> PostgreSQLParameter { .init(23, bigEndian(value), binary: true) }
    package static func int8(_ value: Int64) -> PostgreSQLParameter { .init(20, bigEndian(value), binary: true) }

    /// - Shape: exactly 16 bytes.
    package static func uuid(_ bytes: [UInt8]) -> PostgreSQLParameter {
        precondition(bytes.count == 16, "a UUID has 16 bytes")
        return .init(2950, bytes, binary: true)
    }

    /// A timestamptz from microseconds since the Unix epoch.
    package static func timestamp(microseconds: Int64) -> PostgreSQLParameter {
        .init(1184, bigEndian(PostgreSQLTime.fromUnix(microseconds)), binary: true)
    }

    package static func textArray(_ items: [String]) -> PostgreSQLParameter {
        var out: [UInt8] = [UInt8(ascii: "{")]
        for (index, item) in items.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(UInt8(ascii: "\""))
            for byte in item.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
                out.append(byte)
            }
            out.append(UInt8(ascii: "\""))
        }
        out.append(UInt8(ascii: "}"))
        return .init(1009, out, binary: false)
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

/// PostgreSQL counts microseconds from 2000-01-01 UTC.
enum PostgreSQLTime {
    static let epochMicroseconds: Int64 = 946_684_800_000_000

    /// Clamped to what a timestamptz can hold on either side of its infinities.
    static func fromUnix(_ microseconds: Int64) -> Int64 {
        let (value, overflow) = microseconds.subtractingReportingOverflow(epochMicroseconds)
        return overflow ? .min + 1 : value
    }
}
