package import Core
internal import Log

/// The documents of one kind: registry, configuration, topic groups, constraints, templates, webhooks.
package struct ControlProjection: Projection {
    package let kind: ControlKind

    package init(_ kind: ControlKind) { self.kind = kind }

    package var definition: ProjectionDefinition {
        ProjectionDefinition(
            name: kind.projection, version: 1, streams: [.control],
            purpose: "Every \(kind.noun) as it stands, with who changed it last and what it said before.",
            columns: ControlProjection.columns(kind) + [
                ProjectionColumn("revision", .text), ProjectionColumn("created", .text), ProjectionColumn("principal", .text),
                ProjectionColumn("via", .text), ProjectionColumn("comment", .text), ProjectionColumn("document", .json),
            ])
    }

    private static func columns(_ kind: ControlKind) -> [ProjectionColumn] {
        func member(_ name: String, _ type: ProjectionColumn.Kind) -> ProjectionColumn { ProjectionColumn(name, type, path: ["document", name]) }
        switch kind {
        case .backbone:
            return [member("name", .text), member("cluster_id", .text), member("public_url", .text), member("org_ids", .json), member("metadata", .json)]
        case .topics: return [member("org_id", .text), member("topic_ids", .json)]
        case .config: return [member("level", .text), member("scope", .text), member("name", .text), member("value", .json)]
        case .constraint: return [member("stage", .text), member("action", .json), member("mode", .text), member("priority", .integer)]
        case .template: return [member("topics", .json), member("version", .integer)]
        case .webhook:
            return [member("url", .text), member("events", .json), member("topics", .json), member("disabled", .boolean), member("secret_version", .integer)]
        }
    }

    package func keys(of event: LogEvent) throws(ProjectionFault) -> [String] {
        switch event.content {
        case .control(let change): return change.kind == kind ? [change.key] : []
        case .unreadable(let reason, let text):
            // Each kind answers for its own events only, so that a bad one is parked once.
            guard let root = try? JSONDocument(text).root, let type = root["event"]?.string, type.hasPrefix(kind.rawValue + ".") else { return [] }
            throw ProjectionFault(reason)
        default: return []
        }
    }

    package func apply(_ event: LogEvent, to row: inout ControlRow?, key: String) throws(ProjectionFault) {
        guard case .control(let change) = event.content else { return }
        row = change.change == .deleted ? nil : ControlRow(change, at: event.position, before: row)
    }
}

extension ControlRow: ProjectionRow {}
