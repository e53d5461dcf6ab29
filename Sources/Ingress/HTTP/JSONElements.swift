internal import Core

/// Takes a JSON array apart without touching its elements.
enum JSONElements {
    /// - Throws: `Refusal` when the text is no JSON array, or has more than `most` elements.
    static func split(_ body: [UInt8], most: Int) throws(Refusal) -> [ArraySlice<UInt8>] {
        let elements: [ArraySlice<UInt8>]?
        do throws(JSONFault) { elements = try scan(body, most: most) } catch { throw Refusal(error) }
        guard let elements else { throw Refusal(.wrongType, "", "a JSON array is expected") }
        if elements.count > most { throw Refusal(.tooLarge, "", "more than \(most) messages; send more as application/x-ndjson") }
        return elements
    }

    /// Nil for another value than an array; stops behind the first element beyond `most`.
    private static func scan(_ body: [UInt8], most: Int) throws(JSONFault) -> [ArraySlice<UInt8>]? {
        let text = body.span
        var elements: [ArraySlice<UInt8>] = []
        var at = 0
        JSONScanner.skipSpace(text, &at)
        guard at < text.count, text[at] == UInt8(ascii: "[") else {
            try JSONScanner.validate(text)
            return nil
        }
        at += 1
        JSONScanner.skipSpace(text, &at)
        if at < text.count, text[at] == UInt8(ascii: "]") {
            at += 1
        } else {
            while true {
                let start = at
                try JSONScanner.skipValue(text, &at, Limits.nestingMax)
                elements.append(body[start..<at])
                if elements.count > most { return elements }
                if try JSONScanner.skipComma(text, &at, closing: UInt8(ascii: "]")) { break }
            }
        }
        JSONScanner.skipSpace(text, &at)
        if at < text.count { throw JSONFault(reason: .trailingBytes, offset: at) }
        return elements
    }
}
