/// Entries a second over the last few seconds.
struct Pace {
    private var marks: [(at: ContinuousClock.Instant, entries: Int)] = []
    private var entries = 0

    mutating func add(_ count: Int) {
        entries += count
        let now = ContinuousClock.now
        if let last = marks.last, now - last.at < .milliseconds(200) { return }
        marks.append((now, entries))
        if marks.count > 25 { marks.removeFirst() }
    }

    mutating func reset() {
        marks = []
        entries = 0
    }

    var perSecond: Double {
        guard let first = marks.first, let last = marks.last, last.at > first.at else { return 0 }
        return Double(last.entries - first.entries) / ((last.at - first.at) / .seconds(1))
    }
}
