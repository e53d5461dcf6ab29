/// A compiled regular expression.
///
/// - Cost of a match: at most about `programSize` steps for each byte of the text, whatever the pattern; no backtracking.
/// - Source: RE2 syntax (github.com/google/re2/wiki/Syntax), which CEL prescribes for `matches`.
package protocol TextPattern: Sendable {
    /// Whether the pattern occurs anywhere in `text` (UTF-8).
    func matches(_ text: Span<UInt8>) -> Bool

    /// Instructions of the compiled program, at least 1.
    var programSize: Int { get }
}

/// Compiles regular expressions; the implementation is a driver's, for Core knows no C.
package protocol PatternCompiler: Sendable {
    /// - Throws: what is wrong with the pattern, or that it would be too large.
    func compile(_ pattern: String) throws(PatternFault) -> any TextPattern
}
