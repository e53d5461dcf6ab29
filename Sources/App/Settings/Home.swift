internal import Foundation

/// The folder with `streams/` and `migrations/`.
enum Home {
    /// The folder that is set, or the first one upward from the working folder or the program that has both.
    static func find(_ set: String) throws -> String {
        if !set.isEmpty {
            guard isHome(set) else { throw SettingError(description: "the setting home is '\(set)', but there are no streams/ and migrations/") }
            return set
        }
        let starts = [FileManager.default.currentDirectoryPath, Bundle.main.executablePath.map { ($0 as NSString).resolvingSymlinksInPath } ?? ""]
        for start in starts {
            var folder = URL(fileURLWithPath: start)
            while folder.path != "/" {
                if isHome(folder.path) { return folder.path }
                folder.deleteLastPathComponent()
            }
        }
        throw SettingError(description: "no folder with streams/ and migrations/ above the working folder or the program; set --home")
    }

    private static func isHome(_ folder: String) -> Bool {
        ["streams/messages.yaml", "migrations"].allSatisfy { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }
}
