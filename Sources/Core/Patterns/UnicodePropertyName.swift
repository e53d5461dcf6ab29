/// The names that ECMA-262 allows in `\p{…}`, and what RE2 calls them.
///
/// - Source: ECMA-262, tables 67 to 70; Unicode PropertyValueAliases.
enum UnicodePropertyName {
    /// A category or a script that RE2 knows by this name.
    case re2(String)
    /// The insides of two classes: with the property, and without.
    case ranges(String, String)
    /// A valid name that RE2 has nothing for.
    case known

    init?(_ name: String) {
        let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2 {
            switch parts[0] {
            case "General_Category", "gc":
                guard let short = Self.categories[parts[1]] else { return nil }
                self = .re2(short)
            case "Script", "sc":
                guard let script = Self.script(parts[1]) else { return nil }
                self = .re2(script)
            case "Script_Extensions", "scx":
                guard Self.script(parts[1]) != nil else { return nil }
                self = .known
            default: return nil
            }
            return
        }
        if let short = Self.categories[name] {
            self = short == "Cn" || short == "LC" ? .known : .re2(short)
        } else if let script = Self.script(name) {
            self = .re2(script)
        } else if let ranges = Self.sets[name] {
            self = .ranges(ranges.0, ranges.1)
        } else if Self.binary.contains(name) {
            self = .known
        } else {
            return nil
        }
    }

    private static let categories: [String: String] = {
        var names: [String: String] = [:]
        for line in [
            "L Letter", "LC Cased_Letter", "Lu Uppercase_Letter", "Ll Lowercase_Letter", "Lt Titlecase_Letter", "Lm Modifier_Letter", "Lo Other_Letter",
            "M Mark Combining_Mark", "Mn Nonspacing_Mark", "Mc Spacing_Mark", "Me Enclosing_Mark", "N Number", "Nd Decimal_Number digit", "Nl Letter_Number",
            "No Other_Number", "P Punctuation punct", "Pc Connector_Punctuation", "Pd Dash_Punctuation", "Ps Open_Punctuation", "Pe Close_Punctuation",
            "Pi Initial_Punctuation", "Pf Final_Punctuation", "Po Other_Punctuation", "S Symbol", "Sm Math_Symbol", "Sc Currency_Symbol", "Sk Modifier_Symbol",
            "So Other_Symbol", "Z Separator", "Zs Space_Separator", "Zl Line_Separator", "Zp Paragraph_Separator", "C Other", "Cc Control cntrl", "Cf Format",
            "Cs Surrogate", "Co Private_Use", "Cn Unassigned",
        ] {
            let words = line.split(separator: " ").map(String.init)
            for word in words { names[word] = words[0] }
        }
        return names
    }()

