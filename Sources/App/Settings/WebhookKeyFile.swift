internal import Foundation
internal import Log

/// The file with the key from which the secrets of webhooks are derived.
enum WebhookKeyFile {
    /// - Parameter path: empty for none.
    static func read(_ path: String) throws -> WebhookKey? {
        if path.isEmpty { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SettingError(description: "the setting webhook-key-file: cannot read \(path)")
        }
        var bytes = Array(data)
        // An editor ends a text with a line.
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard let key = WebhookKey(bytes) else {
            throw SettingError(
                description: "the setting webhook-key-file: \(path) has \(bytes.count) bytes, at least \(WebhookKey.bytesMin) are needed;"
                    + " `openssl rand -base64 32` makes such a key")
        }
        return key
    }

    /// Makes a key when there is none, readable by its owner only; the path.
    static func prepare(in folder: String) throws -> String {
        let path = folder + "/webhook.key"
        if FileManager.default.fileExists(atPath: path) { return path }
        var system = SystemRandomNumberGenerator()
        let bytes = Data((0..<WebhookKey.bytesMin).map { _ in system.next() as UInt8 })
        guard FileManager.default.createFile(atPath: path, contents: Data((bytes.base64EncodedString() + "\n").utf8), attributes: [.posixPermissions: 0o600])
        else {
            throw SettingError(description: "cannot write \(path)")
        }
        return path
    }
}
