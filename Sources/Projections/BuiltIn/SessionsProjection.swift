package import Core
internal import Log

/// Held messages: what they wait for, who decided, where they went on.
package struct SessionsProjection: Projection {
    package init() {}

    package static let name = "sessions"

    package var definition: ProjectionDefinition {
        ProjectionDefinition(
            name: SessionsProjection.name, version: 1, streams: [.sessions],
            purpose: "Held messages: what they wait for, who decided, where they went on.",
            columns: [
                ProjectionColumn("status", .text), ProjectionColumn("kind", .text), ProjectionColumn("rule", .text), ProjectionColumn("topic", .text),
                ProjectionColumn("source_subject_id", .text), ProjectionColumn("message_uuid", .text), ProjectionColumn("channel", .text),
                ProjectionColumn("opened_at", .time), ProjectionColumn("expires_at", .time), ProjectionColumn("closed_at", .time),
                ProjectionColumn("decided_by", .text), ProjectionColumn("released", .text), ProjectionColumn("approvers", .json),
            ])
    }

    package func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
        switch event.content {
        case .session(let change): return [change.session.description]
        case .unreadable(let reason, _): throw ProjectionFault(reason)
        default: return []
        }
    }

    package func apply(_ event: LogEvent, to row: inout SessionRow?, key: String) throws(ProjectionFault) {
        guard case .session(let change) = event.content else { return }
        switch change {
        case .opened(let opening):
            guard row == nil else { throw ProjectionFault("the session is there already") }
            row = SessionRow(opening, opened: event.position)
        case .closed(let closing):
            // Its opening stood before the first entry that the log still has.
            guard row != nil else { throw ProjectionFault("the session was never opened") }
            guard row?.closing == nil else { throw ProjectionFault("the session has ended already") }
            row?.closing = closing
            row?.closed = event.position
        }
    }
}

extension SessionRow: ProjectionRow {}
