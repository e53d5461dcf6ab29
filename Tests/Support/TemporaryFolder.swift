internal import Foundation

/// Runs `body` with an empty folder of its own, passable by every account, and removes it on both paths.
package func withTemporaryFolder<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Value
) async throws -> Value {
    let folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("meshlog-\(UUID().uuidString.prefix(13))").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
