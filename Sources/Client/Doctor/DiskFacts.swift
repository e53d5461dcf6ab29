/// Room on the disk of a data folder.
package struct DiskFacts: Sendable {
    package let folder: String
    package let freeBytes: Int
    package let totalBytes: Int

    package init(folder: String, freeBytes: Int, totalBytes: Int) {
        self.folder = folder
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }

    package var finding: Finding {
        let said = "\(Amounts.bytes(freeBytes)) of \(Amounts.bytes(totalBytes)) free for \(folder)"
        if freeBytes < 512_000_000 {
            return Finding(
                "disk", "free", .fail, "\(said): Redis stops taking messages when its file cannot grow, and rewriting it needs room for a second copy")
        }
        if freeBytes < 5_000_000_000 { return Finding("disk", "free", .warn, "\(said): rewriting Redis's file needs room for a second copy of the log") }
        return Finding("disk", "free", .ok, said)
    }
}
