internal import Core
internal import Log

/// What the stage `webhooks` counts.
struct NotifierMetrics: Sendable {
    private let attempts: [String: Counter]
    private let waiting: Gauge
    private let underway: Gauge
    private let overdue: Gauge

    init(_ metrics: Metrics) {
        attempts = Dictionary(
            uniqueKeysWithValues: WebhookAttempt.Result.words.map {
                ($0, metrics.counter("meshlog_webhook_attempts_total", help: "Attempts to deliver to webhooks by result", ["result": $0]))
            })
        waiting = metrics.gauge("meshlog_webhook_deliveries_waiting", help: "Deliveries to webhooks that wait, due or not")
        underway = metrics.gauge("meshlog_webhook_requests", help: "Requests to webhooks on their way")
        overdue = metrics.gauge("meshlog_webhook_overdue_milliseconds", help: "How long the delivery that waits longest has been due")
    }

    func attempted(_ result: WebhookAttempt.Result, times: Int) { attempts[result.word]?.add(times) }

    func show(_ queue: DeliveryQueue, nowMs: Int64) {
        waiting.set(queue.waiting)
        underway.set(queue.underway)
        overdue.set(Int(max(0, nowMs - (queue.oldestMs ?? nowMs))))
    }
}
