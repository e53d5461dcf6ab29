internal import Core
internal import Replay

/// Where a page ended and in which direction it was read, as one opaque word.
struct PageCursor: Equatable, Sendable {
    let order: ArchiveFilter.Order
    /// The last position of the page.
    let position: Position

    init(order: ArchiveFilter.Order, position: Position) {
        self.order = order
        self.position = position
    }

    /// Nil when `text` is nothing that `text` ever made.
    init?(_ text: String) {
        guard let plain = CursorText.decode(text, bytesMax: 64), let slash = plain.firstIndex(of: "/"),
            let position = PositionText.parse(plain[plain.index(after: slash)...])
        else { return nil }
        switch plain[..<slash] {
        case "n": order = .newestFirst
        case "o": order = .oldestFirst
        default: return nil
        }
        self.position = position
        // One cursor, one text.
        guard self.text == text else { return nil }
    }

    /// base64url without padding of `n/<position>` or `o/<position>`.
    var text: String { CursorText.encode((order == .newestFirst ? "n/" : "o/") + position.description) }
}
