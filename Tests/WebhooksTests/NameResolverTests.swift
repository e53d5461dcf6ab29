import Core
import Foundation
import Synchronization
import TestSupport
import Testing
import Webhooks

/// Knows names that begin with "known"; about all others it is silent until it is told to answer.
final class SilentNameServer: Sendable {
    private let condition = NSCondition()
    private let state = Mutex((asked: [String](), isSilent: true))

    var asked: [String] { state.withLock { $0.asked } }

    var look: NameResolver.Look {
        { [self] host, _ in
            state.withLock { $0.asked.append(host) }
            if !host.hasPrefix("known") {
                condition.lock()
                defer { condition.unlock() }
                while state.withLock({ $0.isSilent }) { condition.wait() }
            }
            return NetworkAddress("127.0.0.1")
        }
    }

    func answer() {
        condition.lock()
        defer { condition.unlock() }
        state.withLock { $0.isSilent = false }
        condition.broadcast()
    }
}

@Suite("Looking names up")
struct NameResolverTests {
    private func address(_ resolver: NameResolver, _ host: String, timeoutMs: Int64 = 60_000) async -> Result<NetworkAddress, NameResolver.Fault> {
        do throws(NameResolver.Fault) {
            return .success(try await resolver.address(of: host, port: 443, timeoutMs: timeoutMs))
        } catch {
            return .failure(error)
        }
    }

    @Test(
        "Who waits is let go in time; requests for one name share one look-up; when all hang, others fail at once until one has ended", .timeLimit(.minutes(5)))
    func bounds() async throws {
        let server = SilentNameServer()
        defer { server.answer() }
        let resolver = NameResolver(lookupsMax: 2, look: server.look)
        let here = try #require(NetworkAddress("127.0.0.1"))
        for _ in 0..<3 { #expect(await address(resolver, "one", timeoutMs: 1) == .failure(.late)) }
        #expect(await address(resolver, "known") == .success(here))
        #expect(await address(resolver, "two", timeoutMs: 1) == .failure(.late))
        #expect(await address(resolver, "known") == .failure(.busy(2)))
        #expect(await address(resolver, "two", timeoutMs: 1) == .failure(.late), "it waits for the look-up that there is")
        #expect(await eventually { server.asked == ["one", "known", "two"] })
        server.answer()
        #expect(await address(resolver, "one") == .success(here))
        #expect(await eventually { await address(resolver, "known") != .failure(.busy(2)) })
        #expect(server.asked.filter { $0 == "two" }.count == 1)
    }

    @Test("Who is cancelled waits no longer; a name that nobody knows is told apart", .timeLimit(.minutes(5))) func cancelled() async {
        let server = SilentNameServer()
        defer { server.answer() }
        let resolver = NameResolver(look: server.look)
        let task = Task { await address(resolver, "one") }
        #expect(await eventually { !server.asked.isEmpty })
        task.cancel()
        #expect(await task.value == .failure(.late))
        #expect(await address(NameResolver { _, _ in nil }, "nobody") == .failure(.unknown))
    }
}
