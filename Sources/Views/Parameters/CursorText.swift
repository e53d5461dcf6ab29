internal import Core

/// What a cursor holds as one opaque word: base64url without padding.
enum CursorText {
    static func encode(_ plain: String) -> String {
        let encoded = Base64.encode(plain.utf8).filter { $0 != UInt8(ascii: "=") }
            .map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Nil when `text` is nothing that `encode` ever made: one cursor, one text.
    static func decode(_ text: String, bytesMax: Int) -> String? {
        var bytes = text.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? UInt8(ascii: "/") : $0 }
        guard bytes.count <= bytesMax, !bytes.contains(UInt8(ascii: "=")) else { return nil }
        while bytes.count % 4 != 0 { bytes.append(UInt8(ascii: "=")) }
        guard let plain = Base64.decode(bytes), UTF8Check.firstFault(plain.span) == nil else { return nil }
        let decoded = String(decoding: plain, as: UTF8.self)
        return encode(decoded) == text ? decoded : nil
    }
}
