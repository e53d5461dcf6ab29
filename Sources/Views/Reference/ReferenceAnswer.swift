internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Web

/// How the reference system answers.
enum ReferenceAnswer {
    /// The two forms in which its services say that something went wrong.
    enum Form {
        /// `{"error": …}`
        case plain
        /// `{"success": false, "error": …}`
        case success
    }

    /// Says in the reference's form what the native routes say as a problem document; what breaks a document's rules is 400 there.
    static func answering(_ form: Form, _ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let problem as ProblemDocument {
            return error(problem.statusCode == 422 ? 400 : problem.statusCode, problem.detail ?? problem.title, form, problem.headers)
        }
    }

    static func error(_ status: Int, _ text: String, _ form: Form, _ headers: HTTPFields = [:]) -> Response {
        var object = JSONObject()
        if form == .success { object.add("success", false) }
        object.add("error", text)
        return ViewAnswer.json(object.finish(), status: .init(code: status), position: nil, headers: headers)
    }

    /// `{"success": true, "data": …}`
    static func success(_ data: [UInt8], status: HTTPResponse.Status = .ok, position: Position) -> Response {
        var object = JSONObject()
        object.add("success", true)
        object.add("data", raw: data)
        return ViewAnswer.json(object.finish(), status: status, position: position)
    }

    /// `{"message": …}` with what is named besides.
    static func message(_ text: String, _ names: [(StaticString, String)] = []) -> [UInt8] {
        var object = JSONObject()
        object.add("message", text)
        for (name, value) in names { object.add(name, value) }
        return object.finish()
    }
}
