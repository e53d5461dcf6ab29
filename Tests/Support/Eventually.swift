/// Waits until `condition` holds, at most `within`; whether it held.
///
/// For tests that wait for the outside: `#expect(await eventually { try await count() == 3 })`. An error counts as "not yet".
package func eventually(
    within: Duration = .seconds(30), isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async -> Bool {
    let deadline = ContinuousClock.now + within
    var pause = Duration.milliseconds(2)
    while true {
        if (try? await condition()) == true { return true }
        if ContinuousClock.now >= deadline || Task.isCancelled { return false }
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(50))
    }
}
