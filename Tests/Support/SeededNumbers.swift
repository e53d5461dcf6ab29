internal import Foundation

/// SplitMix64: the same numbers for the same seed, so that a failing case can be repeated.
package struct SeededNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// True once in `chances`.
    package mutating func once(in chances: Int) -> Bool { below(chances) == 0 }

    package mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

    package mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// How much a fuzz test does, and from which seed.
///
/// `MESHLOG_FUZZ_CASES` sets the number of cases (nightly: 1000000), `MESHLOG_FUZZ_SEED` repeats a run.
package struct FuzzRun: Sendable {
    package let seed: UInt64
    package let cases: Int

    /// - Parameters:
    ///   - short: cases when nothing is set.
    ///   - share: this test's part of `MESHLOG_FUZZ_CASES`, where a case costs more than a function call.
    package init(_ name: String, short: Int, share: Double = 1) {
        let environment = ProcessInfo.processInfo.environment
        seed = environment["MESHLOG_FUZZ_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1 << 48)
        cases = environment["MESHLOG_FUZZ_CASES"].flatMap(Int.init).map { max(1, Int(Double($0) * share)) } ?? short
        print("fuzz \(name): \(cases) cases, MESHLOG_FUZZ_SEED=\(seed)")
    }
}
