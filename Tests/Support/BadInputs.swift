/// A message that must not be admitted, and what is wrong with it.
package struct BadInput: Sendable, CustomStringConvertible {
    package let name: String
    package let bytes: [UInt8]
    /// Code and JSON Pointer of the violations, the first of which every door must name.
    package let violations: [(code: String, pointer: String)]

    package var description: String { name }

    /// The HTTP status of a single message's refusal.
    package var status: Int {
        if violations.contains(where: { ["not-json", "not-utf8", "nesting"].contains($0.code) }) { return 400 }
        return violations.contains { $0.code == "too-large" && $0.pointer.isEmpty } ? 413 : 422
    }

    init(_ name: String, _ bytes: [UInt8], _ violations: (code: String, pointer: String)...) {
        self.name = name
        self.bytes = bytes
        self.violations = violations
    }

    init(_ name: String, _ text: String, _ violations: (code: String, pointer: String)...) {
        self.name = name
        bytes = Array(text.utf8)
        self.violations = violations
    }

    /// - Parameter door: a NATS subject on which Meshlog itself listens.
    package static func table(door: String) -> [BadInput] {
        unreadable + shapes + topics(door: door) + ids + times + names + destinations + payloads + several
    }

    private static func nested(_ levels: Int) -> String {
        #"{"topic":"a","data":"# + String(repeating: "[", count: levels - 1) + String(repeating: "]", count: levels - 1) + "}"
    }

    private static let unreadable: [BadInput] = [
        .init("empty", "", ("not-json", "")),
        .init("white space only", " \t \r ", ("not-json", "")),
        .init("a word", "hello", ("not-json", "")),
        .init("an unfinished object", #"{"topic":"a""#, ("not-json", "")),
        .init("an unfinished string", #"{"topic":"a"#, ("not-json", "")),
        .init("an opening brace", "{", ("not-json", "")),
        .init("two values", #"{"topic":"a"} {"topic":"b"}"#, ("not-json", "")),
        .init("two values without a space", #"{"topic":"a"}{"topic":"b"}"#, ("not-json", "")),
        .init("two arrays", "1 [] []", ("not-json", "")),
        .init("a closing brace too many", #"{"topic":"a"}}"#, ("not-json", "")),
        .init("a comma at the end", #"{"topic":"a",}"#, ("not-json", "")),
        .init("a comma at the end of an array", #"{"topic":"a","data":[1,]}"#, ("not-json", "")),
        .init("a missing colon", #"{"topic" "a"}"#, ("not-json", "")),
        .init("a missing comma", #"{"topic":"a" "data":1}"#, ("not-json", "")),
        .init("a key without quotes", #"{topic:"a"}"#, ("not-json", "")),
        .init("single quotes", "{'topic':'a'}", ("not-json", "")),
        .init("a comment", #"{"topic":"a"/* c */}"#, ("not-json", "")),
        .init("NaN", #"{"topic":"a","data":NaN}"#, ("not-json", "")),
        .init("minus Infinity", #"{"topic":"a","data":-Infinity}"#, ("not-json", "")),
        .init("a leading zero", #"{"topic":"a","data":012}"#, ("not-json", "")),
        .init("a plus sign", #"{"topic":"a","data":+1}"#, ("not-json", "")),
        .init("a number that ends in a dot", #"{"topic":"a","data":1.}"#, ("not-json", "")),
        .init("a hexadecimal number", #"{"topic":"a","data":0x1F}"#, ("not-json", "")),
        .init("True", #"{"topic":"a","data":True}"#, ("not-json", "")),
        .init("undefined", #"{"topic":"a","data":undefined}"#, ("not-json", "")),
        .init("an unknown escape", #"{"topic":"a\x"}"#, ("not-json", "")),
        .init("a short unicode escape", #"{"topic":"a","data":"\u12"}"#, ("not-json", "")),
        .init("a raw NUL in a string", "{\"topic\":\"a\",\"data\":\"\0\"}", ("not-json", "")),
        .init("a NUL behind the message", "{\"topic\":\"a\"}\0", ("not-json", "")),
        .init("NULs only", "\0\0\0\0", ("not-json", "")),
        .init("a raw tab in a string", "{\"topic\":\"a\",\"data\":\"\t\"}", ("not-json", "")),
        .init("a raw carriage return in a string", "{\"topic\":\"a\",\"data\":\"\r\"}", ("not-json", "")),
        .init("a byte order mark", "\u{FEFF}{\"topic\":\"a\"}", ("not-json", "")),
        .init(
            "UTF-16", Array("\u{FEFF}{\"topic\":\"a\"}".utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }, ("not-json", "")
        ),
        .init("Latin-1 in the payload", Array(#"{"topic":"a","data":"caf"#.utf8) + [0xE9] + Array(#""}"#.utf8), ("not-utf8", "")),
        .init("an overlong NUL", Array(#"{"topic":"a","data":""#.utf8) + [0xC0, 0x80] + Array(#""}"#.utf8), ("not-utf8", "")),
        .init("a surrogate in UTF-8", Array(#"{"topic":"a","data":""#.utf8) + [0xED, 0xA0, 0x80] + Array(#""}"#.utf8), ("not-utf8", "")),
        .init("above U+10FFFF", Array(#"{"topic":"a","data":""#.utf8) + [0xF4, 0x90, 0x80, 0x80] + Array(#""}"#.utf8), ("not-utf8", "")),
        .init("half a character in the topic", Array(#"{"topic":"a"#.utf8) + [0xE2, 0x82] + Array(#""}"#.utf8), ("not-utf8", "")),
        .init("half a character in a key", Array(#"{"topic":"a",""#.utf8) + [0xC3] + Array(#"":1}"#.utf8), ("not-utf8", "")),
        .init("129 levels", nested(129), ("nesting", "")),
        .init("100,000 levels", #"{"topic":"a","data":"# + String(repeating: #"{"a":"#, count: 100_000), ("nesting", "")),
        .init("1 MiB + 1", #"{"topic":"a","data":""# + String(repeating: "x", count: (1 << 20) + 1 - 22) + #""}"#, ("too-large", "")),
        .init("MessagePack", [0x81, 0xA5, 0x74, 0x6F, 0x70, 0x69, 0x63, 0xA1, 0x61], ("not-json", "")),
        .init("gzip", [0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00], ("not-json", "")),
    ]

    private static let shapes: [BadInput] = [
        .init("null", "null", ("wrong-type", "")),
        .init("a number", "17", ("wrong-type", "")),
        .init("a string", #""{\"topic\":\"a\"}""#, ("wrong-type", "")),
        .init("an empty object", "{}", ("missing", "/topic")),
        .init("no topic", #"{"data":{"a":1}}"#, ("missing", "/topic")),
        .init("the topic twice", #"{"topic":"a","topic":"a"}"#, ("duplicate-key", "/topic")),
        .init("the topic twice, once escaped", #"{"topic":"a","to\u0070ic":"b"}"#, ("duplicate-key", "/topic")),
        .init("the payload twice", #"{"topic":"a","data":1,"data":1}"#, ("duplicate-key", "/data")),
        .init("an unknown field that is nearly one", #"{"topic":"a","mesage_type":"x"}"#, ("unknown-field", "/mesage_type")),
        .init("a field in the wrong case", #"{"Topic":"a"}"#, ("unknown-field", "/Topic"), ("missing", "/topic")),
        .init("an unknown field", #"{"topic":"a","priority":3}"#, ("unknown-field", "/priority")),
        .init("an unknown field with a slash", #"{"topic":"a","a/b~c":3}"#, ("unknown-field", "/a~1b~0c")),
        .init("an empty key", #"{"topic":"a","":3}"#, ("unknown-field", "/")),
        .init("a field of the log", #"{"topic":"a","via":"http"}"#, ("unknown-field", "/via")),
        .init("another's principal", #"{"topic":"a","principal":"root"}"#, ("unknown-field", "/principal")),
    ]

    private static func topics(door: String) -> [BadInput] {
        [
            .init("a topic that is null", #"{"topic":null}"#, ("wrong-type", "/topic")),
            .init("a topic that is a number", #"{"topic":7}"#, ("wrong-type", "/topic")),
            .init("a topic that is an array", #"{"topic":["a"]}"#, ("wrong-type", "/topic")),
            .init("an empty topic", #"{"topic":""}"#, ("malformed", "/topic")),
            .init("a topic with a space", #"{"topic":"a b"}"#, ("malformed", "/topic")),
            .init("a topic with a line break", #"{"topic":"a\nb"}"#, ("malformed", "/topic")),
            .init("a topic with CR LF and a NATS command", #"{"topic":"a\r\nPUB b 0\r\n"}"#, ("malformed", "/topic")),
            .init("a topic with U+0000", #"{"topic":"a\u0000"}"#, ("malformed", "/topic")),
            .init("a topic with half a surrogate pair", #"{"topic":"a\ud800"}"#, ("malformed", "/topic")),
            .init("a topic with DEL", #"{"topic":"a\u007f"}"#, ("malformed", "/topic")),
            .init("a topic with a wildcard", #"{"topic":"a.*"}"#, ("malformed", "/topic")),
            .init("a topic with the rest wildcard", #"{"topic":"a.>"}"#, ("malformed", "/topic")),
            .init("a topic with an empty token", #"{"topic":"a..b"}"#, ("malformed", "/topic")),
            .init("a topic that begins with a dot", #"{"topic":".a"}"#, ("malformed", "/topic")),
            .init("a topic that ends in a dot", #"{"topic":"a."}"#, ("malformed", "/topic")),
            .init("a topic of 257 bytes", #"{"topic":""# + String(repeating: "a", count: 257) + #""}"#, ("malformed", "/topic")),
            .init("a topic of the server", #"{"topic":"$SYS.REQ.SERVER.PING"}"#, ("malformed", "/topic")),
            .init("a topic of JetStream", #"{"topic":"$JS.API.STREAM.DELETE.x"}"#, ("malformed", "/topic")),
            .init("a topic of request and reply", #"{"topic":"_INBOX.abc"}"#, ("malformed", "/topic")),
            .init("a topic that is a door", #"{"topic":"\#(door)"}"#, ("malformed", "/topic")),
        ]
    }

    private static let ids: [BadInput] = [
        .init("a uuid without dashes", #"{"topic":"a","message_uuid":"0190163d8694739baea5966c26f8ad91"}"#, ("malformed", "/message_uuid")),
        .init("a uuid in braces", #"{"topic":"a","message_uuid":"{0190163d-8694-739b-aea5-966c26f8ad91}"}"#, ("malformed", "/message_uuid")),
        .init("a uuid with a g", #"{"topic":"a","message_uuid":"0190163g-8694-739b-aea5-966c26f8ad91"}"#, ("malformed", "/message_uuid")),
        .init("an empty uuid", #"{"topic":"a","message_uuid":""}"#, ("malformed", "/message_uuid")),
        .init("a uuid that is a number", #"{"topic":"a","message_uuid":1}"#, ("wrong-type", "/message_uuid")),
        .init("a uuid with half a surrogate pair", #"{"topic":"a","message_uuid":"\ud8000163d-8694-739b-aea5-966c26f8ad91"}"#, ("malformed", "/message_uuid")),
    ]

    private static let times: [BadInput] = [
        .init("the 31st of February", #"{"topic":"a","origin_ts":"2026-02-31T00:00:00Z"}"#, ("malformed", "/origin_ts")),
        .init("an ISO week", #"{"topic":"a","origin_ts":"2026-W05-6T00:00:00Z"}"#, ("malformed", "/origin_ts")),
        .init("a time without zone", #"{"topic":"a","origin_ts":"2026-01-31T00:00:00"}"#, ("malformed", "/origin_ts")),
        .init("a date", #"{"topic":"a","origin_ts":"2026-01-31"}"#, ("malformed", "/origin_ts")),
        .init("an epoch in a string", #"{"topic":"a","origin_ts":"1769860800"}"#, ("malformed", "/origin_ts")),
        .init("a time behind the year 9999", #"{"topic":"a","origin_ts":"9999-12-31T23:59:59-01:00"}"#, ("malformed", "/origin_ts")),
        .init("the epoch itself", #"{"topic":"a","origin_ts":0}"#, ("malformed", "/origin_ts")),
        .init("a negative epoch", #"{"topic":"a","origin_ts":-1769860800}"#, ("malformed", "/origin_ts")),
        .init("an epoch of 1e400", #"{"topic":"a","origin_ts":1e400}"#, ("malformed", "/origin_ts")),
        .init("an epoch beyond 64 bits", #"{"topic":"a","origin_ts":99999999999999999999}"#, ("malformed", "/origin_ts")),
        .init("a time that is true", #"{"topic":"a","origin_ts":true}"#, ("wrong-type", "/origin_ts")),
        .init("a time that is an object", #"{"topic":"a","origin_ts":{"$date":0}}"#, ("wrong-type", "/origin_ts")),
    ]

    private static let names: [BadInput] = [
        .init("a sender that is a number", #"{"topic":"a","source_subject_id":7}"#, ("wrong-type", "/source_subject_id")),
        .init("an empty sender", #"{"topic":"a","source_subject_id":""}"#, ("malformed", "/source_subject_id")),
        .init(
            "a sender of 257 bytes", #"{"topic":"a","source_subject_id":""# + String(repeating: "s", count: 257) + #""}"#, ("too-large", "/source_subject_id")),
        .init("a sender with U+0000", #"{"topic":"a","source_subject_id":"a\u0000"}"#, ("malformed", "/source_subject_id")),
        .init("a type with a line break", #"{"topic":"a","message_type":"a\nb"}"#, ("malformed", "/message_type")),
        .init("a type that is an object", #"{"topic":"a","message_type":{}}"#, ("wrong-type", "/message_type")),
        .init("a content type that is an array", #"{"topic":"a","content_type":["text/plain"]}"#, ("wrong-type", "/content_type")),
        .init("an empty correlation", #"{"topic":"a","correlation_id":""}"#, ("malformed", "/correlation_id")),
        .init("a causation that is false", #"{"topic":"a","causation":false}"#, ("wrong-type", "/causation")),
        .init("metadata that is an array", #"{"topic":"a","message_metadata":[]}"#, ("wrong-type", "/message_metadata")),
        .init("metadata that is a string", #"{"topic":"a","message_metadata":"{}"}"#, ("wrong-type", "/message_metadata")),
        .init(
            "metadata above 64 KiB", #"{"topic":"a","message_metadata":{"a":""# + String(repeating: "m", count: 64 << 10) + #""}}"#,
            ("too-large", "/message_metadata")),
    ]

    private static let destinations: [BadInput] = [
        .init("recipients in a string", #"{"topic":"a","destination_subject_ids":"bob"}"#, ("wrong-type", "/destination_subject_ids")),
        .init("recipients in an object", #"{"topic":"a","destination_subject_ids":{"0":"bob"}}"#, ("wrong-type", "/destination_subject_ids")),
        .init("a recipient that is a number", #"{"topic":"a","destination_subject_ids":["bob",1]}"#, ("wrong-type", "/destination_subject_ids")),
        .init("a recipient that is null", #"{"topic":"a","destination_subject_ids":[null]}"#, ("wrong-type", "/destination_subject_ids")),
        .init("an empty recipient", #"{"topic":"a","destination_subject_ids":["bob",""]}"#, ("malformed", "/destination_subject_ids/1")),
        .init("a recipient with a tab", #"{"topic":"a","destination_subject_ids":["bo\tb"]}"#, ("malformed", "/destination_subject_ids/0")),
        .init(
            "a recipient of 257 bytes", #"{"topic":"a","destination_subject_ids":[""# + String(repeating: "d", count: 257) + #""]}"#,
            ("malformed", "/destination_subject_ids/0")),
        .init(
            "1,001 recipients", #"{"topic":"a","destination_subject_ids":["# + Array(repeating: #""b""#, count: 1_001).joined(separator: ",") + "]}",
            ("too-large", "/destination_subject_ids")),
    ]

    private static let payloads: [BadInput] = [
        .init("data and message_data", #"{"topic":"a","data":1,"message_data":1}"#, ("conflict", "/message_data")),
        .init("data and data_base64", #"{"topic":"a","data_base64":"AA==","data":1}"#, ("conflict", "/data")),
        .init("base64 without padding", #"{"topic":"a","data_base64":"AA"}"#, ("malformed", "/data_base64")),
        .init("base64 of URLs", #"{"topic":"a","data_base64":"_-8="}"#, ("malformed", "/data_base64")),
        .init("base64 that is null", #"{"topic":"a","data_base64":null}"#, ("wrong-type", "/data_base64")),
        .init("base64 that is a number", #"{"topic":"a","data_base64":1234}"#, ("wrong-type", "/data_base64")),
        .init("an object of type text/plain", #"{"topic":"a","content_type":"text/plain","data":{"a":1}}"#, ("conflict", "/data")),
        .init("half a surrogate pair of type text/plain", #"{"topic":"a","content_type":"text/plain","data":"\udc00"}"#, ("conflict", "/data")),
        .init("base64 of no JSON, of type JSON", #"{"topic":"a","content_type":"application/json","data_base64":"AA=="}"#, ("not-json", "/data_base64")),
    ]

    private static let several: [BadInput] = [
        .init(
            "everything wrong at once",
            #"{"topic":"a b","message_uuid":"x","origin_ts":"y","source_subject_id":1,"destination_subject_ids":"z","message_metadata":[],"#
                + #""data":1,"message_data":2,"nope":3}"#,
            ("malformed", "/topic"), ("malformed", "/message_uuid"), ("malformed", "/origin_ts"), ("wrong-type", "/source_subject_id"),
            ("wrong-type", "/destination_subject_ids"), ("wrong-type", "/message_metadata"), ("conflict", "/message_data"), ("unknown-field", "/nope"))
    ]
}

/// A message that looks odd and must be admitted.
package struct OddInput: Sendable, CustomStringConvertible {
    package let name: String
    package let bytes: [UInt8]
    /// What becomes the payload's bytes.
    package let payload: [UInt8]

    package var description: String { name }

    /// - Parameter topic: of all of them.
    package static func table(topic: String) -> [OddInput] {
        func json(_ name: String, _ payload: String) -> OddInput {
            OddInput(name: name, bytes: Array(#"{"topic":"\#(topic)","data":\#(payload)}"#.utf8), payload: Array(payload.utf8))
        }
        func with(_ name: String, _ members: String, payload: String = "null") -> OddInput {
            OddInput(name: name, bytes: Array(#"{"topic":"\#(topic)",\#(members)}"#.utf8), payload: Array(payload.utf8))
        }
        let deep = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        let room = (1 << 20) - #"{"topic":"","data":""}"#.utf8.count - topic.utf8.count
        return [
            json("huge exponents", "[1e400,-1E+99999,1e-400,123456789012345678901234567890]"), json("minus zero", "-0"),
            json("half a surrogate pair in the payload", #""\ud800""#), json("U+0000 in the payload", #"{"\u0000":"\u0000"}"#),
            json("keys twice in the payload", #"{"a":1,"a":2}"#), json("spaces kept as they are", "{ \"a\" :\t[ 1 , 2 ] }"),
            json("a byte order mark in a string", "\"\u{FEFF}\""), json("line separators", "\"\u{2028}\u{2029}\u{85}\""), json("DEL", "\"\u{7F}\""),
            json("128 levels", deep), json("a null payload", "null"), json("an empty string", #""""#),
            json("nothing but escapes", #""\"\\\/\b\f\n\r\t\u00e9""#),
            json("1 MiB", "\"" + String(repeating: "x", count: room) + "\""), json("emoji", #"{"😀":"👩‍👩‍👧‍👦 é e\u0301"}"#),
            with("a uuid in capitals", #""message_uuid":"AAAAAAAA-8694-739B-AEA5-966C26F8AD91""#),
            with("null members", #""source_subject_id":null,"message_uuid":null,"origin_ts":null,"destination_subject_ids":null,"message_metadata":null"#),
            with("an escaped key", #""d\u0061ta":1"#, payload: "1"), with("no recipients", #""destination_subject_ids":[]"#),
            with("a leap second", #""origin_ts":"2016-12-31T23:59:60Z""#), with("a time before 1970", #""origin_ts":"1969-07-20T20:17:40Z""#),
            with("an escaped time", #""origin_ts":"2026-01-31T12:00:00\u002B01:00""#),
            with("an escaped uuid", #""message_uuid":"bbbbbbbb\u002d8694-739b-aea5-966c26f8ad91""#),
            with("escaped base64", #""data_base64":"\/\/8\u003d","content_type":"application\/octet-stream""#, payload: "").payload([0xFF, 0xFF]),
            with("base64 alone", #""data_base64":"AP8=""#).payload([0x00, 0xFF]), with("empty base64", #""data_base64":"""#).payload([]),
            with("text", #""content_type":"text/plain","data":"a\n\u00e9""#, payload: "a\né"),
            with("a content type of JSON", #""content_type":"application/vnd.x+json","message_data":{"a": 1}"#, payload: #"{"a": 1}"#),
            with(
                "every field",
                #""message_type":"t","correlation_id":"c","causation":"x","source_subject_id":"é","destination_subject_ids":["a","é\""],"message_metadata":{"a":1e400,"b":"\u0000"},"origin_ts":1769860800.5,"data":[]"#,
                payload: "[]"),
            OddInput(name: "spaces around", bytes: Array(" \t\r {\"topic\" : \"\(topic)\" } \t".utf8), payload: Array("null".utf8)),
        ]
    }

    private func payload(_ bytes: [UInt8]) -> OddInput { OddInput(name: name, bytes: self.bytes, payload: bytes) }
}
