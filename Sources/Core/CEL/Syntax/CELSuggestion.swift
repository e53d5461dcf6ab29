/// Finds the name that was probably meant.
package enum CELSuggestion {
    /// `did you mean 'x'?` for the nearest of `known`; nil when none is near.
    ///
    /// - Cost: `known` × the product of the lengths; names longer than 64 bytes are not compared.
    package static func near(_ name: String, _ known: some Sequence<String>) -> String? {
        let wanted = Array(name.utf8)
        guard wanted.count <= 64 else { return nil }
        var best: (distance: Int, name: String)?
        for candidate in known where candidate.utf8.count <= 64 {
            let other = Array(candidate.utf8)
            var found = distance(wanted, other)
            // The same word in another case or with a beginning in common is nearer than its letters say.
            if lowered(wanted) == lowered(other) { found = 0 }
            let allowed = max(1, min(wanted.count, other.count) / 3)
            guard found <= allowed, candidate != name else { continue }
            if best.map({ found < $0.distance || (found == $0.distance && candidate < $0.name) }) ?? true { best = (found, candidate) }
        }
        return best.map { "did you mean '\($0.name)'?" }
    }

    private static func lowered(_ name: [UInt8]) -> [UInt8] {
        name.filter { $0 != UInt8(ascii: "_") }.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 32 : $0 }
    }

    /// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var above = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(above[column + 1] + 1, current[column] + 1, above[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other { cost = min(cost, before[column - 1] + 1) }
                current.append(cost)
            }
            before = above
            above = current
        }
        return above[right.count]
    }
}
