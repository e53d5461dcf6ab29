/// Brings answers, which complete in any order, back into the order of their requests.
///
/// Sequences count up from 0. Answers that complete in order are never stored.
struct AnswerQueue<Element> {
    /// The oldest sequence without an answer.
    private(set) var first = 0
    /// The sequence of the next request.
    private(set) var next = 0
    /// Answers that came early, at `sequence % capacity`; allocated when the first one does.
    private var early: [Element?] = []
    private var earlyCount = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// Requests without an answer that has been handed on.
    var count: Int { next - first }
    var isFull: Bool { count >= capacity }

    /// Opens the place of the next request. The queue must not be full.
    mutating func open() -> Int {
        precondition(!isFull, "the lane reads no request beyond its bound")
        defer { next += 1 }
        return next
    }

    /// Takes the answer of `sequence` and hands on all that is now in order.
    mutating func complete(_ sequence: Int, with element: Element, _ handOn: (Element) -> Void) {
        precondition(sequence >= first && sequence < next, "an answer is completed once")
        guard sequence == first else {
            if early.isEmpty { early = Array(repeating: nil, count: capacity) }
            precondition(early[sequence % capacity] == nil, "an answer is completed once")
            early[sequence % capacity] = element
            earlyCount += 1
            return
        }
        handOn(element)
        passed(handOn)
    }

    /// Is this the answer that is waited for?
    func isDue(_ sequence: Int) -> Bool { sequence == first && first < next }

    /// Counts the answer that is due as handed on by the caller, and hands on all that is now in order.
    mutating func passed(_ handOn: (Element) -> Void) {
        first += 1
        while earlyCount > 0, let element = early[first % capacity] {
            early[first % capacity] = nil
            earlyCount -= 1
            handOn(element)
            first += 1
        }
    }
}
