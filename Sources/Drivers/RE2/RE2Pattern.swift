internal import CRe2
internal import Core

/// One compiled pattern. RE2 objects are immutable for their users and safe on any number of threads (re2.h), hence `@unchecked`.
package final class RE2Pattern: TextPattern, @unchecked Sendable {
    private let handle: OpaquePointer
    package let programSize: Int

    /// Takes the handle over and frees it in the end.
    init(_ handle: OpaquePointer) {
        self.handle = handle
        programSize = max(1, Int(cre2_program_size(handle)))
    }

    deinit { cre2_free(handle) }

    package func matches(_ text: Span<UInt8>) -> Bool {
        text.withUnsafeBufferPointer { cre2_matches(handle, $0.baseAddress, $0.count) }
    }
}