    /// Scripts: a four-letter code each, then the name.
    private static let scripts: [String: String] = {
        let table =
            "Adlm Adlam Aghb Caucasian_Albanian Arab Arabic Armi Imperial_Aramaic Armn Armenian Avst Avestan Bali Balinese Bamu Bamum Bass Bassa_Vah Batk Batak "
            + "Beng Bengali Bhks Bhaiksuki Bopo Bopomofo Brah Brahmi Brai Braille Bugi Buginese Buhd Buhid Cakm Chakma Cans Canadian_Aboriginal Cari Carian Cham Cham "
            + "Cher Cherokee Chrs Chorasmian Copt Coptic Cpmn Cypro_Minoan Cprt Cypriot Cyrl Cyrillic Deva Devanagari Diak Dives_Akuru Dogr Dogra Dsrt Deseret "
            + "Dupl Duployan Egyp Egyptian_Hieroglyphs Elba Elbasan Elym Elymaic Ethi Ethiopic Geor Georgian Glag Glagolitic Gong Gunjala_Gondi Gonm Masaram_Gondi "
            + "Goth Gothic Gran Grantha Grek Greek Gujr Gujarati Guru Gurmukhi Hang Hangul Hani Han Hano Hanunoo Hatr Hatran Hebr Hebrew Hira Hiragana "
            + "Hluw Anatolian_Hieroglyphs Hmng Pahawh_Hmong Hmnp Nyiakeng_Puachue_Hmong Hung Old_Hungarian Ital Old_Italic Java Javanese Kali Kayah_Li Kana Katakana "
            + "Khar Kharoshthi Khmr Khmer Khoj Khojki Kits Khitan_Small_Script Knda Kannada Kthi Kaithi Lana Tai_Tham Laoo Lao Latn Latin Lepc Lepcha Limb Limbu "
            + "Lina Linear_A Linb Linear_B Lisu Lisu Lyci Lycian Lydi Lydian Mahj Mahajani Maka Makasar Mand Mandaic Mani Manichaean Marc Marchen Medf Medefaidrin "
            + "Mend Mende_Kikakui Merc Meroitic_Cursive Mero Meroitic_Hieroglyphs Mlym Malayalam Modi Modi Mong Mongolian Mroo Mro Mtei Meetei_Mayek Mult Multani "
            + "Mymr Myanmar Nand Nandinagari Narb Old_North_Arabian Nbat Nabataean Newa Newa Nkoo Nko Nshu Nushu Ogam Ogham Olck Ol_Chiki Orkh Old_Turkic Orya Oriya "
            + "Osge Osage Osma Osmanya Ougr Old_Uyghur Palm Palmyrene Pauc Pau_Cin_Hau Perm Old_Permic Phag Phags_Pa Phli Inscriptional_Pahlavi Phlp Psalter_Pahlavi "
            + "Phnx Phoenician Plrd Miao Prti Inscriptional_Parthian Rjng Rejang Rohg Hanifi_Rohingya Runr Runic Samr Samaritan Sarb Old_South_Arabian Saur Saurashtra "
            + "Sgnw SignWriting Shaw Shavian Shrd Sharada Sidd Siddham Sind Khudawadi Sinh Sinhala Sogd Sogdian Sogo Old_Sogdian Sora Sora_Sompeng Soyo Soyombo "
            + "Sund Sundanese Sylo Syloti_Nagri Syrc Syriac Tagb Tagbanwa Takr Takri Tale Tai_Le Talu New_Tai_Lue Taml Tamil Tang Tangut Tavt Tai_Viet Telu Telugu "
            + "Tfng Tifinagh Tglg Tagalog Thaa Thaana Thai Thai Tibt Tibetan Tirh Tirhuta Tnsa Tangsa Toto Toto Ugar Ugaritic Vaii Vai Vith Vithkuqi Wara Warang_Citi "
            + "Wcho Wancho Xpeo Old_Persian Xsux Cuneiform Yezi Yezidi Yiii Yi Zanb Zanabazar_Square Zinh Inherited Zyyy Common"
        let words = table.split(separator: " ").map(String.init)
        var names: [String: String] = [:]
        for at in stride(from: 0, to: words.count - 1, by: 2) {
            names[words[at]] = words[at + 1]
            names[words[at + 1]] = words[at + 1]
        }
        return names
    }()

    private static func script(_ name: String) -> String? { scripts[name] }

    private static let sets: [String: (String, String)] = {
        let any = (#"\x{0}-\x{10ffff}"#, "")
        let hex = ("0-9A-Fa-f", #"\x{0}-/:-@G-`g-\x{10ffff}"#)
        let space = (
            #"\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"#,
            #"\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}"#
                + #"\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}"#
        )
        return [
            "Any": any, "ASCII": (#"\x{0}-\x{7f}"#, #"\x{80}-\x{10ffff}"#), "ASCII_Hex_Digit": hex, "AHex": hex, "White_Space": space, "space": space,
        ]
    }()

    private static let binary: Set<String> = [
        "Alphabetic", "Alpha", "Assigned", "Bidi_Control", "Bidi_C", "Bidi_Mirrored", "Bidi_M", "Case_Ignorable", "CI", "Cased", "Changes_When_Casefolded",
        "CWCF",
        "Changes_When_Casemapped", "CWCM", "Changes_When_Lowercased", "CWL", "Changes_When_NFKC_Casefolded", "CWKCF", "Changes_When_Titlecased", "CWT",
        "Changes_When_Uppercased", "CWU", "Dash", "Default_Ignorable_Code_Point", "DI", "Deprecated", "Dep", "Diacritic", "Dia", "Emoji", "Emoji_Component",
        "EComp",
        "Emoji_Modifier", "EMod", "Emoji_Modifier_Base", "EBase", "Emoji_Presentation", "EPres", "Extended_Pictographic", "ExtPict", "Extender", "Ext",
        "Grapheme_Base",
        "Gr_Base", "Grapheme_Extend", "Gr_Ext", "Hex_Digit", "Hex", "IDS_Binary_Operator", "IDSB", "IDS_Trinary_Operator", "IDST", "ID_Continue", "IDC",
        "ID_Start",
        "IDS", "Ideographic", "Ideo", "Join_Control", "Join_C", "Logical_Order_Exception", "LOE", "Lowercase", "Lower", "Math", "Noncharacter_Code_Point",
        "NChar",
        "Pattern_Syntax", "Pat_Syn", "Pattern_White_Space", "Pat_WS", "Quotation_Mark", "QMark", "Radical", "Regional_Indicator", "RI", "Sentence_Terminal",
        "STerm",
        "Soft_Dotted", "SD", "Terminal_Punctuation", "Term", "Unified_Ideograph", "UIdeo", "Uppercase", "Upper", "Variation_Selector", "VS", "XID_Continue",
        "XIDC",
        "XID_Start", "XIDS",
    ]
}
