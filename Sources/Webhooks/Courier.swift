internal import AsyncHTTPClient
package import Core
internal import Foundation
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
    private let names: NameResolver

    /// - Parameter look: finds a name's address.
    package init(addresses: AddressGuard, timeoutMs: Int64 = Limits.webhookTimeoutMs, look: @escaping NameResolver.Look = Courier.systemAddress) {
        names = NameResolver(look: look)
        self.addresses = addresses
        self.timeoutMs = timeoutMs
    }

    /// The look-up's share of an attempt's time: enough for a second name server to answer where the first is silent for the usual 5 s.
    private var lookupMs: Int64 { timeoutMs / 2 }

    /// Posts one body.
    ///
    /// - Cost: a connection of its own; webhooks are few, and their receivers many.
    func post(_ url: WebhookURL, headers: [(String, String)], body: [UInt8]) async -> WebhookAnswer {
        let deadline = NIODeadline.now() + .milliseconds(timeoutMs)
        let address: NetworkAddress
        do throws(NameResolver.Fault) {
            if let literal = NetworkAddress(url.host) {
                address = literal
            } else {
                address = try await names.address(of: url.host, port: url.port, timeoutMs: lookupMs)
            }
        } catch {
            switch error {
            case .unknown: return .failure("the name '\(url.host)' cannot be resolved")
            case .late: return .failure("looking the name '\(url.host)' up took more than \(lookupMs) ms")
            case .busy(let count): return .failure("the name '\(url.host)' was not looked up: \(count) look-ups hang, since name servers do not answer")
            }
        }
        if let fault = fault(url, address) { return .failure(fault) }
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .milliseconds(timeoutMs), read: .milliseconds(timeoutMs)))
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
