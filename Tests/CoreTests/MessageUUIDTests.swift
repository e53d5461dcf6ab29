import Core
import TestSupport
import Testing

@Suite("MessageUUID")
struct MessageUUIDTests {
    @Test("Both cases are read, lower case is written") func cases() {
        let lower = "0190163d-8694-739b-aea5-966c26f8ad91"
        let uuid = MessageUUID(lower.uppercased())
        #expect(uuid?.description == lower)
        #expect(uuid == MessageUUID(lower))
        #expect(uuid?.bytes.count == 16)
        #expect(uuid?.bytes.first == 0x01)
        #expect(uuid?.bytes.last == 0x91)
    }

    @Test(
        "Only the 36-character form is a UUID",
        arguments: [
            "", "0190163d8694739baea5966c26f8ad91", "{0190163d-8694-739b-aea5-966c26f8ad91}", "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
            "0190163d-8694-739b-aea5-966c26f8ad9", "0190163d-8694-739b-aea5-966c26f8ad911", "0190163g-8694-739b-aea5-966c26f8ad91",
            "0190163d_8694_739b_aea5_966c26f8ad91", "0190163-d8694-739b-aea5-966c26f8ad91", " 190163d-8694-739b-aea5-966c26f8ad91",
            "0190163d-8694-739b-aea5-966c26f8ad9١", "------------------------------------",
        ])
    func malformed(_ text: String) { #expect(MessageUUID(text) == nil) }

    @Test("Any 128 bits survive text and back") func roundTrip() {
        var numbers = SeededNumbers(1)
        for _ in 0..<2_000 {
            let uuid = MessageUUID(high: numbers.next(), low: numbers.next())
            #expect(MessageUUID(uuid.description) == uuid)
        }
    }

    @Test("A v7 carries its millisecond, version and variant, and orders by time") func v7() {
        var numbers = SeededNumbers(2)
        var last = MessageUUID.v7(ms: 0, random: (0, 0))
        for ms in stride(from: UInt64(1), to: 1 << 48, by: 1 << 40) {
            let uuid = MessageUUID.v7(ms: ms, random: (numbers.next(), numbers.next()))
            #expect(uuid.v7Milliseconds == ms)
            let text = Array(uuid.description)
            #expect(text[14] == "7")
            #expect("89ab".contains(text[19]))
            #expect(uuid.description > last.description)
            last = uuid
        }
        #expect(MessageUUID("19164b3d-b1cb-5c74-9a4d-5f5a32443ff5")?.v7Milliseconds == nil)
    }

    @Test("A v8 is a function of the digest, with version and variant set") func v8() {
        let uuid = MessageUUID.v8(digest: Array(repeating: 0xFF, count: 32))
        #expect(uuid.description == "ffffffff-ffff-8fff-bfff-ffffffffffff")
        #expect(MessageUUID.v8(digest: Array(0..<16)).description == "00010203-0405-8607-8809-0a0b0c0d0e0f")
    }
}
