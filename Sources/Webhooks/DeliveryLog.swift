internal import Core
internal import Log
internal import RedisDriver

/// What is to be delivered, as Redis keeps it; each change is one step with the entries that tell of it, under the stage's lease.
struct DeliveryLog: Sendable {
    let keys: LogKeys
    /// The stage, which names the lease.
    let stage: String

    /// A delivery that is to be kept, or that nothing is sent for.
    struct Plan: Sendable {
        let delivery: Delivery
        let dueMs: Int64
        let type: String
        /// Empty when nothing is to be sent: then the record is written.
        let body: [UInt8]
        /// Says that nothing is sent, and why.
        let record: WebhookAttempt
    }

    /// Bytes of a plan beside its body, about: the record's names and values.
    static let planOverheadBytes = 700

    /// What is kept of a delivery.
    struct Kept: Sendable {
        /// Made so far.
        let attempts: Int
        let type: String
        let body: [UInt8]
    }

    /// Everything that waits, with the time when it is due.
    ///
    /// - Bounds: `Limits.webhookDeliveriesMax`.
    func waiting(_ session: RedisSession) throws(RedisError) -> [(Delivery, Int64)] {
        let items = try session.run("ZRANGE", [keys.webhookDue, "0", "-1", "WITHSCORES"]).array ?? []
        return stride(from: 0, to: items.count - 1, by: 2).compactMap { index in
            guard let delivery = items[index].text.flatMap({ Delivery(member: $0) }), let ms = items[index + 1].text.flatMap({ Double($0) }) else { return nil }
            return (delivery, Int64(ms))
        }
    }

    /// When a delivery is due; nil when it has ended.
    func due(_ delivery: Delivery, _ session: RedisSession) throws(RedisError) -> Int64? {
        try session.run("ZSCORE", [keys.webhookDue, delivery.member]).text.flatMap { Double($0) }.map { Int64($0) }
    }

    /// What is kept of these deliveries, in their order; nil for one that has ended.
    func kept(_ deliveries: [Delivery], _ session: RedisSession) throws(RedisError) -> [Kept?] {
        if deliveries.isEmpty { return [] }
        let values = try session.run("HMGET", [keys.webhookDeliveries] + deliveries.map(\.member)).array ?? []
        return values.map { value in
            guard case .string(let bytes) = value else { return nil }
            let parts = bytes.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let attempts = Int(String(decoding: parts[0], as: UTF8.self)) else { return nil }
            return Kept(attempts: attempts, type: String(decoding: parts[1], as: UTF8.self), body: Array(parts[2]))
        }
    }

    /// Keeps the deliveries of a batch of notifications, and moves the group's cursor behind it.
    ///
    /// - Returns: the members that are not kept.
    /// - Throws: `.server("FENCED …")` when another process holds the lease.
    func spread(_ plans: [Plan], through last: Position, entries: Int, _ session: RedisSession, _ epoch: Int) throws(RedisError) -> Set<String> {
        let width = 2 * WebhookAttempt.fieldNames.count
        var command = RESPWriter()
        command.begin(3 + 5 + 7 + plans.count * (4 + width))
        head("meshlog_notify_spread", &command)
        command.argument(epoch)
        command.argument(GroupName.webhooks.rawValue)
        command.argument(last.streamID)
        for number in [entries, Limits.webhookDeliveriesEachMax, Limits.webhookDeliveriesMax, width] { command.argument(number) }
        for plan in plans {
            command.argument(plan.delivery.member)
            command.argument(String(plan.dueMs))
            command.argument(plan.delivery.webhook)
            command.argument(plan.body.isEmpty ? [] : Array("0\n\(plan.type)\n".utf8) + plan.body)
            write(plan.record, &command)
        }
        let reply = try session.pipeline(command)[0]
        if case .error(let text) = reply { throw .server(text) }
        return Set((reply.array ?? []).compactMap(\.text))
    }

    /// Records an attempt, or that none is made, and what becomes of the delivery.
    ///
    /// - Returns: false when the delivery has ended or another process has made this attempt.
    func record(_ record: WebhookAttempt, of delivery: Delivery, before: Int, _ session: RedisSession, _ epoch: Int) throws(RedisError) -> Bool {
        var command = RESPWriter()
        command.begin(3 + 5 + 6 + 2 * WebhookAttempt.fieldNames.count)
        head("meshlog_notify_record", &command)
        command.argument(epoch)
        command.argument(delivery.member)
        command.argument(delivery.webhook)
        command.argument(before)
        command.argument(max(before, record.attempt))
        command.argument(record.result.nextMs.map { String($0) } ?? "-")
        write(record, &command)
        let reply = try session.pipeline(command)[0]
        if case .error(let text) = reply { throw .server(text) }
        return reply.int == 1
    }

    private func head(_ function: StaticString, _ command: inout RESPWriter) {
        command.argument("FCALL")
        command.argument(function)
        for value in ["5", keys.stream(.notifications), keys.webhookDue, keys.webhookDeliveries, keys.webhookCounts, keys.lease(stage)] {
            command.argument(value)
        }
    }

    private func write(_ record: WebhookAttempt, _ command: inout RESPWriter) {
        for (name, value) in zip(WebhookAttempt.fieldNames, record.fieldValues) {
            command.argument(name)
            command.argument(value)
        }
    }
}
