import Core
import Foundation
import TestSupport

/// A source file of the repository.
struct SourceFile: Sendable {
    let path: String
    let lines: [String]
    /// The lines without comments and string literals, for looking at identifiers.
    let code: [String]

    /// All of them, read once: many tests look at each.
    static let sources = all(in: "Sources")
    static let tests = all(in: "Tests")

    private init(path: String, text: String) {
        self.path = path
        lines = text.components(separatedBy: "\n")
        code = SourceFile.code(lines)
    }

    private static func all(in folder: String) -> [SourceFile] {
        Repository.files(in: folder, endings: ["swift"]).compactMap { path in Repository.text(path).map { SourceFile(path: path, text: $0) } }
    }

    private static func code(_ lines: [String]) -> [String] {
        let (quote, slash, escape) = (UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "\\"))
        var inBlock = false
        return lines.map { line in
            let bytes = Array(line.utf8)
            var out: [UInt8] = []
            var at = 0
            func isBlockEnd() -> Bool { bytes[at...].starts(with: [quote, quote, quote]) }
            while at < bytes.count {
                if isBlockEnd() {
                    inBlock.toggle()
                    at += 3
                } else if inBlock {
                    at += 1
                } else if bytes[at...].starts(with: [slash, slash]) {
                    break
                } else if bytes[at] == quote {
                    at += 1
                    while at < bytes.count, bytes[at] != quote { at += bytes[at] == escape ? 2 : 1 }
                    at += 1
                } else {
                    out.append(bytes[at])
                    at += 1
                }
            }
            return String(decoding: out, as: UTF8.self)
        }
    }
}

extension String {
    /// As `contains`, by bytes: what stands on a hundred thousand lines is not compared letter by letter.
    func holds(_ part: String) -> Bool { ByteScan.firstIndex(of: part.utf8Span.span, in: utf8Span.span, from: 0) != nil }
}
