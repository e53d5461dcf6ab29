internal import Client

/// A JSON object as names and values, one a line, for people.
enum FieldList {
    static func show(_ value: JSONSlice) {
        for line in lines(value, indent: "") { Output.line(DisplayText.cut(line, to: max(Output.width, 60) * (Output.isTerminal ? 1 : 1_000))) }
    }

    private static func lines(_ value: JSONSlice, indent: String) -> [String] {
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
                    out += lines(part, indent: indent + "  ")
                }
            } else if value.isObject, name != "message_data", name != "data", name != "message_metadata" {
                out.append(indent + ink.paint(DisplayText.line(name), .bold))
                out += lines(value, indent: indent + "  ")
            } else {
                out.append(label + DisplayText.line(value.plain))
            }
        }
        return out
    }
}
