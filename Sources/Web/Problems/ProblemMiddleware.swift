import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Turns whatever a route throws into a problem document. The first middleware of the router.
package struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    package init() {}

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            // Hummingbird answers 400 itself and must close the connection.
            throw error
        } catch {
            return Self.problem(for: error, request: request, context: context).response
        }
    }

    private static func problem(for error: any Error, request: Request, context: Context) -> ProblemDocument {
        switch error {
        case let problem as ProblemDocument:
            return problem
        case let source as any ProblemSource:
            return source.problem
        case is NIOTooManyBytesError:
            return ProblemDocument("too-large", status: 413, title: "The body is too large")
        case let error as HTTPError:
            let headers = error.headers
            return ProblemDocument(
                slug(error.status), status: error.status.code, title: error.status.reasonPhrase, detail: error.body, headers: headers)
        case let error as any HTTPResponseError where error.status.code < 500:
            return ProblemDocument(slug(error.status), status: error.status.code, title: error.status.reasonPhrase)
        default:
            context.logger.error(
                "unexpected error", metadata: ["path": "\(request.uri.path)", "error": "\(Swift.type(of: error)): \(error)"])
            return ProblemDocument("internal", status: 500, title: "Something went wrong here", detail: "The server's log has the cause.")
        }
    }

    /// `Not Found` becomes `not-found`.
    private static func slug(_ status: HTTPResponse.Status) -> String {
        status.reasonPhrase.lowercased().split(separator: " ").joined(separator: "-")
    }
}
