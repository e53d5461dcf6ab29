/// Merge patches: members of the patch replace those of the target, null removes, objects merge.
///
/// - Source: RFC 7396. Members that the patch does not name keep their bytes and order. Of a key written twice, the last member counts, as for
///   every other reader.
package enum JSONMergePatch {
    /// - Returns: JSON text.
    package static func apply(_ patch: JSONNode, to target: JSONNode?) -> [UInt8] {
        guard patch.kind == .object else { return Array(patch.text) }
        var out: [UInt8] = [UInt8(ascii: "{")]
        var done: Set<[UInt8]> = []
        func add(_ key: JSONNode, _ value: some Sequence<UInt8>) {
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: key.text)
            out.append(UInt8(ascii: ":"))
            out.append(contentsOf: value)
        }
        if let target, target.kind == .object {
            for (key, _) in target.members {
                guard let name = key.stringBytes, done.insert(name).inserted, let value = target[name] else { continue }
                guard let change = patch[name] else {
                    add(key, value.text)
                    continue
                }
                if !change.isNull { add(key, apply(change, to: value)) }
            }
        }
        for (key, _) in patch.members {
            guard let name = key.stringBytes, done.insert(name).inserted, let value = patch[name], !value.isNull else { continue }
            add(key, apply(value, to: nil))
        }
        out.append(UInt8(ascii: "}"))
        return out
    }
}
