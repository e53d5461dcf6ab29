internal import Core

/// The members in which two JSON objects differ, each by its pointer with its values before and after; what is not there is left out.
enum JSONDifference {
    /// - Parameters: JSON texts of objects; nil for none.
    /// - Returns: a JSON array of `{pointer, from, to}`.
    static func members(_ before: [UInt8]?, _ after: [UInt8]?) -> [UInt8] {
        var out: [Member] = []
        compare(root(before), root(after), pointer: [], &out)
        return JSONArray.of(out) { $0.append(contentsOf: $1.json) }
    }

    private struct Member {
        let pointer: [UInt8]
        let from: JSONNode?
        let to: JSONNode?

        var json: [UInt8] {
            var object = JSONObject()
            object.add("pointer", text: pointer)
            if let from { object.add("from", raw: from.text) }
            if let to { object.add("to", raw: to.text) }
            return object.finish()
        }
    }

    private static func root(_ text: [UInt8]?) -> JSONNode? { text.flatMap { try? JSONDocument($0).root } }

    /// Objects are compared member by member, everything else as a whole.
    private static func compare(_ before: JSONNode?, _ after: JSONNode?, pointer: [UInt8], _ out: inout [Member]) {
        if before == nil, after == nil { return }
        if let before, let after, before.equals(after) { return }
        let isObject = (before?.kind ?? .object) == .object && (after?.kind ?? .object) == .object
        // An object that came or went is told by its members only at the root, where the document itself did.
        guard isObject, pointer.isEmpty || (before != nil && after != nil) else {
            out.append(Member(pointer: pointer, from: before, to: after))
            return
        }
        var done: Set<[UInt8]> = []
        for side in [before, after] {
            guard let side else { continue }
            for (key, _) in side.members {
                guard let name = key.stringBytes, done.insert(name).inserted else { continue }
                var inner = pointer
                JSONPointer.append(key: name, to: &inner)
                compare(before?[name], after?[name], pointer: inner, &out)
            }
        }
    }
}
