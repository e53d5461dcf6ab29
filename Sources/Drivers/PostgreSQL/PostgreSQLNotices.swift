import CLibpq

/// Keeps the server's notices; libpq would print them to standard error.
final class PostgreSQLNotices {
    private static let keptMax = 64
    private var kept: [String] = []

    /// The connection must not outlive this object: the session owns both, and closes the connection first.
    func attach(_ connection: OpaquePointer) {
        _ = PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let text = PQresultErrorField(result, DiagnosticField.message) else { return }
                Unmanaged<PostgreSQLNotices>.fromOpaque(context).takeUnretainedValue().keep(String(cString: text))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func take() -> [String] {
        defer { kept = [] }
        return kept
    }

    private func keep(_ text: String) {
        if kept.count == PostgreSQLNotices.keptMax { kept.removeFirst() }
        kept.append(text)
    }
}

/// Field codes of an error report; in libpq they are character macros.
///
/// - Source: PostgreSQL 15, postgres_ext.h.
enum DiagnosticField {
    static let severity = Int32(UInt8(ascii: "V"))
    static let sqlState = Int32(UInt8(ascii: "C"))
    static let message = Int32(UInt8(ascii: "M"))
    static let detail = Int32(UInt8(ascii: "D"))
    static let hint = Int32(UInt8(ascii: "H"))
}
