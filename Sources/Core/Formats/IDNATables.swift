/// Facts about characters that the standard library does not tell: which letters join, and a few scripts.
///
/// - Source: Unicode 18, ArabicShaping.txt and Scripts.txt, as in PyPI idna 3 (BSD-3-Clause, Unicode licence).
enum IDNATables {
    /// Joining_Type L or D: joins with the character behind it.
    static let joinsLeft = ranges(
        "620 626 628 62a-62e 633-63f 641-647 649-64a 66e-66f 678-687 69a-6bf 6c1-6c2 6cc 6ce 6d0-6d1 6fa-6fc 6ff 712-714 71a-71d 71f-727 729 72b "
            + "72d-72e 74e-758 75c-76a 76d-770 772 775-777 77a-77f 7ca-7ea 841-845 848 84a-853 855 860 862-865 868 886 889-88d 88f 8a0-8a9 8af-8b0 8b3-8b8 "
            + "8ba-8c8 1807 1820-1878 1887-18a8 18aa a840-a872 10ac0-10ac4 10acd 10ad3-10adc 10ade-10ae0 10aeb-10aee 10b80 10b82 10b86-10b88 10b8a-10b8b "
            + "10b8d 10b90 10bad-10bae 10d00-10d21 10d23 10ec3-10ec4 10ec6-10ec7 10ed9-10eee 10f30-10f32 10f34-10f44 10f51-10f53 10f70-10f73 10f76-10f81 "
            + "10fb0 10fb2-10fb3 10fb8 10fbb-10fbc 10fbe-10fbf 10fc1 10fc4 10fca-10fcb 1e900-1e943")

    /// Joining_Type R or D: joins with the character before it.
    static let joinsRight = ranges(
        "620 622-63f 641-64a 66e-66f 671-673 675-6d3 6d5 6ee-6ef 6fa-6fc 6ff 710 712-72f 74d-77f 7ca-7ea 840-858 860 862-865 867-86a 870-882 886 "
            + "889-88f 8a0-8ac 8ae-8c8 1807 1820-1878 1887-18a8 18aa a840-a871 10ac0-10ac5 10ac7 10ac9-10aca 10ace-10ad6 10ad8-10ae1 10ae4 10aeb-10aef "
            + "10b80-10b91 10ba9-10bae 10d01-10d23 10ec2-10ec4 10ec6-10ec7 10f30-10f44 10f51-10f54 10f70-10f81 10fb0 10fb2-10fb6 10fb8-10fbf 10fc1-10fc4 "
            + "10fc9-10fca 1e900-1e943")

    /// Script Greek.
    static let greek = ranges(
        "370-373 375-377 37a-37d 37f 384 386 388-38a 38c 38e-3a1 3a3-3e1 3f0-3ff 1d26-1d2a 1d5d-1d61 1d66-1d6a 1dbf 1f00-1f15 1f18-1f1d 1f20-1f45 "
            + "1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fc4 1fc6-1fd3 1fd6-1fdb 1fdd-1fef 1ff2-1ff4 1ff6-1ffe 2126 ab65 10140-1018e "
            + "101a0 1d200-1d245 1dff3-1dff4")

    /// Script Hebrew.
    static let hebrew = ranges(
        "591-5c9 5d0-5ea 5ef-5f4 fb1d-fb36 fb38-fb3c fb3e fb40-fb41 fb43-fb44 fb46-fb4f")

    /// Script Hiragana.
    static let hiragana = ranges(
        "3041-3096 309d-309f 1b001-1b11f 1b123 1b132 1b150-1b152 1f200")

    /// Script Katakana.
    static let katakana = ranges(
        "30a1-30fa 30fd-30ff 31f0-31ff 32d0-32fe 3300-3357 ff66-ff6f ff71-ff9d 1aff0-1aff3 1aff5-1affb 1affd-1affe 1b000 1b120-1b122 1b124-1b128 "
            + "1b155 1b164-1b168")

    /// Script Han.
    static let han = ranges(
        "2e80-2e99 2e9b-2ef3 2f00-2fd5 3005 3007 3021-3029 3038-303b 3400-4dbf 4e00-9fff f900-fa6d fa70-fad9 16fe2-16fe3 16ff0-16ff6 20000-2a6df "
            + "2a700-2b81e 2b820-2cead 2ceb0-2ebe0 2ebf0-2ee5d 2f800-2fa1d 30000-3134a 31350-33479")

    /// Ranges in hexadecimal with spaces between them.
    private static func ranges(_ text: String) -> [ClosedRange<UInt32>] {
        text.split(separator: " ").compactMap { part in
            let ends = part.split(separator: "-").compactMap { UInt32($0, radix: 16) }
            guard let first = ends.first, let last = ends.last else { return nil }
            return first...last
        }
    }

    static func contains(_ ranges: [ClosedRange<UInt32>], _ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }
}
