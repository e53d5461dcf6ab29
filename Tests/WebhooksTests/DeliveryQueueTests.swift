import Core
import Foundation
import Testing

@testable import Webhooks

@Suite("Queue of deliveries")
struct DeliveryQueueTests {
    private func delivery(_ number: Int, _ webhook: String) -> Delivery { Delivery(notification: Position(ms: UInt64(number), seq: 0), webhook: webhook) }

    @Test("Each webhook has its turn, in order of time, with no more under way than it may have") func turns() {
        var queue = DeliveryQueue()
        for number in (0..<100).reversed() { queue.add(delivery(number, "a"), dueMs: Int64(number)) }
        queue.add(delivery(500, "b"), dueMs: 50)
        let first = queue.take(nowMs: 60)
        #expect(Set(first) == Set((0..<Limits.webhookRequestsEachMax).map { delivery($0, "a") } + [delivery(500, "b")]))
        #expect(queue.take(nowMs: 60) == [])
        queue.end(delivery(1, "a"))
        #expect(queue.take(nowMs: 60) == [delivery(Limits.webhookRequestsEachMax, "a")])
        #expect(queue.waiting == 100 - Limits.webhookRequestsEachMax - 1)
    }

    @Test("Nothing is sent before its time, nor during a pause") func times() {
        var queue = DeliveryQueue()
        queue.add(delivery(1, "a"), dueMs: 100)
        #expect(queue.take(nowMs: 99) == [] && queue.nextMs == 100)
        queue.pause("a", untilMs: 200)
        #expect(queue.take(nowMs: 199) == [] && queue.nextMs == 200 && queue.oldestMs == 100)
        #expect(queue.take(nowMs: 200) == [delivery(1, "a")] && queue.nextMs == nil)
    }

    @Test("All together have no more under way than there may be") func room() {
        var queue = DeliveryQueue()
        for webhook in 0..<40 { for number in 0..<5 { queue.add(delivery(number, "w\(webhook)"), dueMs: 0) } }
        let taken = queue.take(nowMs: 0)
        #expect(taken.count == Limits.webhookRequestsMax && Set(taken.map(\.webhook)).count == 40)
    }

    @Test("What is under way is not taken in again when everything is read again") func again() {
        var queue = DeliveryQueue()
        queue.add(delivery(1, "a"), dueMs: 0)
        queue.add(delivery(2, "a"), dueMs: 9)
        #expect(queue.take(nowMs: 0) == [delivery(1, "a")])
        queue.forgetWaiting()
        queue.add(delivery(1, "a"), dueMs: 0)
        queue.add(delivery(2, "a"), dueMs: 9)
        #expect(queue.waiting == 1 && queue.underway == 1 && queue.take(nowMs: 5) == [])
        queue.end(delivery(1, "a"))
        queue.end(delivery(1, "a"))
        #expect(queue.underway == 0)
        #expect(queue.take(nowMs: 9) == [delivery(2, "a")])
    }

    @Test("Retry-After is read as seconds or as a date") func retryAfter() {
        let now = Courier.retryAfterMs("Wed, 21 Oct 2015 07:28:00 GMT", now: .init(timeIntervalSince1970: 1_445_412_450))
        #expect(now == 30_000)
        #expect(
            Courier.retryAfterMs("120") == 120_000 && Courier.retryAfterMs("0") == 0 && Courier.retryAfterMs("99999999999") == Limits.webhookRetryAfterMsMax)
        #expect(Courier.retryAfterMs("-1") == nil && Courier.retryAfterMs("soon") == nil && Courier.retryAfterMs("") == nil)
    }
}
