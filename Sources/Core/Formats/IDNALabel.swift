/// Labels of host names beyond ASCII.
///
/// - Source: RFC 5891, 5.4; RFC 5892 (which characters are allowed); RFC 5893 (labels from right to left).
enum IDNALabel {
    /// Whether a label of characters is valid by itself.
    static func isValid(_ label: [UInt32]) -> Bool {
        guard let first = label.first.flatMap(Unicode.Scalar.init), label.first != 0x2D, label.last != 0x2D else { return false }
        if label.count >= 4, label[2] == 0x2D, label[3] == 0x2D { return false }
        switch first.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return false
        default: break
        }
        for (position, scalar) in label.enumerated() where !isAllowed(label, position, scalar) { return false }
        // Composed: what NFC would change is no U-label.
        var text = String.UnicodeScalarView()
        text.append(contentsOf: label.compactMap(Unicode.Scalar.init))
        return isComposed(text)
    }

    /// Whether NFC leaves the text as it is: its marks are in order, and no letter has a one-character form with the mark behind it.
    private static func isComposed(_ text: String.UnicodeScalarView) -> Bool {
        var previous: UInt8 = 0
        var starter: Unicode.Scalar?
        for scalar in text {
            let order = scalar.properties.canonicalCombiningClass.rawValue
            if order != 0, order < previous { return false }
            if let starter, order != 0, order != previous || previous == 0 {
                var pair = String(starter)
                pair.unicodeScalars.append(scalar)
                if composes(pair) { return false }
            }
            if order == 0 { starter = scalar }
            previous = order
        }
        return true
    }

    /// Whether a letter with a mark has a form of one character: the Latin, Greek, Cyrillic and kana blocks hold nearly all of them.
    private static func composes(_ pair: String) -> Bool {
        for block in [0xC0...0x24F, 0x385...0x3CE, 0x400...0x4F9, 0x622...0x6D3, 0x1E00...0x1FFC, 0x3040...0x30FF] as [ClosedRange<UInt32>] {
            for value in block {
                guard let scalar = Unicode.Scalar(value), scalar.properties.generalCategory != .unassigned else { continue }
                if String(scalar) == pair { return true }
            }
        }
        return false
    }

    private static func isAllowed(_ label: [UInt32], _ position: Int, _ scalar: UInt32) -> Bool {
        let before = position > 0 ? label[position - 1] : nil
        let behind = position + 1 < label.count ? label[position + 1] : nil
        switch scalar {
        case 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: return true
        case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
        case 0xB7: return before == 0x6C && behind == 0x6C
        case 0x375: return behind.map { IDNATables.contains(IDNATables.greek, $0) } ?? false
        case 0x5F3, 0x5F4: return before.map { IDNATables.contains(IDNATables.hebrew, $0) } ?? false
        case 0x30FB:
            return label.contains {
                $0 != 0x30FB
                    && (IDNATables.contains(IDNATables.hiragana, $0) || IDNATables.contains(IDNATables.katakana, $0) || IDNATables.contains(IDNATables.han, $0))
            }
        case 0x660...0x669: return !label.contains { (0x6F0...0x6F9).contains($0) }
        case 0x6F0...0x6F9: return !label.contains { (0x660...0x669).contains($0) }
        case 0x200D: return isVirama(before)
        case 0x200C: return isVirama(before) || joins(label, position)
        case 0x2D, 0x30...0x39, 0x61...0x7A: return true
        default: return isProtocolValid(scalar)
        }
    }

    private static func isVirama(_ scalar: UInt32?) -> Bool { scalar.flatMap(Unicode.Scalar.init)?.properties.canonicalCombiningClass == .virama }

    /// RFC 5892, A.1: letters that join stand on both sides, past marks, which are transparent.
    private static func joins(_ label: [UInt32], _ position: Int) -> Bool {
        func isTransparent(_ scalar: UInt32) -> Bool {
            switch Unicode.Scalar(scalar)?.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: scalar != 0x200C && scalar != 0x200D
            default: false
            }
        }
        guard let left = label[..<position].last(where: { !isTransparent($0) }), let right = label[(position + 1)...].first(where: { !isTransparent($0) })
        else { return false }
        return IDNATables.contains(IDNATables.joinsLeft, left) && IDNATables.contains(IDNATables.joinsRight, right)
    }

    /// RFC 5892, 3: the derived property, without its exceptions.
    private static func isProtocolValid(_ value: UInt32) -> Bool {
        guard let scalar = Unicode.Scalar(value) else { return false }
        let properties = scalar.properties
        if properties.changesWhenNFKCCaseFolded || properties.isDefaultIgnorableCodePoint || properties.isWhitespace || properties.isNoncharacterCodePoint {
            return false
        }
        switch value {
        case 0x20D0...0x20FF, 0x1D100...0x1D1FF, 0x1D200...0x1D24F: return false
        // Old Hangul Jamo.
        case 0x1100...0x11FF, 0xA960...0xA97C, 0xD7B0...0xD7FB: return false
        default: break
        }
        switch properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .otherLetter, .decimalNumber, .modifierLetter, .nonspacingMark, .spacingMark: return true
        default: return false
        }
    }

    private enum Direction { case left, right, arabicNumber, number, mark, neutral }

    private static func direction(_ value: UInt32) -> Direction {
        switch value {
        case 0x30...0x39, 0x6F0...0x6F9: return .number
        case 0x660...0x669, 0x66B, 0x66C, 0x6DD, 0x10D30...0x10D39, 0x10E60...0x10E7E: return .arabicNumber
        default: break
        }
        switch Unicode.Scalar(value)?.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return .mark
        case .dashPunctuation, .otherPunctuation, .format: return .neutral
        default: break
        }
        switch value {
        case 0x590...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: return .right
        default: return .left
        }
    }

    /// RFC 5893, 2: when one label has a character from right to left, all labels follow the Bidi rule.
    static func isBidiValid(_ labels: [[UInt32]]) -> Bool {
        let directions = labels.map { $0.map(direction) }
        guard directions.contains(where: { $0.contains(.right) || $0.contains(.arabicNumber) }) else { return true }
        return directions.allSatisfy { label in
            guard let last = label.last(where: { $0 != .mark }) else { return false }
            switch label.first {
            case .right:
                return !label.contains(.left) && last != .neutral && !(label.contains(.number) && label.contains(.arabicNumber))
            case .left:
                return !label.contains(.right) && !label.contains(.arabicNumber) && (last == .left || last == .number)
            default: return false
            }
        }
    }
}
