internal import ArgumentParser

/// Who changes something, why, and on which version.
struct ChangeFlags: ParsableArguments {
    @Option(name: .customLong("if-match"), help: ArgumentHelp("only if the document still has this version (its ETag)", valueName: "position")) var ifMatch:
        String?
    @Option(help: "why; it stands in the event") var comment: String?
    @Option(help: "who; it stands in the event") var principal: String?

    var headers: [(String, String)] {
        var out: [(String, String)] = []
        if let ifMatch { out.append(("if-match", ifMatch == "*" ? "*" : "\"\(ifMatch)\"")) }
        if let comment { out.append(("meshlog-comment", comment)) }
        if let principal { out.append(("meshlog-principal", principal)) }
        return out
    }
}

/// Which documents or rows of a list.
struct ListFlags: ParsableArguments {
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("a filter; may be repeated: name=x, name.in=x,y, count.gte=5, name.prefix=ag", valueName: "filter")) var filters: [String] = []
    @Option(help: ArgumentHelp("as it was at a position or time (RFC 3339)", valueName: "position")) var at: String?
    @Option(help: "rows of a page") var limit = 100
    @Option(help: "go on where another page ended; it names its cursor") var cursor: String?

    func validate() throws {
        for filter in filters where !filter.contains("=") { throw ValidationError("--where takes name=value, not '\(filter)'") }
    }

    var query: [(String, String)] {
        var out = filters.map { filter -> (String, String) in
            let parts = filter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
        if let at { out.append(("at", at)) }
        if let cursor { out.append(("cursor", cursor)) }
        return out + [("limit", String(limit))]
    }
}
