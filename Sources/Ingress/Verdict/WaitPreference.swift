internal import Core

/// How long a client is willing to wait for the verdict about its message.
///
/// - Source: RFC 7240, 4.3: `Prefer: wait=10`, in whole seconds. A preference may be ignored, so what cannot be read is.
package struct WaitPreference: Sendable, Equatable {
    /// 1…`Limits.preferWaitSecondsMax`.
    package let seconds: Int

    package var duration: Duration { .seconds(seconds) }

    /// Takes whole seconds in decimal; more than `Limits.preferWaitSecondsMax` are taken as that. Nil for anything else, and for 0.
    package init?(seconds text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard number > 0 else { return nil }
        seconds = min(number, Limits.preferWaitSecondsMax)
    }

    /// Reads the values of `Prefer`, one or several of them with commas between; of a preference that stands twice the first counts.
    package init?(prefer values: [String]) {
        for value in values {
            for preference in WaitPreference.split(value, at: ",") {
                // Parameters of a preference follow a semicolon; `wait` has none.
                guard let word = WaitPreference.split(preference, at: ";").first, let equals = word.firstIndex(of: "=") else { continue }
                guard String(word[..<equals]).trimmingBlanks.lowercased() == "wait" else { continue }
                var text = String(word[word.index(after: equals)...]).trimmingBlanks
                if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = String(text.dropFirst().dropLast()) }
                self.init(seconds: text)
                return
            }
        }
        return nil
    }

    /// Parts of a list whose members may be quoted.
    private static func split(_ text: String, at separator: Character) -> [String] {
        var parts = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if character == separator, !isQuoted {
                parts.append("")
                continue
            }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && character == "\\" && !isEscaped
            parts[parts.count - 1].append(character)
        }
        return parts
    }
}
