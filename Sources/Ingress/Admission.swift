package import Core
package import Log

/// The doors of Meshlog.
package enum Door: String, Sendable, CaseIterable {
    case http, websocket, nats, jetstream
    case redisList = "redis-list"

    /// As it stands in the entry's `via`.
    var via: StaticString {
        switch self {
        case .http: "http"
        case .websocket: "websocket"
        case .nats: "nats"
        case .jetstream: "jetstream"
        case .redisList: "redis-list"
        }
    }

    /// Place in `allCases`.
    fileprivate var index: Int {
        switch self {
        case .http: 0
        case .websocket: 1
        case .nats: 2
        case .jetstream: 3
        case .redisList: 4
        }
    }
}

/// The one way in: the same bytes give the same entry by every door.
package struct Admission: Sendable {
    private let ids: IDSource
    private let live: LiveConfig
    private let onInvalid: (@Sendable (ValidationFailure) -> Void)?
    /// By `Door.index`.
    private let doors: [DoorState]

    /// What is the same for every message of a door, made once.
    private struct DoorState: Sendable {
        let arrival: Arrival
        let accepted: Counter
        let duplicate: Counter
        let rejected: Counter
        let unavailable: Counter
    }

    /// - Parameters:
    ///   - doorSubjects: subjects on which Meshlog itself listens; a topic among them would loop.
    ///   - live: the configuration and the templates, which bound messages further.
    ///   - onInvalid: called for each message that breaks templates, on the thread or event loop that it came in on: it must not block.
    package init(
        ids: IDSource, doorSubjects: [String], live: LiveConfig, metrics: Metrics, onInvalid: (@Sendable (ValidationFailure) -> Void)? = nil
    ) {
        self.ids = ids
        self.live = live
        self.onInvalid = onInvalid
        let patterns = doorSubjects.map { SubjectPattern($0.utf8) }
        doors = Door.allCases.map { door in
            func counter(_ result: String) -> Counter {
                metrics.counter("meshlog_door_messages_total", help: "Messages by door and what became of them", ["door": door.rawValue, "result": result])
            }
            return DoorState(
                arrival: Arrival(via: door.via, doorSubjects: patterns), accepted: counter("accepted"), duplicate: counter("duplicate"),
                rejected: counter("rejected"), unavailable: counter("unavailable"))
        }
    }

    /// Admits one message in Meshlog's own form.
    package func admit(_ body: consuming [UInt8], door: Door, traceparent: String? = nil) throws(Refusal) -> AdmittedMessage {
        do throws(Refusal) {
            return try configured(try Envelope.admit(body, arrival: arrival(door, traceparent), freshID: ids.next), door)
        } catch {
            doors[door.index].rejected.add()
            throw error
        }
    }

    /// Admits one CloudEvent.
    package func admit(_ event: CloudEvent, door: Door, traceparent: String? = nil) throws(Refusal) -> AdmittedMessage {
        do throws(Refusal) {
            return try configured(try event.admit(arrival: arrival(door, traceparent), digest: ContentDigest.sha256), door)
        } catch {
            doors[door.index].rejected.add()
            throw error
        }
    }

    /// Applies what the configuration and the templates say about such messages.
    private func configured(_ message: consuming AdmittedMessage, _ door: Door) throws(Refusal) -> AdmittedMessage {
        let config = live.state
        try check(message.entry, message.uuid, door.rawValue, config)
        message.dedupeWindowMs = config.dedupeWindowMs(of: message.entry)
        return message
    }

    /// Checks a held message as somebody has edited it: what every message has to pass beyond its form.
    package func check(edited message: MessageEntry, uuid: MessageUUID) throws(Refusal) { try check(message, uuid, "session", live.state) }

    private func check(_ message: MessageEntry, _ uuid: MessageUUID, _ door: String, _ config: LiveConfig.State) throws(Refusal) {
        if let fault = config.sizeFault(message) { throw Refusal(.tooLarge, "", fault) }
        let violations = config.violations(message)
        guard !violations.isEmpty else { return }
        onInvalid?(ValidationFailure(door: door, message: message, uuid: uuid, violations: violations))
        throw Refusal(breaking: violations)
    }

    /// Counts an input that never became a message.
    package func countRejected(_ door: Door) { doors[door.index].rejected.add() }

    /// Counts messages that a door could neither hand on nor answer.
    package func countUnavailable(_ count: Int, door: Door) { doors[door.index].unavailable.add(count) }

    package func count(_ outcome: AppendOutcome, door: Door) {
        let counts = doors[door.index]
        switch outcome {
        case .appended: counts.accepted.add()
        case .duplicate: counts.duplicate.add()
        case .conflict: counts.rejected.add()
        case .failed: counts.unavailable.add()
        }
    }

    private func arrival(_ door: Door, _ traceparent: String?) -> Arrival {
        var arrival = doors[door.index].arrival
        if let traceparent { arrival.traceparent = traceparent }
        return arrival
    }
}
