/// Runs rounds of work for a time and says how many things a second that makes.
enum Stopwatch {
    /// - Parameters:
    ///   - seconds: for how long at least; there is one round at any rate.
    ///   - round: returns how many things it did.
    static func rate(seconds: Double, _ round: () throws -> Int) rethrows -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var done = 0
        repeat { done += try round() } while clock.now - start < .seconds(seconds)
        return Double(done) / ((clock.now - start) / .seconds(1))
    }
}
