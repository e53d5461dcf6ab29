package import Core
package import PostgreSQLDriver

/// Something the archive keeps: an entry of the log, or two joined ones.
package protocol ArchiveRecord: Sendable {
    /// Where its own entry stands; the checkpoint moves along these.
    var position: Position { get }
    /// Milliseconds of the day whose partitions its rows go to.
    var archivedMs: UInt64 { get }
    /// The tables that get one row each.
    static var tables: [ArchiveTable] { get }
    /// Appends the row for `tables[table]`.
    ///
    /// - Parameter raw: the server has refused the row as it is: write what it must accept.
    func encode(table: Int, raw: Bool, into writer: inout BinaryCopyWriter)
}

/// A table of the archive and the columns that are written, in order.
package struct ArchiveTable: Sendable {
    let name: String
    let columns: [String]

    init(_ name: String, _ columns: [String]) {
        self.name = name
        self.columns = columns
    }

    var columnList: String { columns.joined(separator: ", ") }
    /// A temporary copy of the table, without keys, for repeats.
    var staging: String { "staged_\(name)" }
}

/// The values every table begins with.
extension BinaryCopyWriter {
    mutating func position(_ position: Position) {
        timestamp(microseconds: position.microseconds)
        int2(Int16(position.partition))
        int8(Int64(clamping: position.ms))
        int8(Int64(clamping: position.seq))
    }

    /// Text that may hold what the server refuses; NULL when empty.
    mutating func text(_ value: ArraySlice<UInt8>, raw: Bool) {
        blobOrNull(raw ? ArchiveText.acceptable(value) : value)
    }
}

enum ArchiveText {
    static let positionColumns = ["log_ts", "partition", "entry_ms", "entry_seq"]

    /// Times that every column takes, in µs since the epoch: four digits of a year.
    static let times: Range<Int64> = 0..<253_402_300_800_000_000

    /// `value` without what a PostgreSQL text cannot hold: NUL and bytes that are not UTF-8 become U+FFFD. Cut to what an index row takes.
    static func acceptable(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let clean = String(decoding: value.prefix(1024), as: UTF8.self).unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: clean)
        return Array(String(text).utf8)[...]
    }
}
