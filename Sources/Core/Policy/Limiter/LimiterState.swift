/// What limits remember: the theoretical arrival time for each rule and key. A fold of the log: verdicts carry every state they leave
/// behind, so that the newest of each rule and key gives it back after a restart.
///
/// - Shape: at most `Limits.limiterKeysMax` keys of constraints in force, and as many of shadows. Beyond, an eighth is forgotten at once: first those that have their whole burst again,
///   which changes no answer, then those that are nearest to it. The choice depends on the state and the time only.
package struct LimiterState: Sendable, Equatable {
    package struct Key: Sendable, Hashable {
        package let rule: String
        package let key: String
        /// A shadow constraint counts for itself.
        package let isShadow: Bool

        package init(rule: String, key: String, isShadow: Bool = false) {
            self.rule = rule
            self.key = key
            self.isShadow = isShadow
        }

        /// A total order by bytes.
        static func precedes(_ left: Key, _ right: Key) -> Bool {
            if left.rule != right.rule { return left.rule.utf8.lexicographicallyPrecedes(right.rule.utf8) }
            if left.key != right.key { return left.key.utf8.lexicographicallyPrecedes(right.key.utf8) }
            return !left.isShadow && right.isShadow
        }
    }

    /// The keys of constraints that are enforced, and apart from them those of shadow constraints, which so cannot push one out.
    private var enforced: Table
    private var shadow: Table

    package init(keysMax: Int = Limits.limiterKeysMax) {
        enforced = Table(keysMax: max(8, keysMax))
        shadow = enforced
    }

    package var count: Int { enforced.arrivals.count + shadow.arrivals.count }

    package subscript(key: Key) -> GCRA.Arrival? { key.isShadow ? shadow.arrivals[key] : enforced.arrivals[key] }

    /// Asks the limit for one message, and remembers what it leaves behind.
    package mutating func take(_ limit: GCRA, _ key: Key, at now: Int64) -> GCRA.Answer {
        let answer = limit.answer(self[key], at: now)
        if answer.conforms, let arrival = answer.arrival { put(key, arrival, at: now) }
        return answer
    }

    /// Takes the place of a message that waits for its time.
    package mutating func reserve(_ limit: GCRA, _ key: Key, at now: Int64) -> GCRA.Arrival {
        let arrival = limit.reserve(self[key], at: now)
        put(key, arrival, at: now)
        return arrival
    }

    /// Puts back what a verdict left behind. In log order, from the first verdict on or from far enough back that every limit has its
    /// whole burst again, this gives the state that the verdicts were decided with.
    ///
    /// - Parameter now: time of the verdict's position.
    package mutating func restore(_ touches: [LimitTouch], at now: Int64) {
        for touch in touches { if touch.isTaken, let arrival = touch.arrival { put(touch.key, arrival, at: now) } }
    }

    /// The states that still count at `now`, as text: the same for equal states, sorted by rule and key.
    package func canonical(at now: Int64) -> [UInt8] {
        var out: [UInt8] = []
        let all = enforced.arrivals.merging(shadow.arrivals) { first, _ in first }
        for (key, arrival) in all.filter({ !$0.value.isIdle(at: now) }).sorted(by: { Key.precedes($0.key, $1.key) }) {
            JSONText.append(key.rule, to: &out)
            JSONText.append(key.key, to: &out)
            out.append(UInt8(ascii: key.isShadow ? "s" : "e"))
            for number in [arrival.microseconds, arrival.part, arrival.denominator] {
                out.append(UInt8(ascii: " "))
                DecimalDigits.append(number, to: &out)
            }
            out.append(0x0A)
        }
        return out
    }

    /// Everything, for a restart: a line for each key, `["rule","key",shadow,µs,part,denominator]`.
    package var snapshot: [UInt8] {
        var out: [UInt8] = []
        for (key, arrival) in [enforced, shadow].flatMap(\.arrivals) {
            out.append(UInt8(ascii: "["))
            JSONText.append(key.rule, to: &out)
            out.append(UInt8(ascii: ","))
            JSONText.append(key.key, to: &out)
            out.append(contentsOf: ",\(key.isShadow),\(arrival.microseconds),\(arrival.part),\(arrival.denominator)]\n".utf8)
        }
        return out
    }

    /// Reads a snapshot back; nil when it is something else.
    package init?(snapshot: some Collection<UInt8>, keysMax: Int = Limits.limiterKeysMax) {
        self.init(keysMax: keysMax)
        for line in snapshot.split(separator: 0x0A) {
            guard let items = (try? JSONDocument(Array(line)).root).map({ Array($0.items) }), items.count == 6, let rule = items[0].string,
                let key = items[1].string,
                let isShadow = items[2].bool, let microseconds = items[3].integer, let part = items[4].integer, let denominator = items[5].integer,
                let arrival = GCRA.Arrival(microseconds: microseconds, part: part, denominator: denominator)
            else { return nil }
            put(Key(rule: rule, key: key, isShadow: isShadow), arrival, at: .min)
        }
    }

    /// 64 bits of the canonical text (FNV-1a): tells apart by mistake, not by malice; where that matters, hash `canonical`.
    package func digest(at now: Int64) -> UInt64 {
        canonical(at: now).reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private mutating func put(_ key: Key, _ arrival: GCRA.Arrival, at now: Int64) {
        if key.isShadow { shadow.put(key, arrival, at: now) } else { enforced.put(key, arrival, at: now) }
    }

    private struct Table: Sendable, Equatable {
        private(set) var arrivals: [Key: GCRA.Arrival] = [:]
        let keysMax: Int

        init(keysMax: Int) { self.keysMax = keysMax }

        mutating func put(_ key: Key, _ arrival: GCRA.Arrival, at now: Int64) {
            arrivals[key] = arrival
            if arrivals.count > keysMax { forget(at: now) }
        }

        private mutating func forget(at now: Int64) {
            let target = keysMax - keysMax / 8
            arrivals = arrivals.filter { !$0.value.isIdle(at: now) }
            guard arrivals.count > target else { return }
            let sorted = arrivals.sorted { left, right in
                let (a, b) = (left.value, right.value)
                return a.microseconds != b.microseconds ? a.microseconds < b.microseconds : Key.precedes(left.key, right.key)
            }
            for (key, _) in sorted.prefix(arrivals.count - target) { arrivals[key] = nil }
        }
    }
}
