internal import AsyncHTTPClient
internal import Client
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// A running Meshlog, as its clients see it.
struct MeshlogServer: Sendable {
    let url: String
    private let client: HTTPClient

    /// A whole answer.
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    /// Lends a server for the time of `body`.
    static func use<R: Sendable>(_ url: String, _ body: (MeshlogServer) async throws -> R) async throws -> R {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        // The feed has a sign of life every 15 s: a silent connection is a dead one.
        configuration.timeout.read = .seconds(60)
        // A refused connection is told at once; whoever wants to repeat decides that himself.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let result = try await body(MeshlogServer(url: url, client: client))
            try await client.shutdown()
            return result
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// - Throws: `ServerError`.
    func get(_ path: String, _ query: [(String, String)] = []) async throws -> Answer {
        try await collect(HTTPClientRequest(url: address(path, query)), timeout: .seconds(30))
    }

    /// A page as JSON.
    ///
    /// - Throws: `ServerError`; `CommandFailure` for every answer but success.
    func json(_ path: String, _ query: [(String, String)] = []) async throws -> JSONSlice {
        let answer = try await get(path, query)
        guard answer.status == 200 else { throw CommandFailure(status: answer.status, body: answer.body, asked: "GET \(path)") }
        guard let json = JSONSlice(answer.body) else {
            throw CommandFailure(.failed, "GET \(path) was answered with something that is no JSON; is \(url) a Meshlog?")
        }
        return json
    }

    /// - Throws: `ServerError`.
    func post(_ path: String, _ body: [UInt8], type: String, timeout: TimeAmount) async throws -> Answer {
        var request = HTTPClientRequest(url: address(path, []))
        request.method = .POST
        request.headers.add(name: "content-type", value: type)
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await collect(request, timeout: timeout)
    }

    /// Sends a change.
    ///
    /// - Throws: `ServerError`; `CommandFailure` for every answer but success.
    func change(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)] = [], body: [UInt8]? = nil, headers: [(String, String)] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: address(path, query))
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let answer = try await collect(request, timeout: .seconds(30))
        guard (200..<300).contains(answer.status) else { throw CommandFailure(status: answer.status, body: answer.body, asked: "\(method) \(path)") }
        return answer
    }

    /// Begins to read an answer without an end.
    ///
    /// - Throws: `ServerError`.
    func stream(_ path: String, _ query: [(String, String)], headers: [(String, String)]) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: address(path, query))
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        do { return try await client.execute(request, deadline: .distantFuture) } catch { throw told(error) }
    }

    /// What an error of the transport means.
    func told(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is CommandFailure: error
        case let error as HTTPClientError where error == .invalidURL || error == .emptyHost || error == .emptyScheme:
            CommandFailure(.usage, "'\(url)' is no address; write it like \(ClientFlags.usualURL)")
        case let error as HTTPClientError where error == .connectTimeout: ServerError.unreachable(url: url, reason: "no answer in 5 s")
        case let error as HTTPClientError: ServerError.interrupted(url: url, reason: error.shortDescription.lowercased())
        default: ServerError(error, url: url)
        }
    }

    private func collect(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> Answer {
        do {
            let response = try await client.execute(request, timeout: timeout)
            let body = try await response.body.collect(upTo: ClientLimits.answerBytesMax)
            return Answer(status: Int(response.status.code), headers: response.headers, body: Array(buffer: body))
        } catch {
            throw told(error)
        }
    }

    private func address(_ path: String, _ query: [(String, String)]) -> String {
        var out = url + path
        for (index, (name, value)) in query.enumerated() {
            out += (index == 0 ? "?" : "&") + MeshlogServer.escaped(name) + "=" + MeshlogServer.escaped(value)
        }
        return out
    }

    /// - Source: RFC 3986, 2.3: everything but the unreserved characters.
    static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = Array("0123456789ABCDEF")
                out += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 0xF)])"
            }
        }
        return out
    }
}
