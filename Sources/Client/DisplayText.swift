/// Text for a terminal: one line, safe to print, and no wider than it may be.
package enum DisplayText {
    /// `text` on one line without control or formatting characters, so that a payload cannot steer the terminal.
    package static func line(_ text: some StringProtocol) -> String {
        var out = String.UnicodeScalarView()
        var wasSpace = false
        for scalar in text.unicodeScalars {
            let category = scalar.properties.generalCategory
            if category == .format || category == .surrogate || category == .privateUse { continue }
            let isSpace = category == .control || scalar.properties.isWhitespace
            if isSpace, wasSpace { continue }
            out.append(isSpace ? " " : scalar)
            wasSpace = isSpace
        }
        return String(out)
    }

    /// Columns that `text` takes: 2 for wide characters, 0 for marks that stand on another.
    package static func width(_ text: some StringProtocol) -> Int { text.reduce(0) { $0 + width($1) } }

    /// `text` cut to `width` columns, with `…` where something is missing.
    package static func cut(_ text: String, to width: Int) -> String {
        guard width > 0 else { return "" }
        var used = 0
        var end = text.startIndex
        // The place up to which text and `…` fit, in case the rest does not.
        var last = text.startIndex
        for index in text.indices {
            used += self.width(text[index])
            if used > width { return text[..<last] + "…" }
            end = text.index(after: index)
            if used < width { last = end }
        }
        return text
    }

    /// `text` filled with spaces to `width` columns.
    package static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
        let fill = String(repeating: " ", count: max(0, width - self.width(text)))
        return right ? fill + text : text + fill
    }

    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return isWide(scalar.value) ? 2 : 1
    }

    /// - Source: Unicode UAX #11, the blocks that are wide as a whole.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
