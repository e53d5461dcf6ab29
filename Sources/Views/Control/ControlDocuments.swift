internal import Control
internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Replay
internal import Web

/// The documents of one kind over HTTP; the same for every kind.
///
/// A document is answered as it is, so that what was read can be changed and put back; its version is the `ETag`. Lists and histories
/// tell who changed what besides.
struct ControlDocuments: Sendable {
    let kind: ControlKind
    let desk: ControlDesk

    // MARK: Reading

    func list(_ request: Request) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.keyCursor("cursor")
        let moment = query.moment("at")
        let filter = query.filter(kind.fields)
        try query.finish()
        let picture = try await desk.picture(request, at: moment)
        let page = DocumentPage(picture.state.rows(kind), after: cursor, limit: limit) { filter.matches($0.document) }
        var object = JSONObject()
        object.add("documents", raw: JSONArray.of(page.rows) { $0.append(contentsOf: ControlJSON.record($1.key, $1.row)) })
        object.add("next_cursor", optional: page.next?.text)
        return ViewAnswer.json(object.finish(), position: picture.position)
    }

    func one(_ request: Request, _ key: String) async throws -> Response {
        var moment: Moment?
        if let text = request.uri.query {
            var query = QueryReader(text)
            moment = query.moment("at")
            try query.finish()
        }
        let (match, noneMatch) = try EntityTag.conditions(request.headers)
        // Most reads need nothing but what is in memory: then nothing is suspended.
        let picture = if moment == nil, let immediate = desk.immediate(request) { immediate } else { try await desk.picture(request, at: moment) }
        guard let row = picture.state.row(kind, key) else { throw ControlProblem.notFound(kind, key, picture.position) }
        if let match, !match.holdsStrongly(row.revision) { throw ControlProblem.mismatch(kind, key, row, picture.position) }
        if let noneMatch, noneMatch.holdsWeakly(row.revision) {
            return Response(status: .notModified, headers: [.eTag: EntityTag.text(row.revision), .meshlogPosition: picture.position.description])
        }
        return ViewAnswer.json(row.document, position: picture.position, headers: [.eTag: EntityTag.text(row.revision)])
    }

    func history(_ request: Request, _ key: String) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.cursor("cursor")
        if let cursor, cursor.order != .newestFirst { query.fault("cursor", "it was made by another route") }
        try query.finish()
        let present = try await desk.present(request)
        let page = try await desk.history.changes(kind, key, before: cursor?.position, limit: limit)
        if page.changes.isEmpty, cursor == nil { throw ControlProblem.notFound(kind, key, present.position) }
        var object = JSONObject()
        object.add("key", key)
        object.add("changes", raw: JSONArray.of(page.changes) { $0.append(contentsOf: $1.json) })
        object.add("next_cursor", optional: page.next.map { PageCursor(order: .newestFirst, position: $0).text })
        return ViewAnswer.json(object.finish(), position: present.position)
    }

    // MARK: Comparing

    func difference(_ request: Request, _ key: String) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let moments = ControlDocuments.moments(&query)
        try query.finish()
        let (from, to) = try await pictures(request, moments)
        let before = from.state.row(kind, key)
        let after = to.state.row(kind, key)
        if before == nil, after == nil { throw ControlProblem.notFound(kind, key, to.position) }
        var object = JSONObject()
        object.add("key", key)
        object.add("from", from.state.position.description)
        object.add("to", to.state.position.description)
        ControlDifference(key: key, before: before, after: after).add(to: &object)
        return ViewAnswer.json(object.finish(), position: to.position)
    }

    func differences(_ request: Request) async throws -> Response {
        var query = QueryReader(request.uri.query ?? "")
        let limit = query.integer("limit", in: 1...Limits.pageRowsMax, default: ViewLimits.pageRowsDefault)
        let cursor = query.keyCursor("cursor")
        let moments = ControlDocuments.moments(&query)
        try query.finish()
        let (from, to) = try await pictures(request, moments)
        let page = DocumentPage(ControlDifference.all(from.state.rows(kind), to.state.rows(kind)), after: cursor, limit: limit) { _ in true }
        var object = JSONObject()
        object.add("from", from.state.position.description)
        object.add("to", to.state.position.description)
        object.add("differences", raw: JSONArray.of(page.rows) { $0.append(contentsOf: $1.row.json) })
        object.add("next_cursor", optional: page.next?.text)
        return ViewAnswer.json(object.finish(), position: to.position)
    }

    private static func moments(_ query: inout QueryReader) -> (from: Moment, to: Moment?) {
        let from = query.requiredMoment("from")
        let to = query.moment("to")
        if let to, to.through < from.through { query.fault("to", "it lies before 'from'") }
        return (from, to)
    }

    private func pictures(_ request: Request, _ moments: (from: Moment, to: Moment?)) async throws -> (from: ControlDesk.Picture, to: ControlDesk.Picture) {
        let present = try await desk.present(request)
        let from = try await desk.picture(at: moments.from, present: present.state)
        guard let to = moments.to else { return (from, present) }
        return (from, try await desk.picture(at: to, present: present.state))
    }

    // MARK: Changing

    /// A new document; its key is the body's, else made here.
    func create(_ request: Request, _ member: String, ids: UUIDSource) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        if request.headers[.ifMatch] != nil {
            throw ParameterFault.problem([
                ParameterFault(parameter: "If-Match", detail: "what is created has no version yet; PUT or PATCH changes what is there")
            ])
        }
        let author = try ChangeAuthor.read(request.headers, via: "http")
        let root = try DocumentBody.object(try await DocumentBody.read(request, .document), kind.noun)
        let key: String
        if let given = root[member] {
            guard let text = given.string else { throw ControlProblem.refused(Refusal(.wrongType, "/\(member)", "a text, or left out"), kind.noun) }
            key = text
        } else {
            key = ids.next().description
        }
        let command = ControlCommand(.create(DocumentBody.named(root, member, key)), kind, key, author: author)
        return answer(try await desk.run(command, path: kind.path(key)), key)
    }

    func put(_ request: Request, _ key: String) async throws -> Response {
        let (expected, author) = try change(request)
        let root = try DocumentBody.object(try await DocumentBody.read(request, .document), kind.noun)
        let document = kind.keyMember.map { DocumentBody.named(root, $0, key) } ?? root.document.text
        return try await run(.put(document), key, expected, author)
    }

    func patch(_ request: Request, _ key: String) async throws -> Response {
        let (expected, author) = try change(request)
        return try await run(.patch(try await DocumentBody.read(request, .patch)), key, expected, author)
    }

    func delete(_ request: Request, _ key: String) async throws -> Response {
        let (expected, author) = try change(request)
        let receipt = try await desk.run(ControlCommand(.delete, kind, key, expected: expected, author: author), path: kind.path(key))
        return Response(status: .noContent, headers: [.meshlogPosition: receipt.position.description])
    }

    /// What every change says in its headers.
    func change(_ request: Request) throws(ProblemDocument) -> (ExpectedVersion?, ControlAuthor) {
        try QueryReader(request.uri.query ?? "").finish()
        return (try EntityTag.expected(request.headers), try ChangeAuthor.read(request.headers, via: "http"))
    }

    func run(_ verb: ControlCommand.Verb, _ key: String, _ expected: ExpectedVersion?, _ author: ControlAuthor) async throws -> Response {
        answer(try await desk.run(ControlCommand(verb, kind, key, expected: expected, author: author), path: kind.path(key)), key)
    }

    private func answer(_ receipt: ControlReceipt, _ key: String) -> Response {
        var headers: HTTPFields = [.eTag: EntityTag.text(receipt.position)]
        if receipt.isNew { headers[.location] = kind.path(key) }
        return ViewAnswer.json(receipt.row?.document ?? [], status: receipt.isNew ? .created : .ok, position: receipt.position, headers: headers)
    }
}
