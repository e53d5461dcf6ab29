internal import Control
internal import Core
internal import Log

/// The webhooks in force, with the secrets that they had lately: a fold of the whole of `control`, since a restart must not end a grace.
struct WebhookFold: ControlFold, Sendable {
    struct Webhook: Sendable {
        let endpoint: WebhookEndpoint
        let revision: Position
        /// JSON text.
        let document: [UInt8]
        /// Versions of the secret that were replaced and still sign, the newest first, with the millisecond when they no longer do.
        let retired: [Retired]

        struct Retired: Sendable, Equatable {
            let version: Int64
            let untilMs: Int64
        }

        /// The versions that sign now, the one in force first.
        func versions(nowMs: Int64) -> [Int64] { [endpoint.secretVersion] + retired.filter { $0.untilMs > nowMs }.map(\.version) }
    }

    private(set) var position = Position.zero
    private(set) var webhooks: [String: Webhook] = [:]

    init() {}

    mutating func apply(_ position: Position, _ entry: Result<ControlEvent, UnreadableEntry>) {
        self.position = position
        guard case .success(let event) = entry, event.kind == .webhook else { return }
        let before = webhooks.removeValue(forKey: event.key)
        guard event.change != .deleted, let root = try? JSONDocument(event.document).root, let endpoint = try? WebhookEndpoint(root, key: event.key) else {
            return
        }
        var retired = before?.retired ?? []
        if let before, before.endpoint.secretVersion != endpoint.secretVersion {
            retired.insert(.init(version: before.endpoint.secretVersion, untilMs: Int64(clamping: position.ms) + Limits.webhookGraceMs), at: 0)
        }
        let valid = retired.filter { $0.version != endpoint.secretVersion && $0.untilMs > Int64(clamping: position.ms) }
        webhooks[event.key] = Webhook(
            endpoint: endpoint, revision: position, document: event.document, retired: Array(valid.prefix(Limits.webhookRetiredMax)))
    }
}
