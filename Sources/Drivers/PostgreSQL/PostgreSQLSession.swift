import CLibpq

/// One connection to PostgreSQL. Every call blocks its thread; one thread at a time uses a session.
///
/// Times are UTC, text is UTF-8, a bytea prints as hex. Notices of the server are kept, not printed.
package final class PostgreSQLSession {
    private let connection: OpaquePointer
    private let notices = PostgreSQLNotices()
    private var isCopying = false
    /// The connection is lost: every further call throws `.unavailable`, make a new session.
    package private(set) var isBroken = false

    /// Connects.
    ///
    /// - Parameter conninfo: a `postgresql://` URL or `key=value` pairs. What it says wins over the other arguments.
    /// - Cost: one connection and one round trip; a dead peer is noticed after about 30 s.
    /// - Throws: `.misuse` when the string cannot be parsed (its text is not repeated, it may hold a password), else `.unavailable`.
    package init(conninfo: String, applicationName: String, connectTimeout: Duration = .seconds(5)) throws(PostgreSQLError) {
        guard let options = PQconninfoParse(conninfo, nil) else { throw .misuse("the connection string cannot be parsed") }
        PQconninfoFree(options)
        let seconds = max(2, connectTimeout.components.seconds)
        // The order counts: what stands before dbname can be overridden by the string, what stands behind it cannot.
        let settings: [(String, String)] = [
            ("connect_timeout", String(seconds)), ("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"), ("fallback_application_name", applicationName), ("dbname", conninfo), ("client_encoding", "UTF8"),
        ]
        connection = try PostgreSQLSession.connect(settings)
        notices.attach(connection)
        let setup = """
            SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex'; SET standard_conforming_strings = on; \
            SET client_min_messages = 'notice'
            """
        // Not `try execute`: all stored properties are set, so a throw runs deinit and closes the connection.
        _ = try check(PQexec(connection, setup))
    }

    deinit { PQfinish(connection) }

    private static func connect(_ settings: [(String, String)]) throws(PostgreSQLError) -> OpaquePointer {
        let connection: OpaquePointer? = CStrings.with(settings.map(\.0)) { keys in
            CStrings.with(settings.map(\.1)) { values in PQconnectdbParams(keys, values, 1) }
        }
        guard let connection else { throw .unavailable("out of memory") }
        guard PQstatus(connection) == CONNECTION_OK else {
            let text = errorText(connection)
            PQfinish(connection)
            throw .unavailable(text)
        }
        return connection
    }

    // MARK: Facts

    /// Such as 150020 for 15.20.
    package var serverVersion: Int { Int(PQserverVersion(connection)) }

    /// Is a transaction open, failed or not?
    package var isInTransaction: Bool {
        let status = PQtransactionStatus(connection)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE
    }

    /// The server's process of this session.
    package var backendPID: Int { Int(PQbackendPID(connection)) }

    /// For another thread; nil when the connection is lost.
    package var canceller: PostgreSQLCanceller? { PostgreSQLCanceller(connection) }

    /// The notices since the last call, at most the newest 64.
    package func takeNotices() -> [String] { notices.take() }

    /// `text` as an SQL literal with its quotes.
    package func literal(_ text: String) throws(PostgreSQLError) -> String {
        let quoted = PQescapeLiteral(connection, text, text.utf8.count)
        guard let quoted else { throw .misuse("text that cannot be quoted") }
        defer { PQfreemem(quoted) }
        return String(cString: quoted)
    }

    // MARK: Statements

    /// Runs one or more statements without parameters; outside a transaction, all of them are one.
    ///
    /// - Returns: the answer of the last one.
    /// - Cost: one round trip.
    @discardableResult
    package func execute(_ sql: String) throws(PostgreSQLError) -> PostgreSQLResult {
        try usable()
        return try check(PQexec(connection, sql))
    }

    /// Runs one statement with parameters `$1`…; it is planned for these values.
    ///
    /// - Cost: one round trip.
    @discardableResult
    package func query(_ sql: String, _ parameters: [PostgreSQLParameter?] = []) throws(PostgreSQLError) -> PostgreSQLResult {
        try usable()
        let answer = ParameterBlock.with(parameters) { block in
            PQexecParams(connection, sql, block.count, block.types, block.values, block.lengths, block.formats, 0)
        }
        return try check(answer)
    }

    /// Prepares `sql` under `name`, for this session. `parameters` only say the types; values and nils are not looked at further.
    package func prepare(_ name: String, _ sql: String, types parameters: [PostgreSQLParameter?] = []) throws(PostgreSQLError) {
        try usable()
        let answer = ParameterBlock.with(parameters) { block in PQprepare(connection, name, sql, block.count, block.types) }
        _ = try check(answer)
    }

    /// Runs a prepared statement. After five runs the server may keep one plan for all values.
    @discardableResult
    package func queryPrepared(_ name: String, _ parameters: [PostgreSQLParameter?] = []) throws(PostgreSQLError) -> PostgreSQLResult {
        try usable()
        let answer = ParameterBlock.with(parameters) { block in
            PQexecPrepared(connection, name, block.count, block.values, block.lengths, block.formats, 0)
        }
        return try check(answer)
    }

    /// Bounds every later statement of this session; nil lifts the bound.
    ///
    /// - Throws: later, from the statements: 57014 (statement) and 55P03 (lock), both retryable.
    package func setTimeouts(statement: Duration?, lock: Duration?) throws(PostgreSQLError) {
        func milliseconds(_ duration: Duration?) -> Int64 {
            guard let duration else { return 0 }
            return max(1, duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)
        }
        try execute("SET statement_timeout = \(milliseconds(statement)); SET lock_timeout = \(milliseconds(lock))")
    }

    /// Asks the server for nothing, to see whether it is there.
    package func ping() throws(PostgreSQLError) { try execute("") }

    // MARK: Transactions

    /// Runs `body` in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// - Throws: `.unavailable`: whether the transaction was committed is unknown.
    @discardableResult
    package func transaction<R>(_ body: () throws(PostgreSQLError) -> R) throws(PostgreSQLError) -> R {
        try execute("BEGIN")
        let result: R
        do {
            result = try body()
        } catch {
            rollback()
            throw error
        }
        try commit()
        return result
    }

    /// - Throws: 40000 when the server rolled back because an earlier statement had failed.
    package func commit() throws(PostgreSQLError) {
        if try execute("COMMIT").commandTag == "ROLLBACK" {
            throw .server(sqlState: "40000", message: "the transaction had failed and was rolled back", detail: nil, hint: nil)
        }
    }

    /// Ends the open transaction, if any; failing to do so means that the connection is lost, and the server rolls back by itself.
    package func rollback() {
        guard !isBroken, isInTransaction else { return }
        _ = try? execute("ROLLBACK")
    }

    // MARK: COPY

    /// Copies into a table: `body` sends the stream in chunks of any size, cut anywhere.
    ///
    /// - Parameter sql: `COPY … FROM STDIN …`.
    /// - Cost: one round trip to begin, one to end; chunks travel while `body` makes the next ones. Chunks of 64 to 256 KiB are best.
    /// - Returns: the number of rows.
    /// - Throws: what `body` throws (the server then undoes the copy), or the server's refusal. The session stays usable.
    package func copyIn(_ sql: String, _ body: (PostgreSQLCopy) throws(PostgreSQLError) -> Void) throws(PostgreSQLError) -> Int {
        try usable()
        let started = PQexec(connection, sql)
        guard PQresultStatus(started) == PGRES_COPY_IN else {
            _ = try check(started)
            throw .misuse("not a COPY … FROM STDIN")
        }
        PQclear(started)
        isCopying = true
        defer { isCopying = false }
        do {
            try body(PostgreSQLCopy(session: self))
        } catch {
            if !isBroken { _ = try? endCopy(abort: "given up by the client") }
            throw error
        }
        return try endCopy(abort: nil)
    }

    /// Copies a whole stream that is already in memory.
    package func copyIn(_ sql: String, _ bytes: [UInt8]) throws(PostgreSQLError) -> Int {
        try copyIn(sql) { (copy) throws(PostgreSQLError) in try copy.send(bytes.span) }
    }

    func putCopyData(_ chunk: UnsafeBufferPointer<UInt8>) throws(PostgreSQLError) {
        precondition(isCopying, "the copy is over")
        try usable()
        var rest = chunk[...]
        while !rest.isEmpty {
            // One protocol message each: the server holds a message whole, and starts on it when it has it all.
            let part = UnsafeBufferPointer(rebasing: rest.prefix(64 << 10))
            rest = rest.dropFirst(part.count)
            let sent = part.withMemoryRebound(to: CChar.self) { PQputCopyData(connection, $0.baseAddress, Int32($0.count)) }
            // The refusal itself comes with the end of the copy.
            if sent != 1 { throw lost(PostgreSQLSession.errorText(connection)) }
        }
    }

    private func endCopy(abort reason: String?) throws(PostgreSQLError) -> Int {
        guard PQputCopyEnd(connection, reason) == 1 else { throw lost(PostgreSQLSession.errorText(connection)) }
        var first: Result<Int, PostgreSQLError>?
        // A COPY is over when libpq has no further answer; a lost connection answers once with an error, then nothing.
        while let answer = PQgetResult(connection) {
            let outcome: Result<Int, PostgreSQLError>
            do {
                outcome = .success(try check(answer).affectedRows)
            } catch {
                outcome = .failure(error)
            }
            if first == nil { first = outcome }
        }
        guard let first else { throw lost("no answer to COPY") }
        return try first.get()
    }

    // MARK: Answers

    private func usable() throws(PostgreSQLError) {
        if isBroken { throw .unavailable("the connection was lost earlier") }
    }

    /// Takes over `answer` and throws what it says is wrong.
    private func check(_ answer: OpaquePointer?) throws(PostgreSQLError) -> PostgreSQLResult {
        guard let answer else { throw lost(PostgreSQLSession.errorText(connection)) }
        switch PQresultStatus(answer) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
            return PostgreSQLResult(answer)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            PQclear(answer)
            // Nothing else gets a session out of this state.
            throw lost("a COPY was begun with the wrong call")
        default:
            defer { PQclear(answer) }
            func field(_ code: Int32) -> String? { PQresultErrorField(answer, code).map { String(cString: $0) } }
            let message = field(DiagnosticField.message) ?? PostgreSQLSession.errorText(connection)
            let severity = field(DiagnosticField.severity)
            if severity == "FATAL" || severity == "PANIC" || PQstatus(connection) != CONNECTION_OK { throw lost(message) }
            throw .server(
                sqlState: field(DiagnosticField.sqlState) ?? "XX000", message: message, detail: field(DiagnosticField.detail),
                hint: field(DiagnosticField.hint))
        }
    }

    private func lost(_ text: String) -> PostgreSQLError {
        isBroken = true
        return .unavailable(text)
    }

    private static func errorText(_ connection: OpaquePointer) -> String {
        guard let text = PQerrorMessage(connection) else { return "unknown" }
        var lines = String(cString: text)
        while lines.hasSuffix("\n") { lines.removeLast() }
        return lines.isEmpty ? "connection lost" : lines.replacing("\n", with: "; ")
    }
}
