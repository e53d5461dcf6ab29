import Testing

@testable import Web

@Suite("Problem documents")
struct ProblemTests {
    @Test("A document has its members in order, escaped")
    func json() {
        let problem = ProblemDocument(
            "bad-topic", status: 422, title: "Bad \"topic\"", detail: "a\nb", instance: "/v1/messages",
            members: [
                ("pattern", .string("a.b")), ("max", .integer(256)), ("retry", .boolean(false)), ("all", .strings(["x", "ü"])),
                ("raw", .json(Array("[1]".utf8))),
            ])
        #expect(
            String(decoding: problem.json, as: UTF8.self)
                == #"{"type":"urn:meshlog:problem:bad-topic","title":"Bad \"topic\"","status":422,"detail":"a\nb","instance":"/v1/messages","#
                + #""pattern":"a.b","max":256,"retry":false,"all":["x","ü"],"raw":[1]}"#)
    }
}
