package import Core
internal import Logging
internal import NIOConcurrencyHelpers

/// Appends notifications for the doors, whose answers do not wait for it.
///
/// - Bounds: `Limits.noticesWaitingMax` on their way; beyond, and while the log is away, a notification is dropped, counted and told in the log.
package final class NotificationWriter: AppendSink {
    private struct State {
        var waiting = 0
        var isDropping = false
    }
    private let state = NIOLockedValueBox(State())
    private let appender: Appender
    private let appended: Counter
    private let dropped: Counter
    private let log = Logger(label: "meshlog.notifications")

    package init(appender: Appender, metrics: Metrics) {
        self.appender = appender
        let help = "Notifications of the doors by what became of them"
        appended = metrics.counter("meshlog_notifications_total", help: help, ["result": "appended"])
        dropped = metrics.counter("meshlog_notifications_total", help: help, ["result": "dropped"])
    }

    /// Queues a notification and returns.
    package func append(_ notification: NotificationEntry) {
        let isFull = state.withLockedValue { state in
            if state.waiting >= Limits.noticesWaitingMax { return true }
            state.waiting += 1
            return false
        }
        if isFull { return drop(1, "\(Limits.noticesWaitingMax) are on their way already") }
        var batch = appender.batch()
        batch.add(notification)
        do throws(LogError) {
            try appender.submit(batch, to: self, ticket: self)
        } catch {
            state.withLockedValue { $0.waiting -= 1 }
            drop(1, error.description)
        }
    }

    package func appended(_ completions: [AppendCompletion]) {
        var failed = 0
        var reason = ""
        for completion in completions {
            if case .failed(let error) = completion.outcome {
                failed += 1
                reason = error.description
            }
        }
        state.withLockedValue { state in
            state.waiting -= completions.count
            if failed < completions.count { state.isDropping = false }
        }
        appended.add(completions.count - failed)
        if failed > 0 { drop(failed, reason) }
    }

    private func drop(_ count: Int, _ reason: String) {
        dropped.add(count)
        let isFirst = state.withLockedValue { state in
            defer { state.isDropping = true }
            return !state.isDropping
        }
        if isFirst { log.warning("notifications are dropped", metadata: ["reason": "\(reason)"]) }
    }
}
