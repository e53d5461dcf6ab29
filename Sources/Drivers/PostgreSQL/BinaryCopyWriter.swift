/// Builds the stream of `COPY … FROM STDIN (FORMAT binary)` in one growing block.
///
/// Call `header()`, then for every row `row(fields:)` and that many fields, then `trailer()`. Take `bytes` and `drain()` whenever
/// the block is large enough: the memory is used again.
///
/// - Cost: no allocation per field once the block has grown to its working size.
/// - Source: PostgreSQL 15, sql-copy "Binary Format"; the `…_recv` functions of the types.
package struct BinaryCopyWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// Fields still owed to the current row.
    private var owed = 0
    private var arrayStart = 0
    private var arrayCount: Int32 = 0

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }

    /// Empties the block and keeps its memory; the stream goes on.
    package mutating func drain() { bytes.removeAll(keepingCapacity: true) }

    /// Empties the block for a new stream.
    package mutating func reset() {
        drain()
        owed = 0
    }

    package mutating func header() {
        bytes.append(contentsOf: BinaryCopyWriter.signature)
    }

    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)

    package mutating func trailer() {
        precondition(owed == 0, "the last row lacks \(owed) fields")
        append(Int16(-1))
    }

    package mutating func row(fields: Int) {
        precondition(owed == 0, "the row before lacks \(owed) fields")
        owed = fields
        append(Int16(fields))
    }

    package mutating func null() {
        begin()
        append(Int32(-1))
    }

    package mutating func bool(_ value: Bool) {
        begin()
        append(Int32(1))
        bytes.append(value ? 1 : 0)
    }

    package mutating func int2(_ value: Int16) {
        begin()
        append(Int32(2))
        append(value)
    }

    package mutating func int4(_ value: Int32) {
        begin()
        append(Int32(4))
        append(value)
    }

    package mutating func int8(_ value: Int64) {
        begin()
        append(Int32(8))
        append(value)
    }

    /// A timestamptz from microseconds since the Unix epoch.
    package mutating func timestamp(microseconds: Int64) { int8(PostgreSQLTime.fromUnix(microseconds)) }

    /// A uuid from its two big-endian words.
    package mutating func uuid(high: UInt64, low: UInt64) {
        begin()
        append(Int32(16))
        append(high)
        append(low)
    }

    /// - Shape: exactly 16 bytes.
    package mutating func uuid(_ value: ArraySlice<UInt8>) {
        precondition(value.count == 16, "a UUID has 16 bytes")
        blob(value)
    }

    /// A text, json or bytea: all three are their bytes. The server checks UTF-8 and JSON.
    package mutating func blob(_ value: ArraySlice<UInt8>) {
        begin()
        append(Int32(value.count))
        bytes.append(contentsOf: value)
    }

    package mutating func blob(_ value: [UInt8]) {
        begin()
        append(Int32(value.count))
        bytes.append(contentsOf: value)
    }

    package mutating func blob(_ value: Span<UInt8>) {
        begin()
        append(Int32(value.count))
        value.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    package mutating func text(_ value: String) {
        begin()
        append(Int32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// NULL when `value` is empty.
    package mutating func blobOrNull(_ value: ArraySlice<UInt8>) {
        if value.isEmpty { null() } else { blob(value) }
    }

    /// NULL when `value` is empty.
    package mutating func textOrNull(_ value: String) {
        if value.isEmpty { null() } else { text(value) }
    }

    /// A text[] of these elements.
    package mutating func textArray(_ elements: some Sequence<[UInt8]>) {
        beginTextArray()
        for element in elements { arrayElement(element[...]) }
        endTextArray()
    }

    /// Begins a text[] whose number of elements is not known yet.
    package mutating func beginTextArray() {
        begin()
        arrayStart = bytes.count
        arrayCount = 0
        append(Int32(0))  // length of the field, patched
        append(Int32(0))  // dimensions, patched
        append(Int32(0))  // no NULLs
        append(Int32(25))  // text
        append(Int32(0))  // elements, patched
        append(Int32(1))  // lower bound
    }

    package mutating func arrayElement(_ element: ArraySlice<UInt8>) {
        arrayCount += 1
        append(Int32(element.count))
        bytes.append(contentsOf: element)
    }

    package mutating func endTextArray() {
        if arrayCount == 0 { bytes.removeLast(8) }  // an empty array has no dimension
        patch(Int32(bytes.count - arrayStart - 4), at: arrayStart)
        patch(arrayCount == 0 ? 0 : 1, at: arrayStart + 4)
        if arrayCount > 0 { patch(arrayCount, at: arrayStart + 16) }
    }

    private mutating func begin() {
        precondition(owed > 0, "a field beyond the row's number of fields")
        owed -= 1
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func patch(_ value: Int32, at offset: Int) {
        withUnsafeBytes(of: value.bigEndian) { source in
            for index in 0..<4 { bytes[offset + index] = source[index] }
        }
    }
}
