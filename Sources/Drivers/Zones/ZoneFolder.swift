package import Core
internal import Foundation
internal import Synchronization

/// Reads time zones from a zone database in the form of the system's (Debian package tzdata).
///
/// A zone's rules can change with an update of the package; a running process keeps those that it has read.
package final class ZoneFolder: ZoneSource {
    package static let system = "/usr/share/zoneinfo"
    /// Largest file that is read: those of tzdata have less than 4 KiB.
    private static let fileBytesMax = 64 << 10
    /// Zones kept: tzdata has about 600 names.
    private static let zonesMax = 1_024

    private let path: String
    private let known = Mutex<[String: ZoneRules]>([:])

    package init(path: String = ZoneFolder.system) { self.path = path }

    /// - Cost: a file is read once; afterwards a look-up under a lock.
    package func rules(_ name: String) -> ZoneRules? {
        if let rules = known.withLock({ $0[name] }) { return rules }
        guard Self.isName(name), let file = FileHandle(forReadingAtPath: path + "/" + name) else { return nil }
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: Self.fileBytesMax), let rules = ZoneRules(tzif: Array(data)) else { return nil }
        known.withLock { if $0.count < Self.zonesMax { $0[name] = rules } }
        return rules
    }
}
