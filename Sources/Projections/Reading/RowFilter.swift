internal import Core

/// One condition on rows: a field, how it is compared, and with what.
package struct RowFilter: Sendable, Equatable {
    package enum Operator: String, Sendable, CaseIterable {
        case equal = "eq"
        case any = "in"
        case greater = "gt"
        case greaterOrEqual = "gte"
        case less = "lt"
        case lessOrEqual = "lte"
        case prefix
    }

    /// A value of the field's kind; what a row lacks, or has in another kind, matches nothing.
    enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case boolean(Bool)
        /// µs since the Unix epoch.
        case time(Int64)
    }

    package let field: String
    package let comparison: Operator
    let values: [Value]
    let column: ProjectionColumn

    package static func == (a: RowFilter, b: RowFilter) -> Bool { a.field == b.field && a.comparison == b.comparison && a.values == b.values }

    /// - Parameters:
    ///   - name: a field, or a field and an operator: `priority`, `priority.gte`, `key.prefix`; without one, equality.
    ///   - text: the value; for `in`, values with commas between.
    /// - Throws: `.invalid` that names the fields and operators there are.
    init(_ name: String, _ text: String, of definition: ProjectionDefinition) throws(ProjectionError) {
        var column = RowFilter.column(name, definition)
        var comparison = Operator.equal
        if column == nil, let dot = name.lastIndex(of: ".") {
            column = RowFilter.column(String(name[..<dot]), definition)
            guard let found = Operator(rawValue: String(name[name.index(after: dot)...])) else {
                throw .invalid("'\(name)': the operators are \(Operator.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            comparison = found
        }
        guard let column else {
            let fields = RowFilter.fields(definition).map { "\($0.name) (\($0.kind.word))" }.joined(separator: ", ")
            throw .invalid(
                "'\(name)' is no field of \(definition.name); the fields are \(fields), each with one of .\(Operator.allCases.map(\.rawValue).joined(separator: ", ."))"
            )
        }
        guard RowFilter.operators(of: column.kind).contains(comparison) else {
            let there = RowFilter.operators(of: column.kind).map(\.rawValue).joined(separator: ", ")
            throw .invalid("'\(column.name)' is \(column.kind.word), which knows \(there.isEmpty ? "no filter" : there), not \(comparison.rawValue)")
        }
        let texts = comparison == .any ? text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) : [text]
        guard texts.count <= RowFilter.valuesMax else { throw .invalid("'\(name)': at most \(RowFilter.valuesMax) values") }
        var values: [Value] = []
        for text in texts {
            guard let value = RowFilter.value(text, column.kind) else {
                throw .invalid("'\(column.name)' is \(column.kind.word); '\(text)' is not: \(column.kind.example)")
            }
            values.append(value)
        }
        field = column.name
        self.comparison = comparison
        self.values = values
        self.column = column
    }

    /// Values of one `in`: more is a join that somebody else should do.
    private static let valuesMax = 1_000

    static let key = ProjectionColumn("key", .text, path: [])

    /// By what rows can be filtered.
    static func fields(_ definition: ProjectionDefinition) -> [ProjectionColumn] { [key] + definition.columns.filter { $0.kind != .json } }

    private static func column(_ name: String, _ definition: ProjectionDefinition) -> ProjectionColumn? { fields(definition).first { $0.name == name } }

    private static func operators(of kind: ProjectionColumn.Kind) -> [Operator] {
        switch kind {
        case .text: Operator.allCases
        case .integer, .number, .time: Operator.allCases.filter { $0 != .prefix }
        case .boolean: [.equal, .any]
        case .json: []
        }
    }

    /// Reads the text form of a value, in a filter and in a row alike: what is not of the kind is nil.
    static func value(_ text: String, _ kind: ProjectionColumn.Kind) -> Value? {
        switch kind {
        case .text: text.utf8.contains(0) ? nil : .text(text)
        case .integer: integer(text).map { .integer($0) }
        case .number: number(text).map { .number($0) }
        case .boolean: text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
        case .time: time(text).map { .time($0) }
        case .json: nil
        }
    }

    /// Up to 18 digits: what `meshlog_int8` takes.
    private static func integer(_ text: String) -> Int64? {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard (1...18).contains(digits.count), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(text)
    }

    /// A JSON number of at most 32 characters and two digits of exponent, which is always finite: what `meshlog_float8` takes.
    private static func number(_ text: String) -> Double? {
        guard text.utf8.count <= 32, let document = try? JSONDocument(text), document.root.kind == .number, document.root.text.count == text.utf8.count
        else { return nil }
        if let exponent = text.utf8.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
            guard text.utf8[exponent...].dropFirst().filter({ $0 >= 0x30 }).count <= 2 else { return nil }
        }
        return Double(text)
    }

    /// RFC 3339 with at most six digits of fraction, no leap second and an offset of at most 14 hours: what `meshlog_time` takes.
    private static func time(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard let value = Timestamp.parse(bytes.span), bytes[17] < UInt8(ascii: "6") else { return nil }
        if bytes[19] == UInt8(ascii: "."), bytes[20...].prefix(while: { $0 >= 0x30 && $0 <= 0x39 }).count > 6 { return nil }
        if let last = bytes.last, last | 0x20 != UInt8(ascii: "z") {
            let hours = (Int(bytes[bytes.count - 5]) - 0x30) * 10 + Int(bytes[bytes.count - 4]) - 0x30
            if hours > 14 { return nil }
        }
        return value
    }
}

extension ProjectionColumn.Kind {
    /// What people call it.
    package var word: String {
        switch self {
        case .text: "text"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "true or false"
        case .time: "a time"
        case .json: "JSON"
        }
    }

    fileprivate var example: String {
        switch self {
        case .text: "text without U+0000"
        case .integer: "such as 42, at most 18 digits"
        case .number: "such as 1.5"
        case .boolean: "true or false"
        case .time: "RFC 3339, such as 2026-11-22T03:30:02Z"
        case .json: "nothing filters it"
        }
    }
}
