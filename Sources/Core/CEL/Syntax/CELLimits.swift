/// Bounds of expressions and their evaluation, each with its reason.
package struct CELLimits: Sendable {
    /// A rule is written by a person; longer sources are generated, and compiling them takes its time from others.
    package var sourceBytesMax = 16 << 10
    /// Nodes of the syntax tree: bounds the size of a compiled program.
    package var nodesMax = 4_096
    /// Nesting of an expression: parser, checker and evaluator recurse this deep, on stacks of 512 KiB too. People nest a few levels; the
    /// specification asks for 24 to 32 operators in a row.
    package var depthMax = 64
    /// The most that an expression may cost by estimate, with the largest inputs; one unit is about 10 to 200 ns.
    package var estimateMax: UInt64 = 100_000_000
    /// Assumed bytes of a string and elements of a list or map whose size nobody declared, for the estimate.
    package var textBytesAssumed: UInt64 = 256
    package var elementsAssumed: UInt64 = 64

    /// Findings told at once; the first few matter.
    static let findingsMax = 16
    /// A longer source line is not repeated in a finding's text.
    static let shownLineBytesMax = 240
    /// Units that folding one constant part of an expression may cost; what costs more is left to the evaluation.
    static let foldingCostMax = 2_000
    /// Digits behind the point that `format` writes: a double has at most 1 074.
    static let precisionMax = 1_100
    /// Bytes of a name or value that an error repeats.
    static let shownBytesMax = 80

    package init() {}
}
