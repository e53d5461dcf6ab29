internal import Core

/// A list of sentences as JSON: an array, or an object with one member.
enum StringList {
    static func json(_ name: StaticString, _ items: [String]) -> [UInt8] {
        var object = JSONObject()
        object.add(name, raw: array(items))
        return object.finish()
    }

    static func array(_ items: [String]) -> [UInt8] {
        var list: [UInt8] = [UInt8(ascii: "[")]
        for (index, item) in items.enumerated() {
            if index > 0 { list.append(UInt8(ascii: ",")) }
            JSONText.append(item, to: &list)
        }
        return list + [UInt8(ascii: "]")]
    }
}
