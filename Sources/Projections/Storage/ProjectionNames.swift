internal import Log

/// The names of a projection's objects in PostgreSQL. Only a checked definition gets here, so that its names can stand in statements.
struct ProjectionNames {
    let view: String
    private let base: String

    init(_ name: String) {
        base = name.replacing("-", with: "_")
        view = "projections.\(base)"
    }

    func table(_ generation: Int) -> String { "projections.\(base)_g\(generation)" }

    /// A session's own copy without keys, for what is merged.
    func staging(_ generation: Int) -> String { "staged_\(base)_g\(generation)" }
}

extension ProjectionDefinition {
    /// What is wrong with the definition, in words; nil when nothing is.
    package var fault: String? {
        func isWord(_ text: String, _ extra: Set<Character>, _ most: Int) -> Bool {
            guard let first = text.first, first.isASCII, first.isLowercase, text.utf8.count <= most else { return false }
            return text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || extra.contains($0)) }
        }
        // A table's name has at most 63 bytes, the generation included.
        guard isWord(name, ["-"], 40) else { return "the name '\(name)' is not lower-case letters, digits and dashes, beginning with a letter, at most 40" }
        // `a-g1` would be the table of the first generation of `a`.
        guard name.firstMatch(of: /-g[0-9]+$/) == nil else { return "the name '\(name)' ends like that of a generation" }
        guard version >= 1 else { return "the version begins at 1" }
        guard !streams.isEmpty, Set(streams).count == streams.count else { return "it names its streams, each once" }
        for stream in streams where ![.messages, .verdicts, .control, .sessions].contains(stream) { return "no projection reads '\(stream.rawValue)'" }
        if streams.contains(.messages), streams.contains(.verdicts) { return "verdicts come with their messages: reading both would give each message twice" }
        var seen: Set<String> = ["key", "row", "position_ms", "position_seq"]
        for column in columns {
            guard isWord(column.name, ["_"], 60) else { return "the column '\(column.name)' is not lower-case letters, digits and underscores" }
            guard seen.insert(column.name).inserted else { return "the column '\(column.name)' is there twice, or is one that every projection has" }
            guard !column.path.isEmpty, column.path.allSatisfy({ isWord($0.lowercased(), ["_"], 60) }) else {
                return "the path of '\(column.name)' is not made of plain words"
            }
        }
        return nil
    }
}
