internal import Core

/// A list of sentences as a JSON object with one member.
enum StringList {
    static func json(_ name: StaticString, _ items: [String]) -> [UInt8] {
        var list: [UInt8] = [UInt8(ascii: "[")]
        for (index, item) in items.enumerated() {
            if index > 0 { list.append(UInt8(ascii: ",")) }
            JSONText.append(item, to: &list)
        }
        var object = JSONObject()
        object.add(name, raw: list + [UInt8(ascii: "]")])
        return object.finish()
    }
}
