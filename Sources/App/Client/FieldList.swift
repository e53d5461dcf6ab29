internal import Client

/// A JSON object as names and values, one a line, for people.
enum FieldList {
    /// - Parameter cut: on a terminal a value ends with its line; else it goes on over as many as it needs.
    static func show(_ value: JSONSlice, cut: Bool = false) {
        let width = cut && Output.isTerminal ? max(Output.width, 60) : Int.max
        for line in lines(value, indent: "", width: width) { Output.line(line) }
    }

    private static func lines(_ value: JSONSlice, indent: String, width lineWidth: Int) -> [String] {
        let ink = Output.ink
        let members = value.members.filter { !$0.value.isNull && !["", "{}", "[]"].contains($0.value.plain) }
        let width = members.reduce(0) { max($0, DisplayText.width($1.name)) }
        var out: [String] = []
        for (name, value) in members {
            let label = indent + ink.paint(DisplayText.padded(DisplayText.line(name), to: width), .dim) + "  "
            let parts = value.elements
            // A payload or metadata stays one JSON text; the parts of a trace are lists of objects.
            if !parts.isEmpty, parts.allSatisfy(\.isObject) {
                out.append(indent + ink.paint(DisplayText.line(name), .bold))
                for (index, part) in parts.enumerated() {
                    if index > 0 { out.append("") }
                    out += lines(part, indent: indent + "  ", width: lineWidth)
                }
            } else if value.isObject, name != "message_data", name != "data", name != "message_metadata" {
                out.append(indent + ink.paint(DisplayText.line(name), .bold))
                out += lines(value, indent: indent + "  ", width: lineWidth)
            } else {
                // Without the label, whose colours take no room.
                let room = lineWidth == Int.max ? lineWidth : max(20, lineWidth - indent.count - width - 2)
                out.append(label + DisplayText.cut(DisplayText.line(value.plain), to: room))
            }
        }
        return out
    }
}
