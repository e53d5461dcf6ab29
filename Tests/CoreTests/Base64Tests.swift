import Core
import Foundation
import TestSupport
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test(
        "The vectors of RFC 4648 hold both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func vectors(_ plain: String, _ text: String) {
        #expect(Base64.encode(plain.utf8) == Array(text.utf8))
        #expect(Base64.decode(text.utf8) == Array(plain.utf8))
    }

    @Test(
        "What is not padded standard base64 is refused",
        arguments: [
            "Z", "Zg", "Zg=", "Zm8", "Zg===", "====", "=", "Z===", "Zg==Zg==", "Zm9v====", "Zm=v", "Zm9v\n", "Zm 9v", "Zm-_", "Zh==", "Zm9=", "Zg==\0\0\0\0",
            "ž123",
        ])
    func malformed(_ text: String) { #expect(Base64.decode(text.utf8) == nil) }

    @Test("Any bytes survive, and Foundation writes the same text") func roundTrip() {
        var numbers = SeededNumbers(5)
        for count in 0..<300 {
            let bytes = numbers.bytes(count)
            let text = Base64.encode(bytes)
            #expect(String(decoding: text, as: UTF8.self) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(text) == bytes)
        }
    }
}
