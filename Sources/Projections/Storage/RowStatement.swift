internal import Core
internal import PostgreSQLDriver

/// Puts the statements on a projection's rows together. Names come from a checked definition; everything else goes as a parameter.
struct RowStatement {
    private(set) var parameters: [PostgreSQLParameter?] = []
    private var conditions: [String] = []

    /// The condition that the filters make of a row with the columns `key` and `row`.
    init(_ query: RowQuery) {
        if let after = query.after { conditions.append("key > \(add(.text(after)))") }
        for filter in query.filters { add(filter) }
    }

    var condition: String { conditions.isEmpty ? "true" : conditions.joined(separator: " AND ") }

    private mutating func add(_ parameter: PostgreSQLParameter) -> String {
        parameters.append(parameter)
        return "$\(parameters.count)"
    }

    private mutating func add(_ filter: RowFilter) {
        let value = RowStatement.expression(filter.column)
        switch filter.comparison {
        case .equal: conditions.append("\(value) = \(add(RowStatement.parameter(filter.values[0])))")
        case .greater: conditions.append("\(value) > \(add(RowStatement.parameter(filter.values[0])))")
        case .greaterOrEqual: conditions.append("\(value) >= \(add(RowStatement.parameter(filter.values[0])))")
        case .less: conditions.append("\(value) < \(add(RowStatement.parameter(filter.values[0])))")
        case .lessOrEqual: conditions.append("\(value) <= \(add(RowStatement.parameter(filter.values[0])))")
        case .prefix: conditions.append("starts_with(\(value), \(add(RowStatement.parameter(filter.values[0]))))")
        case .any: conditions.append("\(value) IN (\(filter.values.map { add(RowStatement.parameter($0)) }.joined(separator: ", ")))")
        }
    }

    private static func parameter(_ value: RowFilter.Value) -> PostgreSQLParameter {
        switch value {
        case .text(let text): .text(text)
        case .integer(let number): .int8(number)
        // Seventeen digits name a double exactly.
        case .number(let number): .inferred("\(number)")
        case .boolean(let value): .bool(value)
        case .time(let microseconds): .timestamp(microseconds: microseconds)
        }
    }

    // MARK: Columns

    /// The SQL of a column over `key` and `row`; NULL where the row has no such value.
    static func expression(_ column: ProjectionColumn) -> String {
        if column.path.isEmpty { return "key" }
        let path = "'{\(column.path.joined(separator: ","))}'"
        switch column.kind {
        case .text: return "(row#>>\(path)) COLLATE \"C\""
        case .integer: return "meshlog_int8(row#>>\(path))"
        case .number: return "meshlog_float8(row#>>\(path))"
        case .boolean: return "meshlog_bool(row#>>\(path))"
        case .time: return "meshlog_time(row#>>\(path))"
        case .json: return "(row#>\(path))"
        }
    }

    /// The view's columns.
    static func viewColumns(_ definition: ProjectionDefinition) -> String {
        let typed = definition.columns.map { "\(expression($0)) AS \"\($0.name)\"" }
        return (["key"] + typed + ["row", "position_ms", "position_seq"]).joined(separator: ", ")
    }
}
