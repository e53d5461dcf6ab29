internal import CRe2
package import Core

/// Compiles patterns with RE2.
package struct RE2Compiler: PatternCompiler {
    /// Longest pattern in bytes: patterns are written by people, and the time to compile one grows with it.
    package static let patternBytesMax = 4_096
    /// Bytes that one program and its matchers' caches may take. RE2's own default is 8 MiB; a quarter still holds every pattern
    /// that passes `patternBytesMax` in practice, and many of them live at once here.
    package static let memoryBytesMax: Int64 = 2 << 20
    private static let reasonBytesMax = 512

    package init() {}

    /// - Cost: microseconds for an ordinary pattern; bounded by `patternBytesMax` and `memoryBytesMax` (`x{1000}{1000}` is refused).
    /// - Throws: `.tooLong`, or `.invalid` with RE2's reason.
    package func compile(_ pattern: String) throws(PatternFault) -> any TextPattern {
        let bytes = Array(pattern.utf8)
        guard bytes.count <= Self.patternBytesMax else { throw .tooLong(bytes: bytes.count, max: Self.patternBytesMax) }
        var reason = [UInt8](repeating: 0, count: Self.reasonBytesMax)
        let handle = bytes.withUnsafeBufferPointer { text in
            reason.withUnsafeMutableBytes { out in
                cre2_compile(text.baseAddress, text.count, Self.memoryBytesMax, out.baseAddress?.assumingMemoryBound(to: CChar.self), out.count)
            }
        }
        guard let handle else { throw .invalid(reason: String(decoding: reason.prefix { $0 != 0 }, as: UTF8.self)) }
        return RE2Pattern(handle, required: RE2Compiler.required(bytes))
    }

    /// Texts of which a match in an ASCII text has at least one; none when that cannot be said in few words.
    private static func required(_ pattern: [UInt8]) -> [[UInt8]] {
        var out = [UInt8](repeating: 0, count: requiredBytesMax)
        let written = pattern.withUnsafeBufferPointer { text in
            out.withUnsafeMutableBytes { out in
                cre2_required(text.baseAddress, text.count, memoryBytesMax, out.baseAddress?.assumingMemoryBound(to: CChar.self), out.count)
            }
        }
        let texts = out[..<written].split(separator: 0).map { Array($0.prefix(requiredPrefixMax)) }
        return texts.count <= requiredMax ? texts : []
    }

    /// Beyond, looking for all of them takes longer than the matcher.
    private static let requiredMax = 4
    private static let requiredBytesMax = 512
    /// So much of each is looked for: a text that is made for it costs this times its length for each, at most.
    private static let requiredPrefixMax = 8
}
