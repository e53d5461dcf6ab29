internal import CRe2
internal import Core

/// One compiled pattern. RE2 objects are immutable for their users and safe on any number of threads (re2.h), hence `@unchecked`.
package final class RE2Pattern: TextPattern, @unchecked Sendable {
    private let handle: OpaquePointer
    package let programSize: Int

    /// In lower case; a match in an ASCII text has one of them. None: nothing is known.
    private let required: [[UInt8]]

    /// Takes the handle over and frees it in the end.
    init(_ handle: OpaquePointer, required: [[UInt8]]) {
        self.handle = handle
        self.required = required
        programSize = max(1, Int(cre2_program_size(handle)))
    }

    deinit { cre2_free(handle) }

    package func matches(_ text: Span<UInt8>) -> Bool {
        // Most texts lack all of the literal parts, which are found several times faster than a matcher takes its steps. Only in ASCII: elsewhere
        // a letter may be equal to one in another alphabet when the pattern ignores case.
        if !required.isEmpty, text.count >= RE2Pattern.filteredBytesMin, ByteScan.isASCII(text),
            !required.contains(where: { ByteScan.contains(lowercase: $0.span, in: text) })
        {
            return false
        }
        return text.withUnsafeBufferPointer { cre2_matches(handle, $0.baseAddress, $0.count) }
    }

    /// A shorter text is matched before it is looked through.
    private static let filteredBytesMin = 64
}
