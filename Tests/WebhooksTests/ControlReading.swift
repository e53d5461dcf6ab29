import Control

@testable import Webhooks

enum ControlReading {
    static func all(_ rig: NotifierRig, into fold: inout WebhookFold) throws {
        try ControlReader(keys: rig.keys).fold(into: &fold, rig.connect())
    }
}
