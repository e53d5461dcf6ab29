/// Rows under headings, for people.
package struct TextTable: Sendable {
    package struct Column: Sendable {
        package let title: String
        /// Numbers stand to the right.
        package let isNumber: Bool
        /// Widest that the column may become.
        package let widthMax: Int

        package init(_ title: String, isNumber: Bool = false, widthMax: Int = 40) {
            self.title = title
            self.isNumber = isNumber
            self.widthMax = widthMax
        }
    }
    private let columns: [Column]
    private var rows: [[String]] = []

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func add(_ row: [String]) {
        precondition(row.count == columns.count, "a row has a cell for every column")
        rows.append(row.map { DisplayText.line($0) })
    }

    /// The lines of the table, headings first, each at most `width` columns; the last column is the one that is cut to fit.
    package func lines(width: Int) -> [String] {
        let widths = columns.indices.map { column in
            rows.reduce(DisplayText.width(columns[column].title)) { max($0, min(columns[column].widthMax, DisplayText.width($1[column]))) }
        }
        return ([columns.map(\.title)] + rows).map { row in
            let cells = row.indices.map { column -> String in
                if column == row.count - 1, !columns[column].isNumber { return row[column] }
                return DisplayText.padded(DisplayText.cut(row[column], to: widths[column]), to: widths[column], right: columns[column].isNumber)
            }
            return DisplayText.cut(trimmedEnd(cells.joined(separator: "  ")), to: width)
        }
    }

    private func trimmedEnd(_ text: String) -> String {
        var text = Substring(text)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
