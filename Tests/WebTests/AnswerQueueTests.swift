import Testing

@testable import Web

@Suite("Answer queue")
struct AnswerQueueTests {
    @Test("Answers that come in any order are handed on in the order of their requests", arguments: [UInt64.random(in: 0 ... .max)])
    func order(_ seed: UInt64) {
        var random = Seeded(seed)
        var queue = AnswerQueue<Int>(capacity: 16)
        var open: [Int] = []
        var out: [Int] = []
        for _ in 0..<5_000 {
            if !queue.isFull, open.isEmpty || Bool.random(using: &random) {
                open.append(queue.open())
            } else {
                let sequence = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                queue.complete(sequence, with: sequence) { out.append($0) }
            }
        }
        for sequence in open.shuffled(using: &random) { queue.complete(sequence, with: sequence) { out.append($0) } }
        #expect(out == Array(0..<queue.next))
        #expect(queue.count == 0)
    }
}
