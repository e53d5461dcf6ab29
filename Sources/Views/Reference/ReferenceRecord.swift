internal import Core

/// Records of the reference's registry, in its words and in ours: its organisations are one text with commas.
enum ReferenceRecord {
    static let members = ["system_id", "org_ids", "cluster_id", "public_url", "metadata", "name"]

    /// The reference's record of a backbone: all six members, null where nothing is said.
    static func outward(_ document: [UInt8]) -> [UInt8] {
        let root = try? JSONDocument(document).root
        var object = JSONObject()
        add("system_id", root, &object)
        object.add("org_ids", (root?["org_ids"]?.items.compactMap(\.string) ?? []).joined(separator: ","))
        add("cluster_id", root, &object)
        add("public_url", root, &object)
        if let metadata = root?["metadata"] { object.add("metadata", raw: metadata.text) } else { object.add("metadata", raw: Array("{}".utf8)) }
        add("name", root, &object)
        return object.finish()
    }

    private static func add(_ member: StaticString, _ root: JSONNode?, _ object: inout JSONObject) {
        if let value = root?[member.description] { object.add(member, raw: value.text) } else { object.addNull(member) }
    }

    /// The members of a body with `org_ids` as an array; everything else as it came.
    ///
    /// - Parameter keepsNull: a patch removes what is null; a new record just does not have it.
    static func inward(_ root: JSONNode, keepsNull: Bool) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "{")]
        for (key, value) in root.members where keepsNull || !value.isNull {
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: key.text)
            out.append(UInt8(ascii: ":"))
            if key.string == "org_ids", let text = value.string { out.append(contentsOf: names(text)) } else { out.append(contentsOf: value.text) }
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// The JSON array of the names in a text with commas.
    static func names(_ text: String) -> [UInt8] {
        JSONArray.of(text.split(separator: ",").map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }) { JSONText.append(String($1), to: &$0) }
    }
}
