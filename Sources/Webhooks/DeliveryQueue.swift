internal import Core

/// A notification on its way to a webhook.
struct Delivery: Sendable, Hashable {
    let notification: Position
    let webhook: String

    init(notification: Position, webhook: String) {
        self.notification = notification
        self.webhook = webhook
    }

    /// As it is named in Redis: `<stream id> <webhook>`.
    var member: String { "\(notification.streamID) \(webhook)" }

    init?(member: String) {
        let parts = member.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let position = Position(streamID: String(parts[0])) else { return nil }
        self.init(notification: position, webhook: String(parts[1]))
    }
}

/// What is due when, and what is under way: the picture in memory of what Redis holds, so that one webhook's backlog is not in the way of another's.
///
/// - Bounds: those of the deliveries in Redis; `Limits.webhookRequestsMax` under way.
struct DeliveryQueue {
    private struct Lane {
        /// By time, then by position.
        var due: [(ms: Int64, delivery: Delivery)] = []
        var underway: Set<Position> = []
        /// The receiver has asked to be left alone until then.
        var pausedUntilMs: Int64 = 0
    }
    private var lanes: [String: Lane] = [:]
    /// Webhooks in the order in which they have their turn.
    private var turns: [String] = []

    /// Waiting, and under way.
    private(set) var waiting = 0
    private(set) var underway = 0

    /// Takes in a delivery; one that is under way is not taken in twice.
    mutating func add(_ delivery: Delivery, dueMs: Int64) {
        if lanes[delivery.webhook] == nil {
            lanes[delivery.webhook] = Lane()
            turns.append(delivery.webhook)
        }
        guard var lane = lanes.removeValue(forKey: delivery.webhook) else { return }
        defer { lanes[delivery.webhook] = lane }
        guard !lane.underway.contains(delivery.notification) else { return }
        var low = 0
        var high = lane.due.count
        while low < high {
            let middle = (low + high) / 2
            let other = lane.due[middle]
            if (other.ms, other.delivery.notification) < (dueMs, delivery.notification) { low = middle + 1 } else { high = middle }
        }
        lane.due.insert((dueMs, delivery), at: low)
        waiting += 1
    }

    /// Forgets what waits, so that it can be read again; what is under way stays.
    mutating func forgetWaiting() {
        for key in turns { lanes[key]?.due = [] }
        waiting = 0
    }

    /// What is to be sent now: each webhook in turn, so that none takes all the room.
    mutating func take(nowMs: Int64) -> [Delivery] {
        var out: [Delivery] = []
        var found = true
        while found, underway < Limits.webhookRequestsMax {
            found = false
            for key in turns where underway < Limits.webhookRequestsMax {
                guard let lane = lanes[key], lane.underway.count < Limits.webhookRequestsEachMax, lane.pausedUntilMs <= nowMs, let first = lane.due.first,
                    first.ms <= nowMs
                else { continue }
                lanes[key]?.due.removeFirst()
                lanes[key]?.underway.insert(first.delivery.notification)
                waiting -= 1
                underway += 1
                out.append(first.delivery)
                found = true
            }
        }
        if let first = turns.first {
            turns.removeFirst()
            turns.append(first)
        }
        return out
    }

    /// A delivery is no longer under way.
    mutating func end(_ delivery: Delivery) {
        guard lanes[delivery.webhook]?.underway.remove(delivery.notification) != nil else { return }
        underway -= 1
        if let lane = lanes[delivery.webhook], lane.due.isEmpty, lane.underway.isEmpty {
            lanes[delivery.webhook] = nil
            turns.removeAll { $0 == delivery.webhook }
        }
    }

    /// Sends nothing more to a webhook until then.
    mutating func pause(_ webhook: String, untilMs: Int64) { lanes[webhook]?.pausedUntilMs = untilMs }

    /// When something can be sent next; nil when nothing waits.
    var nextMs: Int64? { lanes.values.compactMap { lane in lane.due.first.map { max($0.ms, lane.pausedUntilMs) } }.min() }

    /// When the delivery was due that waits longest.
    var oldestMs: Int64? { lanes.values.compactMap { $0.due.first?.ms }.min() }
}
