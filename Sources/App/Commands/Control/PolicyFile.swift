internal import ArgumentParser
internal import Client
internal import Core
internal import Foundation
internal import Yams

/// A file of constraints or of policy tests, YAML or JSON, as JSON.
enum PolicyFile {
    /// - Throws: `CommandFailure(.refused)` that says where the text is no YAML and no JSON, or has a key twice.
    static func read(_ path: String) async throws -> JSONNode {
        let bytes = try await DocumentText.read(path)
        do {
            // JSON as it is: YAML would read some of its numbers otherwise.
            if let document = try? JSONDocument(bytes) {
                let duplicates = Refusal(duplicateKeysIn: document.root)
                guard duplicates.isEmpty else { throw CommandFailure(.refused, "\(path): \(duplicates.summary)") }
                return document.root
            }
            // Times stay text, as in JSON.
            let value = try Yams.load(yaml: String(decoding: bytes, as: UTF8.self), .default.removing(.timestamp))
            guard let value, value is [AnyHashable: Any] || value is [Any] else {
                throw CommandFailure(.refused, "\(path) holds no object and no list")
            }
            guard JSONSerialization.isValidJSONObject(value) else {
                throw CommandFailure(
                    .refused, "\(path) has a name that is no text, or a value that JSON does not have, such as .nan or !!binary")
            }
            return try JSONDocument([UInt8](JSONSerialization.data(withJSONObject: value))).root
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.refused, "\(path): \(error)")
        }
    }

    /// Says what is wrong in a file: one line each, or as JSON; what the command ends with.
    static func refuse(_ refusal: Refusal, in path: String, json: Bool = false) -> ExitCode {
        if json { Output.json(refusal.json) } else { complain(refusal, in: path) }
        return ExitCode(CommandExit.refused.rawValue)
    }

    private static func complain(_ refusal: Refusal, in path: String) {
        for violation in refusal.violations {
            Output.line("\(path)\(violation.pointer.isEmpty ? "" : "#" + violation.pointer): \(violation.detail)")
        }
    }
}
