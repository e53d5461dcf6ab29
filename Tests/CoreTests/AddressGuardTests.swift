import Core
import Testing

@Suite("Addresses of webhooks")
struct AddressGuardTests {
    private func address(_ text: String) throws -> NetworkAddress { try #require(NetworkAddress(text)) }

    @Test(
        "Nothing around us is reached",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.254",
            "169.254.0.1",
            "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
            "::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:db8::1", "3fff::1",
            "100::1",
            "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "4000::1", "5f00::1",
        ])
    func refused(_ text: String) throws {
        let one = try address(text)
        #expect(AddressGuard().fault(one) != nil)
    }

    @Test(
        "The internet is",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::8a",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1", "::ffff:8.8.8.8",
        ])
    func reached(_ text: String) throws {
        let one = try address(text)
        #expect(AddressGuard().fault(one) == nil)
    }

    @Test("An opened network is reached, and only it") func opened() throws {
        let addresses = AddressGuard(opened: [try #require(NetworkBlock("127.0.0.0/8")), try #require(NetworkBlock("fd00:1::/32"))])
        func isReached(_ text: String) throws -> Bool { try addresses.fault(address(text)) == nil }
        #expect(try isReached("127.0.0.1") && isReached("::ffff:127.0.0.1") && isReached("fd00:1::5"))
        #expect(try !isReached("10.0.0.1") && !isReached("::1") && !isReached("fd00:2::5") && !isReached("64:ff9b::7f00:1"))
        #expect(try addresses.isOpened(address("127.1.2.3")) && !addresses.isOpened(address("8.8.8.8")))
    }

    @Test(
        "What is no address or network is none",
        arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "127.1", "0x7f000001", "2130706433", "::g", ":::", "1::2::3", "[::1]", "fe80::1%eth0"])
    func addresses(_ text: String) {
        #expect(NetworkAddress(text) == nil)
        #expect(NetworkBlock(text + "/8") == nil)
    }

    @Test("Prefixes are bounded, and the whole address when left out") func blocks() throws {
        for text in ["1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "::/129", "1.2.3.4/8/8"] { #expect(NetworkBlock(text) == nil, "\(text)") }
        let one = try #require(NetworkBlock("10.1.2.3"))
        #expect(try one.contains(address("10.1.2.3")) && !one.contains(address("10.1.2.2")))
        let odd = try #require(NetworkBlock("10.128.0.0/9"))
        #expect(try odd.contains(address("10.200.0.1")) && !odd.contains(address("10.127.0.1")))
        #expect(try !odd.contains(address("::1")))
    }

    @Test("Text and bytes are the same address") func bytes() throws {
        #expect(NetworkAddress("2001:db8::1")?.bytes == [0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(NetworkAddress("1:2:3:4:5:6:7:8")?.bytes == [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8])
        #expect(NetworkAddress("1:2:3:4:5:6:1.2.3.4")?.bytes == [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1, 2, 3, 4])
        for text in ["::", "2001:db8::1", "1::", "::ffff:1.2.3.4", "10.1.2.3"] {
            let one = try address(text)
            #expect(NetworkAddress(one.description) == one)
        }
    }
}
