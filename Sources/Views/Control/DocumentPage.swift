internal import Core

/// One page of documents or the like, which lie in memory, in the order of their keys.
struct DocumentPage<Row> {
    let rows: [(key: String, row: Row)]
    let next: KeyCursor?

    /// - Parameter isMeant: asked in order, until the page is full.
    /// - Cost: sorts all keys behind the cursor.
    init(_ all: [String: Row], after cursor: KeyCursor?, limit: Int, _ isMeant: (Row) -> Bool) {
        var rows: [(key: String, row: Row)] = []
        var hasMore = false
        // Compared as bytes: the same order wherever the rows lie.
        func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
        let keys = cursor.map { cursor in all.keys.filter { isBefore(cursor.key, $0) } } ?? Array(all.keys)
        for key in keys.sorted(by: isBefore) {
            guard let row = all[key], isMeant(row) else { continue }
            if rows.count == limit {
                hasMore = true
                break
            }
            rows.append((key, row))
        }
        self.rows = rows
        next = hasMore ? rows.last.map { KeyCursor(key: $0.key) } : nil
    }
}
