import Core
import PostgreSQLDriver

/// Collects conditions and their parameters, and puts the statement together.
struct ArchiveQuery {
    private(set) var parameters: [PostgreSQLParameter?] = []
    private(set) var conditions: [String] = []
    private let order: ArchiveFilter.Order
    let limit: Int
    /// Sender or recipient: read as two ordered halves, each by its own index.
    private var subject: String?
    /// What was not simply delivered is rare: it is looked for in `verdict` first.
    private var exception: String?
    /// Whether the first acknowledgement is looked up, which costs as much as the row itself.
    var tellsAcknowledgement = true

    init(_ filter: ArchiveFilter) throws(ArchiveError) {
        guard (1...Limits.pageRowsMax).contains(filter.limit) else { throw .invalidQuery("limit is 1 to \(Limits.pageRowsMax)") }
        order = filter.order
        limit = filter.limit
        if let from = filter.from { add("m.log_ts >= ?", .timestamp(microseconds: from)) }
        if let to = filter.to { add("m.log_ts < ?", .timestamp(microseconds: to)) }
        if let partition = filter.partition { add("m.partition = ?", .int2(Int16(clamping: partition))) }
        if let cursor = filter.cursor { after(cursor) }
        if let through = filter.through { self.through(through) }
        if let source = filter.source { add("m.source_subject_id = ?", .text(source)) }
        if let destination = filter.destination { add("m.destination_subject_ids @> ?", .textArray([destination])) }
        if let type = filter.type { add("m.message_type = ?", .text(type)) }
        if let topic = filter.topic { try topics([topic]) }
        subject = filter.subject.map { add(.text($0)) }
        if let outcome = filter.outcome {
            if outcome == .deliver {
                // A comparison outside the sub-select would be taken for a rare one, and the whole table sorted for it.
                add("(SELECT v.outcome = ? FROM verdict v WHERE \(ArchiveQuery.samePosition("v")))", .text(outcome.rawValue))
            } else {
                exception = add(.text(outcome.rawValue))
            }
        }
    }

    /// One message by id, within µs since the epoch.
    init(uuid: MessageUUID, within range: ClosedRange<Int64>?) {
        order = .newestFirst
        limit = 1
        add("m.message_uuid = ?", .uuid(uuid.bytes))
        if let range {
            add("m.log_ts >= ?", .timestamp(microseconds: range.lowerBound))
            add("m.log_ts <= ?", .timestamp(microseconds: range.upperBound))
        }
    }

    /// Everything of a partition behind `after`, up to and with `through`.
    init(after: Position, through: Position?, topics: [String], limit: Int) throws(ArchiveError) {
        order = .oldestFirst
        self.limit = limit
        add("m.partition = ?", .int2(Int16(clamping: after.partition)))
        self.after(after)
        if let through { self.through(through) }
        if !topics.isEmpty { try self.topics(topics) }
    }

    // MARK: Conditions

    @discardableResult
    private mutating func add(_ parameter: PostgreSQLParameter) -> String {
        parameters.append(parameter)
        return "$\(parameters.count)"
    }

    private mutating func add(_ condition: String, _ parameter: PostgreSQLParameter) {
        conditions.append(condition.replacing("?", with: add(parameter)))
    }

    private mutating func after(_ cursor: Position) {
        let sign = order == .newestFirst ? "<" : ">"
        let time = add(.timestamp(microseconds: cursor.microseconds))
        let partition = add(.int2(Int16(clamping: cursor.partition)))
        let ms = add(.int8(Int64(clamping: cursor.ms)))
        let seq = add(.int8(Int64(clamping: cursor.seq)))
        conditions.append("m.log_ts \(sign)= \(time)")
        conditions.append("(m.log_ts, m.partition, m.entry_ms, m.entry_seq) \(sign) (\(time), \(partition), \(ms), \(seq))")
    }

