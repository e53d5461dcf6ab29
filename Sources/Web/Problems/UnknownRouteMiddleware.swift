import HTTPTypes
package import Hummingbird

/// Answers what no route has answered: 405 with `Allow` where the path exists for other methods only, else 404.
///
/// Add it to the router after all routes. Hummingbird applies middleware to the routes that come after it and, whenever it was
/// added, to the requests that match no route; so added last it sees only those.
package struct UnknownRouteMiddleware<Context: RequestContext>: RouterMiddleware {
    private let routes: [(segments: [Substring], method: HTTPRequest.Method)]

    /// Knows the routes that `router` has by now.
    package init(after router: Router<Context>) {
        routes = router.routes.map { (segments: Self.segments("\($0.path)"), method: $0.method) }
    }

    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        let segments = Self.segments(path)
        let matching = routes.filter { Self.matches($0.segments, segments) }
        guard let taken = matching.map(\.segments).max(by: Self.isLessSpecific) else { throw Self.notFound(path) }
        var methods = Set(matching.lazy.filter { $0.segments == taken }.map(\.method.rawValue))
        // The router was told to answer HEAD where it answers GET.
        if methods.contains("GET") { methods.insert("HEAD") }
        // The router took a turn that the matching here does not know, as for `/messages/subject/`.
        if methods.contains(request.method.rawValue) { throw Self.notFound(path) }
        let allowed = methods.sorted()
        throw ProblemDocument(
            "method-not-allowed", status: 405, title: "The path exists, but not for this method",
            detail: "\(path) takes \(allowed.joined(separator: ", ")).", members: [("allow", .strings(allowed))],
            headers: [.allow: allowed.joined(separator: ", ")])
    }

    private static func notFound(_ path: String) -> ProblemDocument {
        ProblemDocument("not-found", status: 404, title: "There is nothing here", detail: "No route has the path \(path).")
    }

    private static func segments(_ path: String) -> [Substring] { path.split(separator: "/") }

    /// Whether a route's path, with `{name}`, `:name`, `*` and `**`, matches.
    private static func matches(_ route: [Substring], _ path: [Substring]) -> Bool {
        for (index, segment) in route.enumerated() {
            if segment == "**" { return true }
            guard index < path.count, segment == path[index] || isVariable(segment) else { return false }
        }
        return route.count == path.count
    }

    /// Which of two routes the router prefers: at the first difference, the one that names the segment. So `/items/latest` hides `/items/{id}`,
    /// for all methods.
    private static func isLessSpecific(_ one: [Substring], _ other: [Substring]) -> Bool {
        guard let (left, right) = zip(one, other).first(where: { $0 != $1 }) else { return false }
        return isVariable(left) && !isVariable(right)
    }

    private static func isVariable(_ segment: Substring) -> Bool {
        segment.hasPrefix(":") || segment.contains("{") || segment.contains("*")
    }
}
