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
        var bytes = text.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? UInt8(ascii: "/") : $0 }
        guard bytes.count <= 64, !bytes.contains(UInt8(ascii: "=")) else { return nil }
        while bytes.count % 4 != 0 { bytes.append(UInt8(ascii: "=")) }
        guard let plain = Base64.decode(bytes), let slash = plain.firstIndex(of: UInt8(ascii: "/")),
            let position = PositionText.parse(String(decoding: plain[(slash + 1)...], as: UTF8.self))
        else { return nil }
        switch String(decoding: plain[..<slash], as: UTF8.self) {
        case "n": order = .newestFirst
        case "o": order = .oldestFirst
        default: return nil
        }
        self.position = position
        // One cursor, one text.
        guard self.text == text else { return nil }
    }

    /// base64url without padding of `n/<position>` or `o/<position>`.
    var text: String {
        let plain = (order == .newestFirst ? "n/" : "o/") + position.description
        let encoded = Base64.encode(plain.utf8).filter { $0 != UInt8(ascii: "=") }
            .map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
        return String(decoding: encoded, as: UTF8.self)
    }
}
