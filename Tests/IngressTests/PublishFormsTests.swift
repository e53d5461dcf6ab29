import Core
import Foundation
import Log
import RedisDriver
import TestSupport
import Testing

/// The forms of publishing over HTTP and WebSocket, on a serving Meshlog.
@Suite("Publishing")
struct PublishFormsTests {
    private static let name = "forms"

    private func with(_ body: @escaping @Sendable (DoorRig, RawConnection) throws -> Void) async throws {
        try await DoorRig.with(Self.name) { rig in try body(rig, try rig.meshlog.connect()) }
    }

    private func object(_ answer: RawConnection.Answer) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any], "\(answer.text)")
    }

    /// The entry at a position.
    private func entry(_ position: String, _ rig: DoorRig) throws -> [String: String] {
        let id = try #require(Position(position)).streamID
        let fields = try rig.redis.run("XRANGE", [rig.keys.stream(.messages), id, id]).array?.first?.array?[1].pairs ?? [:]
        return fields.compactMapValues(\.text)
    }

    @Test(
        "One message: 201 with id and position, also in the header",
        arguments: ["application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"])
    func one(_ type: String) async throws {
        try await with { rig, connection in
            let answer = try connection.post("/v1/messages", Array(#"{"topic":"a.b","data":{"x" : 1}}"#.utf8), headers: [("Content-Type", type)])
            #expect(answer.status == 201)
            let body = try object(answer)
            let position = try #require(body["position"] as? String)
            #expect(answer.headers["meshlog-position"] == position)
            #expect(body["duplicate"] as? Bool == false)
            let entry = try entry(position, rig)
            #expect(entry["message_data"] == #"{"x" : 1}"#)
            #expect(entry["message_uuid"] == body["message_uuid"] as? String)
            #expect(entry["via"] == "http")
        }
    }

    @Test("The trace context of the request stands in the entry; a malformed one does not") func trace() async throws {
        try await with { rig, connection in
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            for extra in [[], [("Idempotency-Key", "trace-\(UUID())")]] as [[(String, String)]] {
                for (given, expected) in [(parent, parent), ("00-zz", nil), ("", nil)] as [(String, String?)] {
                    let answer = try connection.post(
                        "/v1/messages", Array(#"{"topic":"a"}"#.utf8),
                        headers: [("Content-Type", "application/json"), ("traceparent", given)] + extra.map { ($0.0, $0.1 + given) })
                    #expect(try entry(try #require(try object(answer)["position"] as? String), rig)["traceparent"] == expected)
                }
            }
        }
    }

    @Test(
        "An array is answered in its order; small ones by the fast connection too",
        arguments: [[("Content-Type", "application/json")], [], [("Content-Type", "application/json"), ("Expect-Nothing", "x")]])
    func array(_ headers: [(String, String)]) async throws {
        try await with { rig, connection in
            let id = try rig.lastID(.messages)
            let topic = "arr.\(UUID())"
            let body = "[" + (0..<500).map { #"{"topic":"\#(topic)","data":\#($0)}"# }.joined(separator: " , ") + "]"
            let answer = try connection.post("/v1/messages", Array(body.utf8), headers: headers)
            #expect(answer.status == 200, "\(answer.text.prefix(300))")
            let summary = try object(answer)
            #expect(summary["accepted"] as? Int == 500)
            let positions = try #require(summary["results"] as? [[String: Any]]).compactMap { ($0["position"] as? String).flatMap { Position($0) } }
            #expect(positions.count == 500)
            #expect(positions == positions.sorted())
            #expect(answer.headers["meshlog-position"] == positions.last?.description)
            let data = try rig.entries(.messages, after: id).filter { $0["topic"] == Array(topic.utf8) }.map {
                String(decoding: $0["message_data"] ?? [], as: UTF8.self)
            }
            #expect(data == (0..<500).map(String.init))
            #expect(try connection.post("/v1/messages", Array("[]".utf8), headers: headers).status == 200)
            // The connection goes on.
            #expect(try connection.post("/v1/messages", Array(#"{"topic":"a"}"#.utf8), headers: headers).status == 201)
        }
    }

    @Test("More than 10,000 messages in one array are refused whole") func arrayBound() async throws {
        try await with { rig, connection in
            let before = try rig.length(.messages)
            let body = "[" + Array(repeating: #"{"topic":"too.many"}"#, count: Limits.batchMessagesMax + 1).joined(separator: ",") + "]"
            let answer = try connection.post("/v1/messages", Array(body.utf8), headers: [("Content-Type", "application/json")])
            #expect(answer.status == 413)
            #expect(try !rig.entries(.messages).suffix(20).contains { $0["topic"] == Array("too.many".utf8) })
            #expect(try rig.length(.messages) >= before)
        }
    }

    @Test("The real messages go in as NDJSON, and a second time as duplicates only") func ndjson() async throws {
        try await with { rig, connection in
            let lines = Repository.messages(400)
            let id = try rig.lastID(.messages)
            let body = Array(lines.joined(separator: [0x0A]))
            let first = try object(try connection.post("/v1/messages", body, headers: [("Content-Type", "application/x-ndjson")], chunked: true))
            #expect(first["accepted"] as? Int == 400, "\(first)")
            #expect(first["lines"] as? Int == 400)
            let second = try object(try connection.post("/v1/messages", body, headers: [("Content-Type", "application/x-ndjson")]))
            #expect(second["duplicates"] as? Int == 400, "\(second)")
            #expect(second["accepted"] as? Int == 0)
            #expect(second["first_position"] as? String == first["first_position"] as? String)
            let uuids = Set(lines.compactMap { (try? JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])?["message_uuid"] as? String })
            let own = try rig.entries(.messages, after: id).filter { uuids.contains(String(decoding: $0["message_uuid"] ?? [], as: UTF8.self)) }
            #expect(own.count == 400)
        }
    }

    @Test("Blank lines count for nothing, a line with anything else on it is accepted or refused") func blankLines() async throws {
        try await DoorRig.with("blank") { rig in
            let body = Array("\n \t\r\n\r\r\n{\"topic\":\"a\"}\r\n \r\n\u{0}\n\r".utf8)
            for chunked in [false, true] {
                let answer = try rig.meshlog.connect().post("/v1/messages", body, headers: [("Content-Type", "application/x-ndjson")], chunked: chunked)
                let counts = try object(answer)
                #expect(answer.status == 207 && counts["accepted"] as? Int == 1 && counts["refused"] as? Int == 2, "\(counts)")
            }
        }
    }

    @Test("An Idempotency-Key makes a repeat answer the first id and position, and another content a conflict") func idempotencyKey() async throws {
        try await with { rig, connection in
            let key = "key-\(UUID())"
            func post(_ body: String, _ key: String) throws -> (Int, [String: Any]) {
                let answer = try connection.post("/v1/messages", Array(body.utf8), headers: [("Content-Type", "application/json"), ("Idempotency-Key", key)])
                return (answer.status, try object(answer))
            }
            let first = try post(#"{"topic":"a","data":1}"#, key)
            let again = try post(#"{"topic":"a","data":1}"#, key)
            let quoted = try post(#"{"topic":"a","data":1}"#, "\"\(key)\"")
            let wrong = try post(#"{"topic":"a","data":2}"#, key)
            let statuses: [Int] = [first.0, again.0, quoted.0, wrong.0]
            #expect(statuses == [201, 200, 200, 422])
            for one in [again.1, quoted.1] {
                #expect(one["position"] as? String == first.1["position"] as? String)
                #expect(one["message_uuid"] as? String == first.1["message_uuid"] as? String)
                #expect(one["duplicate"] as? Bool == true)
            }
            // An array is recognised element by element.
            let array = #"[{"topic":"a","data":1},{"topic":"a","data":2}]"#
            #expect(try post(array, "\(key)-array").1["accepted"] as? Int == 2)
            #expect(try post(array, "\(key)-array").1["duplicates"] as? Int == 2)
            for bad in ["", "\"\"", String(repeating: "k", count: 256), "ž"] { #expect(try post(#"{"topic":"a"}"#, bad).0 == 400, "\(bad)") }
            let stream = try connection.post(
                "/v1/messages", Array(#"{"topic":"a"}"#.utf8), headers: [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", key)])
            #expect(stream.status == 400)
        }
    }

    @Test("What stands behind a question mark is not passed over: nothing is in the log") func query() async throws {
        try await with { rig, connection in
            let (id, topic) = (try rig.lastID(.messages), "query.\(UUID())")
            let answer = try connection.post("/v1/messages?wait=5", Array(#"{"topic":"\#(topic)"}"#.utf8), headers: [("Content-Type", "application/json")])
            #expect(answer.status == 400 && answer.text.contains("Prefer: wait=N") && answer.text.contains("parameters-invalid"), "\(answer.text)")
            let since = try rig.redis.run("XRANGE", [rig.keys.stream(.messages), "(" + id, "+"]).array ?? []
            #expect(!since.contains { $0.array?[1].pairs["topic"]?.text == topic })
        }
    }

    @Test(
        "What the door does not read is refused with 415",
        arguments: [
            [("Content-Type", "application/xml")], [("Content-Type", "application/msgpack")], [("Content-Type", "application/cloudevents+avro")],
            [("Content-Type", "application/cloudevents-batch+xml")], [("Content-Type", "multipart/form-data; boundary=x")],
            [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
        ])
    func unsupported(_ headers: [(String, String)]) async throws {
        try await with { _, connection in
            let answer = try connection.post("/v1/messages", Array(#"{"topic":"a"}"#.utf8), headers: headers)
            #expect(answer.status == 415)
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect(try object(answer)["type"] as? String != nil)
        }
    }

    @Test("A CloudEvent is the same message in binary and in structured mode, and in a batch") func cloudEvents() async throws {
        try await with { rig, connection in
            let id = "\(UUID())"
            let structured =
                #"{"specversion":"1.0","type":"com.example.t","source":"/ctx/€ 1","id":"\#(id)","time":"2018-04-05T17:31:00Z","datacontenttype":"application/json","data":{"a" : 1}}"#
            let one = try connection.post("/v1/messages", Array(structured.utf8), headers: [("Content-Type", "Application/CloudEvents+JSON; charset=utf-8")])
            #expect(one.status == 201, "\(one.text)")
            let headers = [
                ("Content-Type", "application/json"), ("ce-specversion", "1.0"), ("CE-Type", "com.example.t"), ("ce-source", "/ctx/%E2%82%ac%201"),
                ("ce-id", id),
                ("ce-time", "2018-04-05T17:31:00Z"),
            ]
            let position = try #require(try object(one)["position"] as? String)
            let entry = try entry(position, rig)
            #expect(entry["topic"] == "com.example.t")
            #expect(entry["source_subject_id"] == "/ctx/€ 1")
            #expect(entry["message_data"] == #"{"a" : 1}"#)
            #expect(entry["origin_ts"] == "1522949460000000")
            // The same event in another mode, its attributes in another order.
            let binary = try connection.post("/v1/messages", Array(#"{"a" : 1}"#.utf8), headers: headers)
            #expect(binary.status == 200, "\(binary.text)")
            #expect(try object(binary)["position"] as? String == position)
            let fresh = try connection.post("/v1/messages", Array(#"{"a" : 1}"#.utf8), headers: headers.map { $0.0 == "ce-id" ? ("ce-id", "\(id)-2") : $0 })
            #expect(fresh.status == 201, "\(fresh.text)")
            let batch = try connection.post(
                "/v1/messages", Array("[\(structured),\(structured.replacing(id, with: "\(id)-3")),{}]".utf8),
                headers: [("Content-Type", "application/cloudevents-batch+json")])
            #expect(batch.status == 207)
            let summary = try object(batch)
            #expect(summary["duplicates"] as? Int == 1)
            #expect(summary["accepted"] as? Int == 1)
            #expect(summary["refused"] as? Int == 1)
            #expect(try connection.post("/v1/messages", Array("[]".utf8), headers: [("Content-Type", "application/cloudevents-batch+json")]).status == 200)
        }
    }

    @Test(
        "A binary CloudEvent that breaks a rule is refused (rules 3, 5, 7, 14)",
        arguments: [
            ("ce-specversion", nil), ("ce-id", nil), ("ce-source", nil), ("ce-type", nil), ("ce-specversion", "0.3"), ("ce-id", ""), ("ce-source", "%C0%A0"),
            ("ce-datacontenttype", "application/json"), ("ce-time", "yesterday"), ("ce-my_ext", "x"), ("ce-type", "a%0Ab"),
            ("ce-data", "x"), ("ce-id", "a%07"), ("ce-subject", "%C2%85"), ("ce-ext", "\u{FFFD}"), ("Content-Type", "text/\u{FFFD}"),
        ] as [(String, String?)])
    func badCloudEvent(_ name: String, _ value: String?) async throws {
        try await with { _, connection in
            var headers = [("ce-specversion", "1.0"), ("ce-type", "t"), ("ce-source", "/s"), ("ce-id", "\(UUID())"), ("Content-Type", "application/json")]
            headers.removeAll { $0.0 == name }
            if let value { headers.append((name, value)) }
            let answer = try connection.post("/v1/messages", Array("{}".utf8), headers: headers)
            #expect((400..<500).contains(answer.status), "\(answer.status)")
            #expect(try object(answer)["violations"] != nil)
        }
    }

    @Test("The specification's example is one event in structured and in binary mode") func specificationExample() async throws {
        try await with { _, connection in
            let id = "\(UUID())"
            let structured =
                #"{"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","id":"\#(id)","time":"2018-04-05T17:31:00Z","#
                + #""comexampleextension1":"value","comexampleothervalue":5,"data":{"appinfoA":"abc"}}"#
            let one = try connection.post(
                "/v1/messages", Array(structured.utf8), headers: [("Content-Type", "application/cloudevents+json")])
            #expect(one.status == 201, "\(one.text)")
            let headers = [
                ("Content-Type", "application/json"), ("ce-specversion", "1.0"), ("ce-type", "com.example.someevent"),
                ("ce-source", "/mycontext"), ("ce-id", id),
                ("ce-time", "2018-04-05T17:31:00Z"), ("ce-comexampleextension1", "value"), ("ce-comexampleothervalue", "5"),
            ]
            let two = try connection.post("/v1/messages", Array(#"{"appinfoA":"abc"}"#.utf8), headers: headers)
            #expect(two.status == 200, "\(two.text)")
            #expect(try object(two)["position"] as? String == object(one)["position"] as? String)
        }
    }

    @Test("A header whose bytes are no UTF-8 is refused: two events would become one") func headerBytes() async throws {
        try await with { _, connection in
            for byte: UInt8 in [0xE9, 0xFF] {
                let head = Array(
                    "POST /v1/messages HTTP/1.1\r\nHost: a\r\nce-specversion: 1.0\r\nce-type: t\r\nce-source: /s\r\nContent-Length: 0\r\nce-id: a"
                        .utf8)
                try connection.write(head + [byte] + Array("\r\n\r\n".utf8))
                let answer = try connection.answer()
                #expect(answer.status == 400 && answer.text.contains("not-utf8"), "\(answer.status) \(answer.text)")
            }
        }
    }

    @Test("A body that is announced too large is refused before it is sent; one that is not is asked for") func expect() async throws {
        try await with { rig, connection in
            func head(_ bytes: Int) -> [UInt8] {
                Array(
                    "POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: \(bytes)\r\n\r\n"
                        .utf8)
            }
            let body = Array(#"{"topic":"a"}"#.utf8)
            try connection.write(head(body.count))
            #expect(try connection.answer().status == 100)
            try connection.write(body)
            #expect(try connection.answer().status == 201)
            try connection.write(head(Limits.bodyBytesMax + 1))
            let refused = try connection.answer()
            #expect(refused.status == 413 && refused.headers["connection"] == "close", "\(refused.status) \(refused.headers)")
            #expect(connection.readToEnd() == [])
        }
    }

    @Test("A message and a close frame in one write: the acknowledgement comes before the close") func socketClose() async throws {
        try await with { _, connection in
            try connection.upgrade("/v1/messages")
            let message = RawConnection.frame(Array(#"{"topic":"a"}"#.utf8))
            try connection.write(message + message + RawConnection.frame([0x03, 0xE8], opcode: 8))
            for _ in 0..<2 { #expect(try DoorAnswer(json: connection.receive().payload).position != nil) }
            let close = try connection.receive()
            #expect(close.opcode == 8 && close.payload == [0x03, 0xE8])
            #expect(connection.readToEnd() == [])
        }
    }

    @Test("WebSocket answers stand in the order of the frames, good and bad mixed") func socketOrder() async throws {
        try await with { rig, connection in
            try connection.upgrade("/v1/messages")
            let id = try rig.lastID(.messages)
            var bytes: [UInt8] = []
            for index in 0..<600 { bytes += RawConnection.frame(Array((index % 3 == 1 ? "{}" : #"{"topic":"ws.order","data":\#(index)}"#).utf8)) }
            try connection.write(bytes)
            var positions: [Position] = []
            for index in 0..<600 {
                let answer = try DoorAnswer(json: connection.receive().payload)
                #expect((answer.position == nil) == (index % 3 == 1), "\(index)")
                if let position = answer.position.flatMap({ Position($0) }) { positions.append(position) }
            }
            #expect(positions == positions.sorted())
            let data = try rig.entries(.messages, after: id).filter { $0["topic"] == Array("ws.order".utf8) }.compactMap {
                Int(String(decoding: $0["message_data"] ?? [], as: UTF8.self))
            }
            #expect(data == (0..<600).filter { $0 % 3 != 1 })
        }
    }

    @Test("A WebSocket of subprotocol cloudevents.json takes structured events") func socketCloudEvents() async throws {
        try await with { _, connection in
            try connection.upgrade("/v1/messages", subprotocol: "cloudevents.json")
            try connection.send(Array(#"{"specversion":"1.0","type":"t","source":"/s","id":"\#(UUID())","data":1}"#.utf8))
            #expect(try DoorAnswer(json: connection.receive().payload).position != nil)
            try connection.send(Array(#"{"topic":"a"}"#.utf8))
            #expect(try DoorAnswer(json: connection.receive().payload).violations.contains("missing /specversion"))
        }
    }

    @Test("Pipelined posts are answered in order, fast ones behind slow ones") func pipelined() async throws {
        try await with { rig, connection in
            let json = [("Content-Type", "application/json")]
            var bytes: [UInt8] = []
            for index in 0..<90 {
                switch index % 3 {
                case 0: bytes += RawConnection.post("/v1/messages", Array(#"{"topic":"a"}"#.utf8), headers: json)
                case 1: bytes += RawConnection.post("/v1/messages", Array("{".utf8), headers: json)
                default: bytes += RawConnection.post("/MESSAGES", Array("{}".utf8), headers: json)
                }
            }
            try connection.write(bytes)
            for index in 0..<90 {
                let answer = try connection.answer()
                #expect(answer.status == (index % 3 == 0 ? 201 : 400), "\(index)")
                if index % 3 == 2 { #expect(answer.text.contains("No message found")) }
            }
        }
    }
}
