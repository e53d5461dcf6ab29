internal import Core
internal import Log
internal import RedisDriver
internal import Synchronization

/// What a backbone was called, by the revision of the policy: a verdict names it as it was called then, and what waits for it when it is renamed
/// is still meant for it.
final class BackboneNames: Sendable {
    private typealias Name = (from: Position, name: String)

    private static let batch = 1_000

    /// Oldest first; at least one, and the first holds from the beginning on.
    private let names: Mutex<[Name]>

    /// - Parameter name: the present one.
    init(_ name: String) {
        names = Mutex([(.zero, name)])
    }

    /// Learns all names that `control` has for it since it was registered.
    ///
    /// - Cost: one round trip for each thousand entries of `control` since then.
    func learn(_ backbone: RegisteredBackbone, _ keys: LogKeys, _ session: RedisSession) throws(RedisError) {
        var found: [Name] = []
        var from = backbone.since
        while true {
            var command = RESPWriter()
            command.command("XRANGE", [keys.stream(.control), from.streamID, "+", "COUNT", String(BackboneNames.batch)])
            try session.send(command)
            let page: Result<(count: Int, last: Position, names: [Name]), RedisError> = try session.receive { reply in
                if reply.kind == .error { return .failure(.server(reply.string)) }
                var page: (count: Int, last: Position, names: [Name]) = (reply.count, .zero, [])
                for index in 0..<reply.count {
                    guard let position = EntryCodec.position(reply[index]) else { return .failure(.unexpectedReply("an entry of control has no id")) }
                    page.last = position
                    guard case .success(let event) = ControlLog.event(reply[index]), event.kind == .backbone, event.key == backbone.id,
                        let name = PolicyContext.Backbone(id: event.key, document: event.document)?.name
                    else { continue }
                    page.names.append((position, name))
                }
                return .success(page)
            }
            let (count, last, more) = try page.get()
            for one in more where one.name != found.last?.name { found.append(one) }
            if count < BackboneNames.batch { break }
            from = last.next
        }
        guard !found.isEmpty else { return }
        found[0].from = .zero
        let learned = found
        names.withLock { $0 = learned }
    }

    /// As the verdict names it.
    func name(in verdict: VerdictEntry) -> String {
        names.withLock { names in
            guard names.count > 1, let revision = Position(verdict.policyRevision) else { return names[0].name }
            return names.last { $0.from <= revision }?.name ?? names[0].name
        }
    }
}
