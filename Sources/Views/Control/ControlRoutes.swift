internal import Control
internal import Core
internal import Hummingbird
internal import Web

/// Backbones, topic groups, constraints, templates and webhooks: documents that are named by one key.
struct ControlRoutes: Sendable {
    let desk: ControlDesk
    private let ids = UUIDSource()

    init(desk: ControlDesk) { self.desk = desk }

    func add(to router: Router<some RequestContext>) {
        for kind in ControlKind.allCases {
            guard let member = kind.keyMember else { continue }
            let documents = ControlDocuments(kind: kind, desk: desk)
            let all = RouterPath("/v1/\(kind.word)")
            let one = RouterPath("/v1/\(kind.word)/{key}")
            router.get(all) { request, _ in try await documents.list(request) }
            router.post(all) { [ids] request, _ in try await documents.create(request, member, ids: ids) }
            router.get(RouterPath("/v1/\(kind.word)/diff")) { request, _ in try await documents.differences(request) }
            router.get(one) { request, context in try await documents.one(request, try ControlRoutes.key(context.parameters)) }
            router.put(one) { request, context in try await documents.put(request, try ControlRoutes.key(context.parameters)) }
            router.patch(one) { request, context in try await documents.patch(request, try ControlRoutes.key(context.parameters)) }
            router.delete(one) { request, context in try await documents.delete(request, try ControlRoutes.key(context.parameters)) }
            router.get(RouterPath("/v1/\(kind.word)/{key}/history")) { request, context in
                try await documents.history(request, try ControlRoutes.key(context.parameters))
            }
            router.get(RouterPath("/v1/\(kind.word)/{key}/diff")) { request, context in
                try await documents.difference(request, try ControlRoutes.key(context.parameters))
            }
        }
    }

    static func key(_ parameters: Parameters) throws(ProblemDocument) -> String {
        let text = PercentText.decode(parameters.get("key") ?? "", plusIsSpace: false)
        if let text, DocumentRules.keyFault(text) == nil { return text }
        let detail = text.flatMap { DocumentRules.keyFault($0) } ?? "it is not percent-encoded UTF-8"
        throw ParameterFault.problem([ParameterFault(parameter: "key", detail: detail)])
    }
}
