import Control
import Core
import Foundation
import Log
import TestSupport
import Testing

@testable import Webhooks

/// Webhooks that the rows know and the log does not.
@Suite("Webhook deliveries of a log that lost its data")
struct NotifierLossTests {
    private func state(_ id: String, _ url: String, at position: Position) -> ControlState {
        let document = #"{"webhook_id":"\#(id)","url":"\#(url)","events":["validation.failed"]}"#
        let row = ControlRow(ControlEvent(.webhook, .created, key: id, document: Array(document.utf8)), at: position, before: nil)
        return ControlState(loaded: [.webhook: (position: position, rows: [id: row])])
    }

    @Test("A webhook whose changes are gone from the log gets its notifications, until it is deleted") func lost() async throws {
        try await NotifierRig.with { rig in
            try await WebhookReceiver.with(reply: { _, _ in .init(200) }) { receiver in
                try await rig.withNotifier(state: state("kept", receiver.url(), at: Position(ms: 1, seq: 0))) {
                    let position = try rig.notify()
                    #expect(await eventually { try rig.results() == ["succeeded"] })
                    #expect(receiver.all.map(\.id) == ["\(position)_kept"])
                    try rig.put("kept", "", .deleted)
                    try rig.put("new", receiver.url("/new"))
                    try rig.notify()
                    #expect(await eventually { try rig.results(of: "new") == ["succeeded"] })
                }
                #expect(try rig.results(of: "kept") == ["succeeded"] && receiver.all.count == 2)
            }
        }
    }

    @Test("A start from rows still knows the secrets that were replaced, as far as the log does") func secrets() async throws {
        try await NotifierRig.with { rig in
            try rig.put("w", "https://example.com/")
            try rig.put("gone", "https://example.com/")
            try rig.put("gone", "", .deleted)
            try rig.put("w", "https://example.com/", more: #","secret_version":2"#, .updated)
            var state = ControlState()
            try ControlReader(keys: rig.keys).fold(into: &state, rig.connect())
            var fold = WebhookFold(state)
            #expect(Set(fold.webhooks.keys) == ["w"], "before the log is read")
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            try ControlReading.all(rig, into: &fold)
            #expect(Set(fold.webhooks.keys) == ["w"] && fold.webhooks["w"]?.versions(nowMs: now) == [2, 1])
            let last = try rig.put("w", "https://example.com/", more: #","secret_version":3"#, .updated)
            try ControlReading.all(rig, into: &fold)
            #expect(fold.webhooks["w"]?.versions(nowMs: now) == [3, 2, 1] && fold.webhooks["w"]?.revision == last)
        }
    }
}
