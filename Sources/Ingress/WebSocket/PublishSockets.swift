package import Log
package import Web

/// The WebSocket doors: `/v1/messages` (also with subprotocol `cloudevents.json`) and the reference's `/MESSAGES`.
///
/// `/v1/messages?wait=N`: each answer comes with the verdict, after N seconds at the latest. Another `wait` is left to the router, which
/// refuses it as a parameter of the plain GET.
package struct PublishSockets: WebSocketRoutes {
    private let admission: Admission
    private let appender: Appender
    private let verdicts: VerdictDesk

    package init(admission: Admission, appender: Appender, verdicts: VerdictDesk) {
        self.admission = admission
        self.appender = appender
        self.verdicts = verdicts
    }

    package func accept(_ request: WebSocketRequest) -> WebSocketAccept? {
        let form: PublishSocket.Form
        let subprotocol: String?
        var wait: WaitPreference?
        switch request.path {
        case "/v1/messages":
            let events = request.subprotocols.contains("cloudevents.json")
            form = events ? .cloudEvents : .native
            subprotocol = events ? "cloudevents.json" : nil
            if let asked = PublishSockets.wait(request.query) {
                guard let read = WaitPreference(seconds: asked) else { return nil }
                wait = read
            }
        case "/MESSAGES":
            form = .reference
            subprotocol = nil
        default: return nil
        }
        let trace = request.header("traceparent").flatMap { TraceContext.isWellFormed(Array($0.utf8).span) ? $0 : nil }
        let waiting = wait.map { PublishSocket.Waiting(desk: verdicts, time: $0) }
        // A frame that is too large is answered like every other refusal as long as it can be held; beyond that the session ends with 1009.
        return WebSocketAccept(messageBytesMax: 2 * WebLimits.bodyBytesMax, subprotocol: subprotocol) { [admission, appender] session in
            PublishSocket(session, admission: admission, appender: appender, form: form, traceparent: trace, waiting: waiting)
        }
    }

    /// The value of the query's `wait`.
    private static func wait(_ query: String) -> Substring? {
        query.split(separator: "&").first { $0 == "wait" || $0.hasPrefix("wait=") }.map { $0.dropFirst(5) }
    }
}
