internal import AsyncHTTPClient
package import Core
internal import Foundation
internal import Log
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Posts webhooks: looks a name up once, checks the address, and connects to that very address. A name that is given another address in between
/// gains nothing by it.
///
/// Redirects are not followed, proxies of the environment are not used, the answer's body is not read.
package final class Courier: Sendable {
    private let addresses: AddressGuard
    private let timeoutMs: Int64
    private let look: @Sendable (_ host: String, _ port: Int) throws -> NetworkAddress?
    private let resolvers: NIOThreadPool

    /// Look-ups block; one name server that is slow takes no more of these than its webhook may have requests.
    private static let resolversCount = 16

    /// - Parameter look: finds a name's address; called on a thread of its own, once for each request.
    package init(
        addresses: AddressGuard, timeoutMs: Int64 = Limits.webhookTimeoutMs,
        look: @escaping @Sendable (_ host: String, _ port: Int) throws -> NetworkAddress? = Courier.systemAddress
    ) {
        self.look = look
        self.addresses = addresses
        self.timeoutMs = timeoutMs
        resolvers = NIOThreadPool(numberOfThreads: Courier.resolversCount)
    }

    /// Lends the threads for look-ups.
    func withResolvers(_ body: () async -> Void) async {
        resolvers.start()
        await body()
        try? await resolvers.shutdownGracefully()
    }

    /// Posts one body.
    ///
    /// - Cost: a connection of its own; webhooks are few, and their receivers many.
    func post(_ url: WebhookURL, headers: [(String, String)], body: [UInt8]) async -> WebhookAnswer {
        let deadline = NIODeadline.now() + .milliseconds(timeoutMs)
        let address: NetworkAddress
        do {
            address = try await resolve(url)
        } catch {
            return .failure("the name '\(url.host)' cannot be resolved")
        }
        if let fault = fault(url, address) { return .failure(fault) }
        guard NIODeadline.now() < deadline else { return .failure("no answer within \(timeoutMs) ms: looking the name '\(url.host)' up took all of it") }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: .milliseconds(timeoutMs), read: .milliseconds(timeoutMs)))
        configuration.dnsOverride = [url.host: address.description]
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let answer = await send(client, url, headers, body, deadline)
        try? await client.shutdown()
        return answer
    }

    private func send(_ client: HTTPClient, _ url: WebhookURL, _ headers: [(String, String)], _ body: [UInt8], _ deadline: NIODeadline) async -> WebhookAnswer {
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, deadline: deadline)
            return .status(Int(response.status.code), retryAfterMs: response.headers.first(name: "retry-after").flatMap { Courier.retryAfterMs($0) })
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout || error == .connectTimeout {
            return .failure("no answer within \(timeoutMs) ms")
        } catch let error as HTTPClientError {
            return .failure(error.shortDescription)
        } catch is NIOConnectionError {
            return .failure("no connection to \(url.host):\(url.port)")
        } catch {
            return .failure("the request failed: \(error)")
        }
    }

    /// Why nothing is sent there; nil when it may be.
    private func fault(_ url: WebhookURL, _ address: NetworkAddress) -> String? {
        if let fault = addresses.fault(address) {
            return "'\(url.host)' is at \(address), which is refused (\(fault)); the setting webhook-allow opens networks"
        }
        if addresses.isOpened(address) { return nil }
        if !url.isSecure { return "http is used only in networks that the setting webhook-allow opens; give the webhook an https URL" }
        return url.portFault
    }

    private func resolve(_ url: WebhookURL) async throws -> NetworkAddress {
        if let literal = NetworkAddress(url.host) { return literal }
        guard let address = try await resolvers.runIfActive({ [look] in try look(url.host, url.port) }) else { throw LogError.unavailable("no address") }
        return address
    }

    /// What the system's resolver says first.
    @Sendable package static func systemAddress(_ host: String, _ port: Int) throws -> NetworkAddress? {
        try SocketAddress.makeAddressResolvingHost(host, port: port).ipAddress.flatMap { NetworkAddress($0) }
    }

    /// Seconds, or a date.
    ///
    /// - Source: RFC 9110, 10.2.3.
    static func retryAfterMs(_ text: String, now: Date = Date()) -> Int64? {
        if let seconds = Int64(text) { return seconds >= 0 ? min(seconds, Limits.webhookRetryAfterMsMax / 1000) * 1000 : nil }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.date(from: text).map { Int64(max(0, min($0.timeIntervalSince(now) * 1000, Double(Limits.webhookRetryAfterMsMax)))) }
    }
}
