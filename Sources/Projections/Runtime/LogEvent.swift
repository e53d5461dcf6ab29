package import Core
package import Log

/// One entry of the log on its way into projections.
package struct LogEvent: Sendable {
    package enum Content: Sendable {
        case message(MessageEntry)
        case decided(MessageEntry, VerdictEntry)
        case control(ControlEvent)
        case session(SessionEvent)
        /// The entry is not what its stream holds; `text` is its fields as JSON.
        case unreadable(reason: String, text: [UInt8])
    }
    package let stream: StreamName
    package let position: Position
    package let content: Content

    package init(stream: StreamName, position: Position, content: Content) {
        self.stream = stream
        self.position = position
        self.content = content
    }

    /// Bytes of what it carries, for bounds.
    var byteCount: Int {
        switch content {
        case .message(let message), .decided(let message, _): message.bytes.count
        case .control(let event): event.document.count + event.key.utf8.count + event.comment.utf8.count
        case .session(let event): event.fields.reduce(0) { $0 + $1.value.count }
        case .unreadable(_, let text): text.count
        }
    }

    /// The entry as JSON, for people, and for `init(kept:)` when the log has it no more. Bytes that are not UTF-8 are replaced.
    var kept: [UInt8] {
        func object(_ fields: [(StaticString, ArraySlice<UInt8>)]) -> [UInt8] {
            var object = JSONObject()
            for (name, value) in fields { object.add(name, String(decoding: value, as: UTF8.self)) }
            return object.finish()
        }
        switch content {
        case .message(let message): return object(MessageField.allCases.map { ($0.name, message.slice($0)) })
        case .decided(let message, let verdict):
            var out = object(MessageField.allCases.map { ($0.name, message.slice($0)) })
            out.removeLast()
            return out + Array(#","outcome":"\#(verdict.outcome.rawValue)"}"#.utf8)
        case .control(let event): return object(zip(ControlEvent.fieldNames, event.fieldValues).map { ($0, $1[...]) })
        case .session(let event): return object(event.fields.map { ($0.name, $0.value[...]) })
        case .unreadable(_, let text): return text
        }
    }

    /// Reads an entry that was kept, as this version understands it.
    init(kept text: [UInt8], stream: StreamName, position: Position) {
        self.stream = stream
        self.position = position
        guard let root = try? JSONDocument(text).root, root.kind == .object else {
            content = .unreadable(reason: "it is not kept as a JSON object", text: text)
            return
        }
        if stream == .control {
            do throws(ControlFault) {
                content = .control(try ControlEvent(fields: { name in root[name.description.utf8]?.stringBytes.map { $0[...] } }))
            } catch {
                content = .unreadable(reason: error.detail, text: text)
            }
            return
        }
        if stream == .sessions {
            do throws(SessionFault) {
                content = .session(try SessionEvent(fields: { name in root[name.description.utf8]?.stringBytes.map { $0[...] } }))
            } catch {
                content = .unreadable(reason: error.detail, text: text)
            }
            return
        }
        var message = MessageEntry()
        for field in MessageField.allCases {
            guard let value = root[field.name.description.utf8]?.stringBytes else {
                if field.isOptional { continue }
                content = .unreadable(reason: "the entry lacks the field '\(field.name)'", text: text)
                return
            }
            message.set(field, value)
        }
        content = message.fault.map { .unreadable(reason: $0, text: text) } ?? .message(message)
    }
}
