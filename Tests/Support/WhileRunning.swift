/// Runs `service`, which serves until it is cancelled, until `body` ends, and waits for its end on both paths.
package func whileRunning<Value>(
    _ service: @escaping @Sendable () async -> Void, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
) async throws -> Value {
    let task = Task { await service() }
    let result: Result<Value, any Error>
    do {
        result = .success(try await body())
    } catch {
        result = .failure(error)
    }
    task.cancel()
    await task.value
    return try result.get()
}
