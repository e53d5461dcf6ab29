/// Where a page of rows, which are ordered by their keys, ended: as one opaque word.
struct KeyCursor: Equatable, Sendable {
    /// The last key of the page.
    let key: String

    init(key: String) { self.key = key }

    /// Nil when `text` is nothing that `text` ever made.
    init?(_ text: String) {
        guard let plain = CursorText.decode(text, bytesMax: 1_024), plain.hasPrefix("k/"), plain.utf8.count > 2 else { return nil }
        key = String(plain.dropFirst(2))
    }

    var text: String { CursorText.encode("k/" + key) }
}