    /// Up to and with `last`, within its partition.
    private mutating func through(_ last: Position) {
        // The plain condition is the one that leaves out days.
        add("m.log_ts <= ?", .timestamp(microseconds: last.microseconds))
        let ms = add(.int8(Int64(clamping: last.ms)))
        let seq = add(.int8(Int64(clamping: last.seq)))
        conditions.append("(m.entry_ms, m.entry_seq) <= (\(ms), \(seq))")
    }

    /// One of the patterns matches.
    private mutating func topics(_ patterns: [String]) throws(ArchiveError) {
        var choices: [String] = []
        // A parameter that stands nowhere in the statement is refused by the server, so this one goes first.
        if patterns.contains(">") { return }
        for pattern in patterns {
            guard Subject.isPattern(pattern.utf8) else { throw .invalidQuery("'\(pattern)' is not a topic or a topic pattern") }
            let condition = TopicCondition(pattern)
            var parts: [String] = []
            if let exact = condition.exact { parts.append("m.topic = \(add(.text(exact)))") }
            if let prefix = condition.prefix {
                parts.append("m.topic > \(add(.text(prefix + ".")))")
                parts.append("m.topic < \(add(.text(prefix + "/")))")  // '/' follows '.'
            }
            if let regex = condition.regex { parts.append("m.topic ~ \(add(.text(regex)))") }
            choices.append(parts.joined(separator: " AND "))
        }
        conditions.append(choices.count == 1 ? choices[0] : "(" + choices.map { "(\($0))" }.joined(separator: " OR ") + ")")
    }

    // MARK: Statement

    /// - Parameter bytesTarget: the page ends before the row that passes it, but has at least one.
    func sql(bytesTarget: Int) -> String {
        """
        SELECT \(columns)
        FROM (
          SELECT m.*, \(ArchiveQuery.verdictColumns.map { "v.\($0) AS v_\($0)" }.joined(separator: ", ")),
            sum(\(ArchiveQuery.rowBytes)) OVER w AS bytes, row_number() OVER w AS number, count(*) OVER () AS found
          FROM (\(rows)) m
          LEFT JOIN LATERAL (SELECT * FROM verdict v WHERE \(ArchiveQuery.samePosition("v")) LIMIT 1) v ON true
          WINDOW w AS (ORDER BY \(orderBy("m.")) ROWS UNBOUNDED PRECEDING)
        ) m
        WHERE m.bytes <= \(bytesTarget) OR m.number = 1
        ORDER BY \(orderBy("m."))
        """
    }

    private static let verdictColumns = [
        "outcome", "rule", "reason", "policy_revision", "targets", "subject", "shadow", "limits", "annotations", "withheld", "error", "destinations", "hold",
        "retry_at", "digest",
    ]

    /// The bytes of what may be large in a row, as they leave the server. What the server has compressed is unpacked to be measured: a mebibyte may
    /// lie there as a few kilobytes.
    private static let rowBytes: String = {
        let bytea = ["m.message_bytes", "m.exact_fields"].map { "coalesce(octet_length(\($0)), 0)" }
        let others = [
            "m.message_data", "m.message_metadata", "m.destination_subject_ids", "v.annotations", "v.shadow", "v.withheld", "v.destinations", "v.hold",
        ].map {
            "coalesce(CASE WHEN pg_column_compression(\($0)) IS NULL THEN pg_column_size(\($0)) ELSE octet_length(\($0)::text) END, 0)"
        }
        return (bytea + others).joined(separator: " + ")
    }()

