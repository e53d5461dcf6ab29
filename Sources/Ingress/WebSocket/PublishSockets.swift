package import Log
package import Web

/// The WebSocket doors: `/v1/messages` (also with subprotocol `cloudevents.json`) and the reference's `/MESSAGES`.
package struct PublishSockets: WebSocketRoutes {
    private let admission: Admission
    private let appender: Appender

    package init(admission: Admission, appender: Appender) {
        self.admission = admission
        self.appender = appender
    }

    package func accept(_ request: WebSocketRequest) -> WebSocketAccept? {
        let form: PublishSocket.Form
        let subprotocol: String?
        switch request.path {
        case "/v1/messages":
            let events = request.subprotocols.contains("cloudevents.json")
            form = events ? .cloudEvents : .native
            subprotocol = events ? "cloudevents.json" : nil
        case "/MESSAGES":
            form = .reference
            subprotocol = nil
        default: return nil
        }
        let trace = request.header("traceparent").flatMap { TraceContext.isWellFormed(Array($0.utf8).span) ? $0 : nil }
        // A frame that is too large is answered like every other refusal as long as it can be held; beyond that the session ends with 1009.
        return WebSocketAccept(messageBytesMax: 2 * WebLimits.bodyBytesMax, subprotocol: subprotocol) { [admission, appender] session in
            PublishSocket(session, admission: admission, appender: appender, form: form, traceparent: trace)
        }
    }
}
