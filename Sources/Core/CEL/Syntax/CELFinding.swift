/// One thing that is wrong with an expression, and where.
package struct CELFinding: Equatable, Sendable {
    /// Byte offset in the source.
    package let offset: Int
    package let message: String
    /// What would be right, as a sentence part (`did you mean 'destinations'?`); nil when nothing comes to mind.
    package let suggestion: String?
}

/// Why an expression was refused: everything that was found, at most `CELLimits.findingsMax`.
package struct CELFault: Error, Equatable, Sendable {
    package let source: String
    /// In the order of the source; never empty.
    package let findings: [CELFinding]

    init(_ source: String, _ findings: [CELFinding]) {
        self.source = source
        self.findings = findings.sorted { $0.offset < $1.offset }
    }

    /// Line and column of a finding, both from 1; columns count code points.
    package func place(of finding: CELFinding) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in source.utf8.prefix(finding.offset) {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    /// Every finding with its line of the source and a caret below the place:
    ///
    ///     1:9: 'message' has no field 'destination'; did you mean 'destinations'?
    ///      | message.destination == "a"
    ///      | ........^
    package var text: String {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        return findings.map { finding in
            let (line, column) = place(of: finding)
            let suggestion = finding.suggestion.map { "; " + $0 } ?? ""
            let head = "\(line):\(column): \(finding.message)\(suggestion)"
            guard line <= lines.count, lines[line - 1].utf8.count <= CELLimits.shownLineBytesMax else { return head }
            return head + "\n | " + lines[line - 1] + "\n | " + String(repeating: ".", count: column - 1) + "^"
        }.joined(separator: "\n")
    }
}