    private var rows: String {
        let tail = "ORDER BY \(orderBy("m.")) LIMIT \(limit)"
        if let exception {
            let bySubject = subject.map { ["(m.source_subject_id = \($0) OR m.destination_subject_ids @> ARRAY[\($0)])"] } ?? []
            return """
                SELECT m.* FROM verdict e JOIN LATERAL (SELECT * FROM message_exchange m WHERE \(ArchiveQuery.samePosition("e"))) m ON true
                WHERE \((["e.outcome = \(exception)", "e.outcome <> 'deliver'"] + conditions + bySubject).joined(separator: " AND "))
                \(tail)
                """
        }
        guard let subject else { return select([], tail) }
        return """
            SELECT * FROM ((\(select(["m.source_subject_id = \(subject)"], tail)))
              UNION ALL (\(select(["m.destination_subject_ids @> ARRAY[\(subject)]", "m.source_subject_id IS DISTINCT FROM \(subject)"], tail)))) m
            \(tail)
            """
    }

    private func select(_ more: [String], _ tail: String) -> String {
        let all = conditions + more
        return "SELECT m.* FROM message_exchange m \(all.isEmpty ? "" : "WHERE " + all.joined(separator: " AND ")) \(tail)"
    }

    /// log_ts alone decides the order of days, so that the server begins with the right one and stops when it has enough.
    private func orderBy(_ prefix: String) -> String {
        ArchiveText.positionColumns.map { "\(prefix)\($0)\(order == .newestFirst ? " DESC" : "")" }.joined(separator: ", ")
    }

    private static func samePosition(_ other: String) -> String {
        ArchiveText.positionColumns.map { "\(other).\($0) = m.\($0)" }.joined(separator: " AND ")
    }

    private var columns: String {
        let acknowledgement =
            tellsAcknowledgement
            ? "(SELECT (extract(epoch FROM min(d.ack_ts)) * 1000000)::int8 FROM delivery d WHERE \(Self.samePosition("d")) AND d.outcome <> 'failed')"
            : "NULL::int8"
        return """
            m.partition, m.entry_ms, m.entry_seq, m.event, m.v, m.message_uuid, m.topic, m.source_subject_id, array_to_json(m.destination_subject_ids), \
            m.message_type, (extract(epoch FROM m.origin_ts) * 1000000)::int8, m.message_metadata, m.message_data, m.message_bytes, m.content_type, m.via, \
            m.principal, m.correlation_id, m.causation, m.traceparent, m.v_outcome, m.v_rule, m.v_reason, m.v_policy_revision, m.v_targets, \
            coalesce(m.v_subject, m.topic), \
            \(acknowledgement), m.found, \
            m.release, m.v_shadow, m.v_limits, m.v_annotations, m.v_withheld, m.v_error, m.v_destinations, m.v_hold, \
            (extract(epoch FROM m.v_retry_at) * 1000000)::int8, encode(m.v_digest, 'hex'), m.exact_fields
            """
    }
}

/// A NATS subject pattern as conditions on a text: a prefix that the index serves, and a regular expression for the rest.
struct TopicCondition {
    var exact: String?
    /// Whole tokens, without the last dot: `a.b` for `a.b.*.d`.
    var prefix: String?
    var regex: String?

    init(_ pattern: String) {
        let tokens = pattern.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let literal = tokens.prefix { $0 != "*" && $0 != ">" }
        if literal.count == tokens.count {
            exact = pattern
            return
        }
        if !literal.isEmpty { prefix = literal.joined(separator: ".") }
        // `a.b.>` is just the prefix, `>` is everything.
        if tokens[literal.count...] == [">"] { return }
        let parts = tokens.map { $0 == "*" ? "[^.]+" : $0 == ">" ? ".+" : TopicCondition.escape($0) }
        regex = "^" + parts.joined(separator: "\\.") + "$"
    }

    /// A backslash before anything but a letter or a digit makes it itself.
    ///
    /// - Source: PostgreSQL 15, 9.7.3.3 "Regular Expression Escapes".
    private static func escape(_ token: String) -> String {
        var out = ""
        for character in token.unicodeScalars {
            if character.isASCII, !character.properties.isAlphabetic, character.properties.numericType == nil, character != "_" { out += "\\" }
            out.unicodeScalars.append(character)
        }
        return out
    }
}
