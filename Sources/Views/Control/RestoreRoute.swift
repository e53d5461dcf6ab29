internal import Control
internal import Core
internal import Hummingbird
internal import Web

/// Brings documents back to an earlier state, as new events: nothing is undone in the log.
struct RestoreRoute: Sendable {
    let desk: ControlDesk

    func add(to router: Router<some RequestContext>) {
        router.post("/v1/restore") { request, _ in try await restore(request) }
    }

    /// What the body asks for.
    private struct Order {
        let moment: Moment
        let kinds: [ControlKind]
        let comment: String?
        let isDryRun: Bool
    }

    private func restore(_ request: Request) async throws -> Response {
        try QueryReader(request.uri.query ?? "").finish()
        let order = try RestoreRoute.order(try DocumentBody.object(try await DocumentBody.read(request, .document), "restore"))
        let author = try ChangeAuthor.read(request.headers, via: "http", comment: order.comment)
        let present = try await desk.present(request)
        let past = try await desk.picture(at: order.moment, present: present.state).state
        var object = JSONObject()
        object.add("to", past.position.description)
        object.add("kinds", strings: order.kinds.map(\.word))
        object.add("dry_run", order.isDryRun)
        guard !order.isDryRun else {
            object.add("changes", raw: RestoreRoute.plan(order.kinds, from: present.state, to: past))
            return ViewAnswer.json(object.finish(), position: present.position)
        }
        let positions = try await desk.restore(order.kinds, to: past, author: author)
        // Told from the log: what was planned may have been overtaken.
        let events = try await desk.history.events(positions)
        object.add(
            "changes", raw: JSONArray.of(events) { $0.append(contentsOf: RestoreRoute.change($1.event.kind, $1.event.key, $1.event.change, $1.position)) })
        return ViewAnswer.json(object.finish(), position: positions.last ?? present.position)
    }

    private static func plan(_ kinds: [ControlKind], from present: ControlState, to past: ControlState) -> [UInt8] {
        let changes = kinds.flatMap { kind in
            ControlDifference.all(present.rows(kind), past.rows(kind)).values.sorted { $0.key < $1.key }.compactMap { one in
                one.change.map { (kind, one.key, $0) }
            }
        }
        return JSONArray.of(changes) { $0.append(contentsOf: change($1.0, $1.1, $1.2, nil)) }
    }

    private static func change(_ kind: ControlKind, _ key: String, _ change: ControlEvent.Change, _ position: Position?) -> [UInt8] {
        var object = JSONObject()
        object.add("kind", kind.word)
        object.add("key", key)
        object.add("change", change.rawValue)
        object.add("position", optional: position?.description)
        return object.finish()
    }

    // MARK: The body

    private static func order(_ root: JSONNode) throws(ProblemDocument) -> Order {
        var refusal = Refusal()
        for (key, _) in root.members {
            guard let member = key.string, !["to", "kinds", "comment", "dry_run"].contains(member) else { continue }
            refusal.add(.unknownField, Violation.pointer(to: member), "no such member; known are to, kinds, comment, dry_run")
        }
        var moment: Moment?
        if let text = root["to"]?.string {
            do throws(Moment.Fault) { moment = try Moment(text) } catch { refusal.add(.malformed, "/to", error.detail) }
        } else {
            refusal.add(root["to"] == nil ? .missing : .wrongType, "/to", Moment.expectation)
        }
        let kinds = kinds(root["kinds"], &refusal)
        let comment = root["comment"]
        if let comment, comment.kind != .string { refusal.add(.wrongType, "/comment", "a text") }
        let isDryRun = root["dry_run"]
        if let isDryRun, isDryRun.kind != .boolean { refusal.add(.wrongType, "/dry_run", "true or false") }
        guard refusal.isEmpty, let moment else { throw ControlProblem.refused(refusal, "restore") }
        return Order(moment: moment, kinds: kinds, comment: comment?.string, isDryRun: isDryRun?.bool ?? false)
    }

    private static func kinds(_ list: JSONNode?, _ refusal: inout Refusal) -> [ControlKind] {
        let words = ControlKind.allCases.map(\.word).joined(separator: ", ")
        guard let list, list.kind == .array, list.count > 0 else {
            refusal.add(list == nil ? .missing : .wrongType, "/kinds", "a list of what is brought back, out of \(words)")
            return []
        }
        var kinds: [ControlKind] = []
        for (index, item) in list.items.enumerated() {
            guard let kind = item.string.flatMap({ ControlKind(word: $0) }) else {
                refusal.add(.malformed, "/kinds/\(index)", "none of \(words)")
                continue
            }
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        return kinds
    }
}
