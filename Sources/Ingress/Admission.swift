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
}

/// The one way in: the same bytes give the same entry by every door.
package struct Admission: Sendable {
    private let ids: IDSource
    private let doorSubjects: [SubjectPattern]
    private let counts: [Door: DoorCounts]

    struct DoorCounts: Sendable {
        let accepted: Counter
        let duplicate: Counter
        let rejected: Counter
        let unavailable: Counter
    }

    /// - Parameter doorSubjects: subjects on which Meshlog itself listens; a topic among them would loop.
    package init(ids: IDSource, doorSubjects: [String], metrics: Metrics) {
        self.ids = ids
        self.doorSubjects = doorSubjects.map { SubjectPattern($0.utf8) }
        var counts: [Door: DoorCounts] = [:]
        for door in Door.allCases {
            func counter(_ result: String) -> Counter {
                metrics.counter("meshlog_door_messages_total", help: "Messages by door and what became of them", ["door": door.rawValue, "result": result])
            }
            counts[door] = DoorCounts(
                accepted: counter("accepted"), duplicate: counter("duplicate"), rejected: counter("rejected"), unavailable: counter("unavailable"))
        }
        self.counts = counts
    }

    /// Admits one message in Meshlog's own form.
    package func admit(_ body: consuming [UInt8], door: Door, traceparent: String? = nil) throws(Refusal) -> AdmittedMessage {
        do throws(Refusal) {
            return try Envelope.admit(body, arrival: arrival(door, traceparent), freshID: ids.next)
        } catch {
            counts[door]?.rejected.add()
            throw error
        }
    }

    /// Admits one CloudEvent.
    package func admit(_ event: CloudEvent, door: Door, traceparent: String? = nil) throws(Refusal) -> AdmittedMessage {
        do throws(Refusal) {
            return try event.admit(arrival: arrival(door, traceparent), digest: ContentDigest.sha256)
        } catch {
            counts[door]?.rejected.add()
            throw error
        }
    }

    /// Counts an input that never became a message.
    package func countRejected(_ door: Door) { counts[door]?.rejected.add() }

    package func count(_ outcome: AppendOutcome, door: Door) {
        guard let counts = counts[door] else { return }
        switch outcome {
        case .appended: counts.accepted.add()
        case .duplicate: counts.duplicate.add()
        case .conflict: counts.rejected.add()
        case .failed: counts.unavailable.add()
        }
    }

    private func arrival(_ door: Door, _ traceparent: String?) -> Arrival {
        Arrival(via: door.via, traceparent: traceparent ?? "", doorSubjects: doorSubjects)
    }
}
