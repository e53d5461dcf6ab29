package import Control
package import Core
internal import Foundation
package import Log
internal import Logging
internal import NIOConcurrencyHelpers
internal import RedisDriver

/// The stage `webhooks`: reads `notifications`, keeps a delivery for each webhook that wants one, sends what is due, and records every attempt.
///
/// One process acts at a time. A delivery is in Redis before anything is sent and leaves it with the record of its end, so a process that is
/// killed loses nothing; what it had sent and not recorded is sent again, with the same `webhook-id`.
package struct Notifier: Sendable {
    private let loop: StageLoop
    private let keys: LogKeys
    private let courier: Courier
    private let key: WebhookKey?
    private let schedule: WebhookSchedule
    private let control: ControlReader
    private let known: @Sendable () -> ControlState
    private let deliveries: DeliveryLog
    private let numbers: NotifierMetrics
    private let log = Logger(label: "meshlog.webhooks")

    /// - Parameters:
    ///   - key: nil when none is set: then nothing can be signed, and every attempt fails for that reason.
    ///   - known: the control plane as this process has it; it knows webhooks that a log which lost its data does not.
    package init(
        loop: StageLoop, keys: LogKeys, courier: Courier, key: WebhookKey?, schedule: WebhookSchedule = .standard,
        known: @escaping @Sendable () -> ControlState = { ControlState() }, metrics: Metrics
    ) {
        self.loop = loop
        self.keys = keys
        self.courier = courier
        self.key = key
        self.schedule = schedule
        control = ControlReader(keys: keys)
        self.known = known
        deliveries = DeliveryLog(keys: keys, stage: loop.name)
        numbers = NotifierMetrics(metrics)
    }

    /// One request to be made.
    private struct Errand: Sendable {
        let delivery: Delivery
        let revision: Position
        let url: WebhookURL
        let secrets: [WebhookSecret]
        let type: String
        let body: [UInt8]
        /// From 1.
        let attempt: Int
    }

    /// What came of one.
    private struct Outcome: Sendable {
        let errand: Errand
        let answer: WebhookAnswer
        let durationMs: Int64
    }

    /// What the stage knows, from one taking of the lease to the next.
    private struct State {
        var fold = WebhookFold()
        var queue = DeliveryQueue()
        var cursor = Position.zero
    }

    /// Runs until shutdown. Requests on their way are given up then; they are repeated by whoever acts next.
    package func run() async {
        // Never more than may be under way, so nothing is dropped.
        let (errands, errand) = AsyncStream.makeStream(of: Errand.self, bufferingPolicy: .bufferingNewest(Limits.webhookRequestsMax))
        let outcomes = NIOLockedValueBox<[Outcome]>([])
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { requests in
                    for await errand in errands {
                        requests.addTask { [self] in
                            let outcome = await send(errand)
                            // What we broke off ourselves says nothing about the receiver.
                            if !Task.isCancelled { outcomes.withLockedValue { $0.append(outcome) } }
                        }
                    }
                    requests.cancelAll()
                }
            }
            await WorkerThread.run(loop.name) { [self] stop in follow(stop, errand, outcomes) }
            errand.finish()
        }
    }

    private func send(_ errand: Errand) async -> Outcome {
        let start = ContinuousClock.now
        let id = WebhookAttempt.messageID(errand.delivery.notification, webhook: errand.delivery.webhook)
        let timestamp = String(Notifier.nowMs / 1000)
        let signature = WebhookKey.signature.header(id: id, timestamp: timestamp, body: errand.body, secrets: errand.secrets)
        let headers = [
            ("content-type", "application/json"), ("user-agent", "meshlog-webhooks/1"), ("webhook-id", id), ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ]
        let answer = await courier.post(errand.url, headers: headers, body: errand.body)
        return Outcome(errand: errand, answer: answer, durationMs: Int64((ContinuousClock.now - start) / .milliseconds(1)))
    }

    private static var nowMs: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    // MARK: The stage's thread

    private func follow(_ stop: StopSignal, _ errands: AsyncStream<Errand>.Continuation, _ outcomes: NIOLockedValueBox<[Outcome]>) {
        // It outlives a lost connection: what is under way then is neither sent twice nor forgotten.
        var state = State()
        loop.run(
            stop,
            begin: { session, _, isGoing in
                if state.fold.position == .zero { state.fold = WebhookFold(known()) }
                try control.fold(into: &state.fold, session, stop: { !isGoing() })
                state.cursor = try LogReader(keys: keys).cursor(.notifications, group: .webhooks, session)
                state.queue.forgetWaiting()
                for (delivery, ms) in try deliveries.waiting(session) { state.queue.add(delivery, dueMs: ms) }
            },
            step: { (_: inout Void, session, epoch) in try step(&state, session, epoch, errands, outcomes) })
    }

    private func step(
        _ state: inout State, _ session: RedisSession, _ epoch: Int, _ errands: AsyncStream<Errand>.Continuation, _ outcomes: NIOLockedValueBox<[Outcome]>
    ) throws {
        try spread(&state, session, epoch)
        let done = outcomes.withLockedValue { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
        for (index, outcome) in done.enumerated() {
            do {
                try conclude(outcome, &state, session, epoch)
            } catch {
                outcomes.withLockedValue { $0.insert(contentsOf: done[index...], at: 0) }
                throw error
            }
        }
        try dispatch(&state, session, epoch, errands)
        numbers.show(state.queue, nowMs: Notifier.nowMs)
    }

    /// Waits a moment for notifications, and keeps a delivery for each webhook that wants one.
    private func spread(_ state: inout State, _ session: RedisSession, _ epoch: Int) throws {
        let reader = LogReader(keys: keys)
        let isThere = try reader.awaitEntry(.notifications, after: state.cursor, wait: patience(state.queue), session)
        let batch = isThere ? try reader.notifications(after: state.cursor, count: Limits.notificationBatchMax, session) : []
        // Behind the read: a webhook whose acknowledgement came before a notification was made is told of it.
        try control.fold(into: &state.fold, session)
        var plans: [DeliveryLog.Plan] = []
        var bytes = 0
        var last: Position?
        var count = 0
        for notification in batch where bytes < Limits.notificationBatchBytesTarget {
            let more = self.plans(notification, state.fold)
            for plan in more { bytes += plan.body.count + DeliveryLog.planOverheadBytes }
            plans += more
            last = notification.position
            count += 1
        }
        guard let last else { return }
        let unkept = try deliveries.spread(plans, through: last, entries: count, session, epoch)
        for plan in plans where !unkept.contains(plan.delivery.member) { state.queue.add(plan.delivery, dueMs: plan.dueMs) }
        numbers.attempted(.skipped, times: unkept.count)
        state.cursor = last
    }

    /// Answers that come in meanwhile, and what falls due, are looked at after this time at the latest.
    private func patience(_ queue: DeliveryQueue) -> Duration {
        if queue.underway > 0 { return .milliseconds(10) }
        guard let next = queue.nextMs else { return .milliseconds(250) }
        return .milliseconds(max(1, min(250, next - Notifier.nowMs)))
    }

    private func plans(_ logged: LoggedNotification, _ fold: WebhookFold) -> [DeliveryLog.Plan] {
        guard let notification = logged.notification else { return [] }
        let wanting = fold.webhooks.values.filter { $0.endpoint.wants(notification) }.sorted { $0.endpoint.id < $1.endpoint.id }
        guard !wanting.isEmpty else { return [] }
        let body = notification.body(at: logged.position)
        let nowMs = Notifier.nowMs
        return wanting.map { webhook in
            let id = webhook.endpoint.id
            let reason =
                webhook.endpoint.isDisabled
                ? "the webhook is disabled" : "too many deliveries wait already; at most \(Limits.webhookDeliveriesEachMax) of one webhook may"
            return DeliveryLog.Plan(
                delivery: Delivery(notification: logged.position, webhook: id), dueMs: nowMs + schedule.delaysMs[0], type: notification.type,
                body: webhook.endpoint.isDisabled ? [] : body,
                record: WebhookAttempt(
                    webhook: id, revision: webhook.revision, notification: logged.position, type: notification.type, attempt: 0, result: .skipped, error: reason
                ))
        }
    }

    // MARK: Sending

    private func dispatch(_ state: inout State, _ session: RedisSession, _ epoch: Int, _ errands: AsyncStream<Errand>.Continuation) throws {
        let due = state.queue.take(nowMs: Notifier.nowMs)
        var handed = 0
        do {
            let kept = try deliveries.kept(due, session)
            for (delivery, content) in zip(due, kept) {
                try dispatch(delivery, content, &state, session, epoch, errands)
                handed += 1
            }
        } catch {
            // The stage begins again and reads them again.
            for delivery in due[handed...] { state.queue.end(delivery) }
            throw error
        }
    }

    private func dispatch(
        _ delivery: Delivery, _ kept: DeliveryLog.Kept?, _ state: inout State, _ session: RedisSession, _ epoch: Int,
        _ errands: AsyncStream<Errand>.Continuation
    ) throws {
        guard let kept else { return state.queue.end(delivery) }
        guard let webhook = state.fold.webhooks[delivery.webhook], !webhook.endpoint.isDisabled else {
            try skip(delivery, kept, state.fold.webhooks[delivery.webhook], session, epoch)
            return state.queue.end(delivery)
        }
        let nowMs = Notifier.nowMs
        let secrets = key.map { key in webhook.versions(nowMs: nowMs).map { key.secret(of: delivery.webhook, version: $0) } } ?? []
        let errand = Errand(
            delivery: delivery, revision: webhook.revision, url: webhook.endpoint.url, secrets: secrets, type: kept.type, body: kept.body,
            attempt: kept.attempts + 1)
        guard secrets.isEmpty else {
            errands.yield(errand)
            return
        }
        let answer = WebhookAnswer.failure("there is no key to sign with; set webhook-key-file")
        try conclude(Outcome(errand: errand, answer: answer, durationMs: 0), &state, session, epoch)
    }

    /// A webhook that is disabled or gone since the notification was made.
    private func skip(_ delivery: Delivery, _ content: DeliveryLog.Kept, _ webhook: WebhookFold.Webhook?, _ session: RedisSession, _ epoch: Int) throws {
        let reason = webhook == nil ? "the webhook was deleted" : "the webhook is disabled"
        let record = WebhookAttempt(
            webhook: delivery.webhook, revision: webhook?.revision, notification: delivery.notification, type: content.type, attempt: 0, result: .skipped,
            error: reason)
        _ = try deliveries.record(record, of: delivery, before: content.attempts, session, epoch)
        numbers.attempted(.skipped, times: 1)
    }

    /// Records what came of a request.
    private func conclude(_ outcome: Outcome, _ state: inout State, _ session: RedisSession, _ epoch: Int) throws {
        let errand = outcome.errand
        let nowMs = Notifier.nowMs
        let result = outcome.answer.ruling(schedule, attempt: errand.attempt, of: errand.delivery.notification, nowMs: nowMs)
        if result == .disabled { try disable(errand, state.fold, session) }
        let record = WebhookAttempt(
            webhook: errand.delivery.webhook, revision: errand.revision, notification: errand.delivery.notification, type: errand.type, attempt: errand.attempt,
            result: result, status: outcome.answer.status, error: outcome.answer.error, durationMs: outcome.durationMs)
        let isRecorded = try deliveries.record(record, of: errand.delivery, before: errand.attempt - 1, session, epoch)
        state.queue.end(errand.delivery)
        numbers.attempted(result, times: 1)
        let next = isRecorded ? result.nextMs : try deliveries.due(errand.delivery, session)
        if let next { state.queue.add(errand.delivery, dueMs: next) }
        if outcome.answer.isThrottling, case .status(_, let asked) = outcome.answer {
            state.queue.pause(errand.delivery.webhook, untilMs: nowMs + min(asked ?? 1_000, Limits.webhookPauseMsMax))
        }
        switch result {
        case .succeeded, .failed, .skipped: break
        case .givenUp, .disabled:
            log.warning(
                "a delivery has failed for good",
                metadata: ["webhook": "\(record.webhook)", "notification": "\(record.notification)", "reason": "\(record.error)"])
        }
    }

    /// Disables a webhook that answered 410; not when somebody has changed it since the request was made.
    private func disable(_ errand: Errand, _ fold: WebhookFold, _ session: RedisSession) throws {
        guard let webhook = fold.webhooks[errand.delivery.webhook], webhook.revision == errand.revision, let root = try? JSONDocument(webhook.document).root,
            let patch = try? JSONDocument(Array(#"{"disabled":true}"#.utf8)).root
        else { return }
        let event = ControlEvent(
            .webhook, .updated, key: errand.delivery.webhook, document: JSONMergePatch.apply(patch, to: root), via: loop.name,
            comment: "it answered 410 to \(WebhookAttempt.messageID(errand.delivery.notification, webhook: errand.delivery.webhook))")
        _ = try ControlLog(keys: keys).append([ControlChange(event, expected: .at(errand.revision))], session)
        log.warning("disabled a webhook that answered 410", metadata: ["webhook": "\(errand.delivery.webhook)"])
    }
}
