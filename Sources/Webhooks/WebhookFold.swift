internal import Control
internal import Core
internal import Log

/// The webhooks in force, with the secrets that they had lately.
///
/// It begins with what is known of them, as everybody does, and still folds the whole of `control`: rows do not say which secrets were replaced, and a
/// restart must not end a grace.
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

        /// As a row has it; nil when it is none that can be used.
        init?(_ row: ControlRow, key: String) {
            guard let root = try? JSONDocument(row.document).root, let endpoint = try? WebhookEndpoint(root, key: key) else { return nil }
            self.endpoint = endpoint
            revision = row.revision
            document = row.document
            retired = []
        }

        /// As a change leaves it; nil when it was deleted, or is none that can be used.
        init?(_ event: ControlEvent, at position: Position, before: Webhook?) {
            guard event.change != .deleted, let root = try? JSONDocument(event.document).root, let endpoint = try? WebhookEndpoint(root, key: event.key) else {
                return nil
            }
            var retired = before?.retired ?? []
            if let before, before.endpoint.secretVersion != endpoint.secretVersion {
                retired.insert(.init(version: before.endpoint.secretVersion, untilMs: Int64(clamping: position.ms) + Limits.webhookGraceMs), at: 0)
            }
            let valid = retired.filter { $0.version != endpoint.secretVersion && $0.untilMs > Int64(clamping: position.ms) }
            self.endpoint = endpoint
            revision = position
            document = event.document
            self.retired = Array(valid.prefix(Limits.webhookRetiredMax))
        }
    }

    private(set) var position = Position.zero
    private(set) var webhooks: [String: Webhook] = [:]
    /// What stands in `control` up to here is in the rows that it began with.
    private let stand: Position
    /// The webhooks up to there as `control` tells it, which may have lost changes.
    private var past: [String: Webhook] = [:]

    init(_ state: ControlState = ControlState()) {
        stand = state.position(of: .webhook)
        for (key, row) in state.rows(.webhook) { webhooks[key] = Webhook(row, key: key) }
    }

    mutating func apply(_ position: Position, _ entry: Result<ControlEvent, UnreadableEntry>) {
        self.position = position
        guard case .success(let event) = entry, event.kind == .webhook else { return }
        guard position <= stand else {
            webhooks[event.key] = Webhook(event, at: position, before: webhooks[event.key])
            return
        }
        let then = Webhook(event, at: position, before: past[event.key])
        past[event.key] = then
        // The change that the row is of, with the secrets that were replaced before it.
        if let then, webhooks[event.key]?.revision == position { webhooks[event.key] = then }
    }
}
