internal import Core
internal import Log

/// Streams, groups and entries as JSON.
enum StreamJSON {
    static func status(_ status: StreamStatus) -> [UInt8] { object(status).finish() }

    static func status(_ status: StreamStatus, _ declaration: StreamDeclaration) -> [UInt8] {
        var object = object(status)
        object.add("declaration", raw: json(declaration))
        return object.finish()
    }

    static func groups(_ groups: [StreamStatus.Group]) -> [UInt8] {
        JSONArray.of(groups) { $0.append(contentsOf: json($1)) }
    }

    private static func object(_ status: StreamStatus) -> JSONObject {
        var object = JSONObject()
        object.add("name", status.name.rawValue)
        object.add("key", status.key)
        object.add("length", status.length)
        object.add("first", optional: status.first?.description)
        object.add("last", status.last.description)
        object.add("groups", raw: groups(status.groups))
        return object
    }

    private static func json(_ group: StreamStatus.Group) -> [UInt8] {
        var object = JSONObject()
        object.add("name", group.name)
        object.add("consumers", group.consumers)
        object.add("pending", group.pending)
        object.add("last_delivered", group.lastDelivered.description)
        object.add("lag", optional: group.lag)
        return object.finish()
    }

    private static func json(_ declaration: StreamDeclaration) -> [UInt8] {
        var retention = JSONObject()
        retention.add("age_ms", Int(clamping: declaration.retention.ageMs))
        retention.add("entries", declaration.retention.entries)
        var object = JSONObject()
        object.add("purpose", declaration.purpose)
        object.add("partition_key", declaration.key)
        object.add("partitions", declaration.partitions)
        object.add("groups", strings: declaration.groups)
        object.add("retention", raw: retention.finish())
        object.add("claim_after_ms", Int(declaration.claimAfter / .milliseconds(1)))
        object.add("attempts", declaration.attempts)
        object.add("events", strings: declaration.events)
        return object.finish()
    }

    /// Values that are UTF-8 stand in `fields`, others as base64 in `fields_base64`. Of a name that stands twice the first counts.
    static func entry(_ position: Position, _ entryFields: [(name: [UInt8], value: [UInt8])]) -> [UInt8] {
        var fields: [UInt8] = [UInt8(ascii: "{")]
        var binary: [UInt8] = [UInt8(ascii: "{")]
        var seen: Set<String> = []
        for (name, value) in entryFields {
            let key = String(decoding: name, as: UTF8.self)
            guard seen.insert(key).inserted else { continue }
            if UTF8Check.firstFault(value.span) == nil {
                member(key, value, &fields)
            } else {
                member(key, Base64.encode(value), &binary)
            }
        }
        fields.append(UInt8(ascii: "}"))
        binary.append(UInt8(ascii: "}"))
        var object = JSONObject()
        object.add("id", position.streamID)
        object.add("position", position.description)
        object.add("fields", raw: fields)
        object.add("fields_base64", raw: binary)
        return object.finish()
    }

    private static func member(_ key: String, _ value: [UInt8], _ out: inout [UInt8]) {
        if out.count > 1 { out.append(UInt8(ascii: ",")) }
        JSONText.append(key, to: &out)
        out.append(UInt8(ascii: ":"))
        JSONText.append(value, to: &out)
    }
}
