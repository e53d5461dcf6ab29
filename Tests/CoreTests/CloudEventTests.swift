import Core
import TestSupport
import Testing

@Suite("CloudEvent")
struct CloudEventTests {
    private func digest(_ bytes: [UInt8]) -> [UInt8] {
        var numbers = SeededNumbers(bytes.reduce(5_381) { $0 &* 33 &+ UInt64($1) })
        return numbers.bytes(32)
    }

    private func admit(_ event: CloudEvent) -> Result<AdmittedMessage, Refusal> {
        do throws(Refusal) {
            return .success(try event.admit(arrival: Arrival(via: "http", doorSubjects: [SubjectPattern("MESSAGES".utf8)]), digest: digest))
        } catch {
            return .failure(error)
        }
    }

    private func admit(_ text: String) -> Result<AdmittedMessage, Refusal> {
        do throws(Refusal) { return admit(try CloudEvent.read(Array(text.utf8))) } catch { return .failure(error) }
    }

    private func violations(_ result: Result<AdmittedMessage, Refusal>) -> Set<String> {
        guard case .failure(let refusal) = result else { return [] }
        return Set(refusal.violations.map { "\($0.code.rawValue) \($0.pointer)" })
    }

    private let least = #""specversion":"1.0","id":"1","source":"/s","type":"com.example.t""#

