internal import Core
internal import HTTPTypes
package import Hummingbird
package import Log
internal import NIOCore
internal import ServiceLifecycle
internal import Web

/// Publishing over HTTP in every form but the plain single message, which the fast lane serves (and which ends up here as well
/// when a connection has left it).
///
/// | Content-Type | body |
/// |---|---|
/// | `application/json` | one message, or an array of them |
/// | `application/x-ndjson` | one message a line, read as a stream of any length |
/// | `application/cloudevents+json` | one CloudEvent |
/// | `application/cloudevents-batch+json` | an array of CloudEvents |
/// | any, with `ce-…` headers | the data of one CloudEvent |
///
/// With `Prefer: wait=N` one message is answered when it is decided; many are not, since a preference may be ignored.
package struct PublishRoutes: Sendable {
    private let admission: Admission
    private let appender: Appender
    private let verdicts: VerdictDesk
    private let room = BodyRoom()

    package init(admission: Admission, appender: Appender, verdicts: VerdictDesk) {
        self.admission = admission
        self.appender = appender
        self.verdicts = verdicts
    }

    package func add(to router: Router<some RequestContext>) {
        router.post("/v1/messages") { request, _ in
            let share = room.share()
            defer { share.giveBack() }
            return try await publish(request, share)
        }
        router.post("/MESSAGES") { request, _ in
            let share = room.share()
            defer { share.giveBack() }
            return try await publishReference(request, share)
        }
    }

    // MARK: Forms

    private func publish(_ request: Request, _ share: BodyRoom.Share) async throws -> Response {
        if let query = request.uri.query, !query.isEmpty {
            throw ProblemDocument(
                "parameters-invalid", status: 400, title: "The request's parameters are not all right",
                detail: "This route takes no parameters; leave out what stands behind '?'. To wait for the verdict, send the header 'Prefer: wait=N'.")
        }
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw ProblemDocument(
                "content-encoding", status: 415, title: "The body is compressed", detail: "Send it without Content-Encoding; '\(coding)' is not read here.")
        }
        let type = (request.headers[.contentType] ?? "").lowercased()
        let key = try IdempotencyKey.read(request.headers)
        if type.hasPrefix("application/cloudevents-batch") { return try await cloudEventBatch(request, type, share) }
        if type.hasPrefix("application/cloudevents") { return try await cloudEvent(request, type, share) }
        if request.headers.contains(where: { $0.name.canonicalName.hasPrefix("ce-") }) { return try await binaryCloudEvent(request, share) }
        switch type.prefix(while: { $0 != ";" }).trimmingBlanks {
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
            guard key == nil else {
                throw ProblemDocument(
                    "idempotency-key", status: 400, title: "A stream has no single key", detail: "Give each line its own message_uuid instead.")
            }
            return try await LineStream(admission: admission, appender: appender, traceparent: trace(request)).publish(request.body)
        case "application/json", "text/json", "", "application/x-www-form-urlencoded", "text/plain":
            // curl -d sends a form's type by default; the body says what it is.
            return try await json(request, key, share)
        default:
            throw ProblemDocument(
                "content-type", status: 415, title: "The content type is not one of those read here",
                detail: "'\(type)' is none of application/json, application/x-ndjson, application/cloudevents+json, application/cloudevents-batch+json; "
                    + "an event in binary mode has ce- headers.")
        }
    }

    private func json(_ request: Request, _ key: IdempotencyKey?, _ share: BodyRoom.Share) async throws -> Response {
        let body = try await collect(request, share)
        guard body.first(where: { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }) == UInt8(ascii: "[") else {
            var message = try admit { () throws(Refusal) in try admission.admit(body, door: .http, traceparent: trace(request)) }
            key?.name(&message, index: 0)
            return try await single(message, request)
        }
        let elements: [ArraySlice<UInt8>]
        do throws(Refusal) {
            elements = try JSONElements.split(body, most: Limits.batchMessagesMax)
        } catch {
            admission.countRejected(.http)
            throw Answers.problem(error)
        }
        let traceparent = trace(request)
        return try await batch(
            elements.enumerated().map { index, element in
                do throws(Refusal) {
                    var message = try admission.admit(Array(element), door: .http, traceparent: traceparent)
                    key?.name(&message, index: index)
                    return .success(message)
                } catch {
                    return .failure(error)
                }
            })
    }

    private func cloudEvent(_ request: Request, _ type: String, _ share: BodyRoom.Share) async throws -> Response {
        guard type.hasPrefix("application/cloudevents+json") else { throw unknownFormat(type) }
        let body = try await collect(request, share)
        return try await single(
            try admit { () throws(Refusal) in
                try admission.admit(try CloudEvent.read(body), door: .http, traceparent: trace(request))
            }, request)
    }

    private func cloudEventBatch(_ request: Request, _ type: String, _ share: BodyRoom.Share) async throws -> Response {
        guard type.hasPrefix("application/cloudevents-batch+json") else { throw unknownFormat(type) }
        let body = try await collect(request, share)
        let elements: [ArraySlice<UInt8>]
        do throws(Refusal) {
            elements = try JSONElements.split(body, most: Limits.batchMessagesMax)
        } catch {
            admission.countRejected(.http)
            throw Answers.problem(error)
        }
        let traceparent = trace(request)
        return try await batch(
            elements.map { element in
                do throws(Refusal) {
                    return .success(try admission.admit(try CloudEvent.read(Array(element)), door: .http, traceparent: traceparent))
                } catch {
                    return .failure(error)
                }
            })
    }

    private func binaryCloudEvent(_ request: Request, _ share: BodyRoom.Share) async throws -> Response {
        let body = try await collect(request, share)
        return try await single(
            try admit { () throws(Refusal) in
                var event = CloudEvent()
                var refusal = Refusal()
                for field in request.headers where field.name.canonicalName.hasPrefix("ce-") {
                    let name = String(field.name.canonicalName.dropFirst(3))
                    if name == "datacontenttype" {
                        refusal.add(.conflict, "/datacontenttype", "in binary mode the data's type is the Content-Type header")
                    } else if event[name] != nil {
                        refusal.add(.duplicateKey, "/\(name)", "the header stands twice")
                    } else if let value = CloudEvent.decodeHeader(field.value.utf8) {
                        event.set(name, .string(value))
                    } else {
                        refusal.add(.notUTF8, "/\(name)", "the header's bytes are not UTF-8, which is percent-encoded there")
                    }
                }
                if let type = request.headers[.contentType] {
                    if type.unicodeScalars.contains("\u{FFFD}") { refusal.add(.notUTF8, "/datacontenttype", "the bytes of Content-Type are not UTF-8") }
                    event.set("datacontenttype", .string(Array(type.utf8)))
                }
                if !body.isEmpty { event.data = body }
                guard refusal.isEmpty else { throw refusal }
                return try admission.admit(event, door: .http, traceparent: trace(request))
            }, request)
    }

    private func publishReference(_ request: Request, _ share: BodyRoom.Share) async throws -> Response {
        let body = try await collect(request, share)
        do {
            let message = try admission.admit(try ReferenceMessage.unwrap(body), door: .http, traceparent: trace(request))
            let outcome = try await append([message])[0]
            admission.count(outcome, door: .http)
            let (status, position, answer) = ReferenceMessage.answer(message.uuid, outcome)
            return respond(status, answer, position: position)
        } catch {
            let (status, answer) = ReferenceMessage.refusal(error)
            return respond(status, answer, position: nil)
        }
    }

    // MARK: Answers

    private func single(_ message: AdmittedMessage, _ request: Request) async throws -> Response {
        let outcome: AppendOutcome
        do throws(LogError) {
            outcome = try await append([message])[0]
        } catch {
            throw Answers.problem(error)
        }
        admission.count(outcome, door: .http)
        let (position, isDuplicate): (Position, Bool)
        switch outcome {
        case .appended(let found): (position, isDuplicate) = (found, false)
        case .duplicate(let found): (position, isDuplicate) = (found, true)
        case .conflict(let position): throw Answers.conflict(message.uuid, position)
        case .failed(let error): throw Answers.problem(error)
        }
        guard let wait = WaitPreference(prefer: request.headers[values: .prefer]) else {
            return respond(isDuplicate ? 200 : 201, Answers.acknowledgement(message.uuid, position, duplicate: isDuplicate), position: position)
        }
        return respond(await verdicts.answer(message.uuid, position, duplicate: isDuplicate, within: wait), position, wait)
    }

    private func append(_ messages: [AdmittedMessage]) async throws(LogError) -> [AppendOutcome] {
        do throws(LogError) {
            return try await appender.append(messages)
        } catch {
            admission.countUnavailable(messages.count, door: .http)
            throw error
        }
    }

    private func respond(_ answer: VerdictAnswer, _ position: Position, _ wait: WaitPreference) -> Response {
        var response = respond(answer.status, answer.json, position: position)
        if answer.isProblem { response.headers[.contentType] = ProblemDocument.contentType }
        for field in answer.headers { response.headers[field.name] = field.value }
        response.headers[.preferenceApplied] = "wait=\(wait.seconds)"
        return response
    }

    /// Each message stands for itself: what is right is appended, what is wrong is told, in input order.
    ///
    /// 200 when every message is in the log, 207 when some are, else the first refusal's own status.
    private func batch(_ admitted: [Result<AdmittedMessage, Refusal>]) async throws -> Response {
        let messages = admitted.compactMap { try? $0.get() }
        let outcomes: [AppendOutcome]
        do throws(LogError) {
            outcomes = try await append(messages)
        } catch {
            throw Answers.problem(error)
        }
        var next = zip(messages, outcomes).makeIterator()
        var counts = (accepted: 0, duplicates: 0, refused: 0)
        var results: [UInt8] = [UInt8(ascii: "[")]
        var last: Position?
        var firstFailure = 422
        for (index, one) in admitted.enumerated() {
            if index > 0 { results.append(UInt8(ascii: ",")) }
            switch one {
            case .failure(let refusal):
                let problem = Answers.problem(refusal)
                if counts.refused == 0 { firstFailure = problem.statusCode }
                counts.refused += 1
                results.append(contentsOf: problem.json)
            case .success:
                guard let (message, outcome) = next.next() else { preconditionFailure("every message has an outcome") }
                admission.count(outcome, door: .http)
                switch outcome {
                case .appended(let position):
                    counts.accepted += 1
                    last = max(last ?? position, position)
                case .duplicate(let position):
                    counts.duplicates += 1
                    last = max(last ?? position, position)
                case .conflict: counts.refused += 1
                case .failed:
                    if counts.refused == 0 { firstFailure = 503 }
                    counts.refused += 1
                }
                results.append(contentsOf: Answers.result(message.uuid, outcome).json)
            }
        }
        results.append(UInt8(ascii: "]"))
        var object = JSONObject()
        object.add("accepted", counts.accepted)
        object.add("duplicates", counts.duplicates)
        object.add("refused", counts.refused)
        object.add("results", raw: results)
        let status = counts.refused == 0 ? 200 : counts.accepted + counts.duplicates > 0 ? 207 : firstFailure
        return respond(status, object.finish(), position: last)
    }

    private func respond(_ status: Int, _ body: [UInt8], position: Position?) -> Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let position { headers[.meshlogPosition] = position.description }
        if status == 503 { headers[.retryAfter] = Answers.retryAfterSeconds }
        return Response(status: HTTPResponse.Status(code: status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    // MARK: Requests

    private func admit(_ body: () throws(Refusal) -> AdmittedMessage) throws -> AdmittedMessage {
        do throws(Refusal) { return try body() } catch { throw Answers.problem(error) }
    }

    private func collect(_ request: Request, _ share: BodyRoom.Share) async throws -> [UInt8] {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= Limits.bodyBytesMax else { throw PublishRoutes.bodyTooLarge }
        do {
            return try await cancelWhenGracefulShutdown {
                var body: [UInt8] = []
                body.reserveCapacity(min(announced, Limits.messageBytesMax) + Envelope.roomBehind)
                for try await chunk in request.body {
                    guard body.count + chunk.readableBytes <= Limits.bodyBytesMax else { throw PublishRoutes.bodyTooLarge }
                    try share.grow(by: chunk.readableBytes)
                    body.append(contentsOf: chunk.readableBytesView)
                }
                return body
            }
        } catch let error as LogError {
            admission.countUnavailable(1, door: .http)
            throw Answers.problem(error)
        } catch is CancellationError where Task.isShuttingDownGracefully {
            throw ProblemDocument(
                "stopping", status: 503, title: "The process is shutting down", detail: "Nothing of the body was taken in; send it again.",
                headers: [.retryAfter: Answers.retryAfterSeconds])
        }
    }

    private static let bodyTooLarge = ProblemDocument(
        "body-too-large", status: 413, title: "The body is too large",
        detail: "At most \(Limits.bodyBytesMax) bytes are read at once; send more as application/x-ndjson, one message a line.")

    private func trace(_ request: Request) -> String? {
        guard let name = HTTPField.Name("traceparent"), let value = request.headers[name] else { return nil }
        return TraceParent.isValid(value.utf8) ? value : nil
    }

    private func unknownFormat(_ type: String) -> ProblemDocument {
        ProblemDocument(
            "content-type", status: 415, title: "The event format is not read here",
            detail: "'\(type)': events come as application/cloudevents+json or application/cloudevents-batch+json, or in binary mode.")
    }
}

extension HTTPField.Name {
    /// Position of the entry an answer speaks of.
    package static let meshlogPosition = HTTPField.Name("Meshlog-Position")!
}

extension StringProtocol {
    var trimmingBlanks: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