    @Test("The JSON format's example becomes a message") func structured() throws {
        let message = try admit(
            #"""
            {"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","subject":null,"id":"C234-1234-1234","time":"2018-04-05T17:31:00Z",
             "comexampleextension1":"value","comexampleothervalue":5,"flag":true,"datacontenttype":"application/json","data":{"appinfoA":"abc", "n": 1.50}}
            """#
        ).get()
        let fields = fields(message.entry)
        #expect(fields["topic"] == "com.example.someevent")
        #expect(fields["message_type"] == "com.example.someevent")
        #expect(fields["source_subject_id"] == "/mycontext")
        #expect(fields["origin_ts"] == "1522949460000000")
        #expect(fields["message_data"] == #"{"appinfoA":"abc", "n": 1.50}"#)
        #expect(fields["content_type"] == "application/json")
        #expect(
            fields["message_metadata"]
                == #"{"cloudevents":{"comexampleextension1":"value","comexampleothervalue":"5","datacontenttype":"application/json","flag":"true","id":"C234-1234-1234","#
                + #""source":"/mycontext","specversion":"1.0","time":"2018-04-05T17:31:00Z","type":"com.example.someevent"}}"#)
        #expect(message.isNamedByClient)
        #expect(message.entry.fault == nil)
    }

    @Test("An event is the same message in structured and in binary mode, with its type said or not (J 3.1.2, rules 8 and 12)") func modes()
        throws
    {
        let attributes = [
            ("specversion", "1.0"), ("type", "com.example.someevent"), ("source", "/mycontext"), ("id", "C234-1234-1234"),
            ("time", "2018-04-05T17:31:00Z"),
            ("comexampleextension1", "value"), ("comexampleothervalue", "5"), ("least", "-2147483648"), ("zero", "0"), ("flag", "true"),
            ("off", "false"),
        ]
        var binary = CloudEvent()
        for (name, value) in attributes { binary.set(name, .string(Array(value.utf8))) }
        binary.set("datacontenttype", .string(Array("application/json".utf8)))
        binary.data = Array(#"{"appinfoA":"abc","n":1.50}"#.utf8)
        let expected = fields(try admit(binary).get().entry)
        for type in ["", #""datacontenttype":"application/json","#] {
            let structured = try admit(
                #"""
                {"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","id":"C234-1234-1234","time":"2018-04-05T17:31:00Z",\#(type)
                 "comexampleextension1":"value","comexampleothervalue":5,"least":-2147483648,"zero":-0,"flag":true,"off":false,"data":{"appinfoA":"abc","n":1.50}}
                """#
            ).get()
            #expect(fields(structured.entry) == expected)
        }
    }

    @Test("source and id name it: a repeat has the same id, another source or id has not") func identity() throws {
        let ids = try [(#""1""#, "/s"), (#""1""#, "/s"), (#""2""#, "/s"), (#""1""#, "/t")].map { id, source in
            try admit(#"{"specversion":"1.0","type":"t","id":\#(id),"source":"\#(source)"}"#).get().uuid
        }
        #expect(ids[0] == ids[1])
        #expect(Set(ids).count == 3)
    }

    @Test("The extension attribute topic decides the topic") func topic() throws {
        #expect(try admit("{\(least),\"topic\":\"a.b\"}").get().entry.string(.topic) == "a.b")
        #expect(violations(admit("{\(least),\"topic\":\"a.*\"}")) == ["malformed /topic"])
        #expect(violations(admit("{\(least),\"topic\":\"\"}")) == ["malformed /topic"])
        #expect(violations(admit("{\(least),\"topic\":7}")) == ["wrong-type /topic"])
        #expect(violations(admit("{\(least),\"topic\":\"MESSAGES\"}")) == ["malformed /topic"])
        #expect(violations(admit(#"{"specversion":"1.0","id":"1","source":"/s","type":"with space"}"#)) == ["malformed /type"])
    }

    @Test(
        "The payload follows the JSON format's rules (J 3.1)",
        arguments: [
            (#""data":{"a" : 1}"#, #"{"a" : 1}"#, "application/json"),
            (#""data":"text""#, #""text""#, "application/json"),
            (#""data":null"#, "null", "application/json"),
            (#""datacontenttype":"application/json; charset=utf-8","data":[1]"#, "[1]", "application/json; charset=utf-8"),
            (#""datacontenttype":"application/x+json","data":"{}""#, #""{}""#, "application/x+json"),
            (#""datacontenttype":"text/xml","data":"<a>\n</a>""#, "<a>\n</a>", "text/xml"),
            (#""data_base64":"AAEC""#, "\u{0}\u{1}\u{2}", "application/octet-stream"),
            (#""datacontenttype":"text/plain","data_base64":"aGk=""#, "hi", "text/plain"),
            (#""datacontenttype":"application/json","data_base64":"e30=""#, "{}", "application/json"),
            (#""data_base64":"\/\/8=","datacontenttype":"image\/png""#, nil, "image/png"),
            (#""comment":"no data at all""#, "null", "application/json"),
            (#""datacontenttype":"text/plain""#, "", "text/plain"),
        ] as [(String, String?, String)])
    func payload(_ members: String, _ payload: String?, _ type: String) throws {
        let entry = try admit("{\(least),\(members)}").get().entry
        #expect(Array(entry.slice(.data)) == payload.map { Array($0.utf8) } ?? [0xFF, 0xFF])
        #expect(entry.string(.contentType) == type)
    }

    @Test(
        "What breaks a rule is refused, all of it at once",
        arguments: [
            ("{}", ["missing /specversion", "missing /id", "missing /source", "missing /type"]),
            (#"{"specversion":"0.3","id":"1","source":"/s","type":"t"}"#, ["malformed /specversion"]),
            (#"{"specversion":"1.0","id":"","source":"","type":""}"#, ["malformed /id", "malformed /source", "malformed /type"]),
            (#"{"specversion":"1.0","id":1,"source":"/s","type":"t"}"#, ["wrong-type /id"]),
            (#"{"specversion":"1.0","id":null,"source":"/s","type":"t"}"#, ["missing /id"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"yesterday"}"#, ["malformed /time"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":7}"#, ["wrong-type /time", "malformed /time"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":""}"#, ["malformed /subject"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","myExt":"x"}"#, ["malformed /myExt"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","my_ext":"x"}"#, ["malformed /my_ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","":"x"}"#, ["malformed /"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":{}}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":["a"]}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":"\ud800"}"#, ["malformed /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":1.5}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":5.0}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":1e2}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":1e400}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":2147483648}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":-2147483649}"#, ["wrong-type /ext"]),
            (#"{"specversion":"1.0","id":"a\u0007","source":"/s","type":"t"}"#, ["malformed /id"]),
            (#"{"specversion":"1.0","id":"1","source":"/s\u001f","type":"t"}"#, ["malformed /source"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"a\u0085"}"#, ["malformed /subject"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":"\ufdd0"}"#, ["malformed /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":"\ud83f\udfff"}"#, ["malformed /ext"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","id":"2"}"#, ["duplicate-key /id"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":"AA=="}"#, ["conflict /data_base64"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AA==","data":1}"#, ["duplicate-key /data"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AA"}"#, ["malformed /data_base64"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":1}"#, ["malformed /data_base64"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"text/plain","data":{"a":1}}"#, ["conflict /data"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json","data_base64":"AA=="}"#, ["not-json /data"]),
            (#"{"specversion":"1.0","id":"1","source":"/s","type":"a\nb"}"#, ["malformed /type"]),
            ("[]", ["wrong-type "]), ("7", ["wrong-type "]), ("", ["not-json "]), (#"{"a":1"#, ["not-json "]), ("{\"id\":\"\u{0}\"}", ["not-json "]),
        ] as [(String, [String])])
    func refused(_ text: String, _ expected: [String]) { #expect(violations(admit(text)) == Set(expected)) }

    @Test("data before data_base64 or behind it, they exclude each other") func exclusive() {
        for text in [#""data":1,"data_base64":"AA==""#, #""data_base64":"AA==","data":1"#] {
            #expect(!violations(admit("{\(least),\(text)}")).isEmpty)
        }
    }

    @Test(
        "Header values are decoded by rule 7",
        arguments: [
            ("plain", "plain"), ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"), ("%e2%82%ac", "€"), ("%41", "A"), ("\"quoted\"", "quoted"),
            (#""a\"b\\c""#, #"a"b\c"#),
            ("100%25", "100%"), ("%2541", "%41"), ("", ""), ("\"\"", ""), ("a\"b", "a\"b"), ("\"%41\"", "A"), ("%EF%BF%BD", "\u{FFFD}"),
        ])
    func header(_ value: String, _ text: String) { #expect(CloudEvent.decodeHeader(value.utf8) == Array(text.utf8)) }

    @Test(
        "Header values that do not decode to UTF-8 are refused",
        arguments: ["%C0%A0", "%FF", "%", "%4", "%G1", "a%", "%ED%A0%80", "a\u{FFFD}"])
    func badHeader(_ value: String) { #expect(CloudEvent.decodeHeader(value.utf8) == nil) }

    @Test("In binary mode the data's bytes are the payload (rule 3)") func binary() throws {
        func event(_ type: String?, _ data: [UInt8]?) -> CloudEvent {
            var event = CloudEvent()
            for (name, value) in [("specversion", "1.0"), ("id", "1"), ("source", "/s"), ("type", "t")] { event.set(name, .string(Array(value.utf8))) }
            if let type { event.set("datacontenttype", .string(Array(type.utf8))) }
            event.data = data
            return event
        }
        #expect(try admit(event("application/json", Array("{ \"a\":1}".utf8))).get().entry.string(.data) == "{ \"a\":1}")
        #expect(try Array(admit(event("image/png", [0xFF, 0x00])).get().entry.slice(.data)) == [0xFF, 0x00])
        #expect(try admit(event(nil, [0xFF])).get().entry.string(.contentType) == "application/octet-stream")
        #expect(try admit(event(nil, nil)).get().entry.string(.data) == "null")
        #expect(violations(admit(event("application/json", Array("{".utf8)))) == ["not-json /data"])
        var named = event(nil, nil)
        named.set("data", .string([0x31]))
        #expect(violations(admit(named)) == ["malformed /data"])
        #expect(violations(admit(event("application/json", Array(repeating: 0x20, count: Limits.messageBytesMax) + [0x31]))) == ["too-large "])
    }

    @Test("An event with very many attributes is refused quickly") func manyAttributes() {
        let text = "{\(least)," + (0..<80_000).map { "\"a\($0)\":1" }.joined(separator: ",") + "}"
        let start = ContinuousClock.now
        #expect(violations(admit(text)).contains("too-large "))
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
