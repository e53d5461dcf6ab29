/// Brings documents of older event versions into the present form, so that everything behind it knows one form only.
enum ControlUpcaster {
    /// - Throws: `ControlFault` when an old document lacks what the newer form needs.
    static func upcast(_ event: inout ControlEvent) throws(ControlFault) {
        while event.version < ControlEvent.currentVersion(event.kind) {
            switch (event.kind, event.version) {
            case (.backbone, 1): event.document = try organisationsAsArray(event.document)
            default: throw ControlFault("there is no way from version \(event.version) of \(event.type) to the next")
            }
            event.version += 1
        }
    }

    /// `"org_ids": "a,b"` becomes `"org_ids": ["a", "b"]`; every other member stays as it is.
    private static func organisationsAsArray(_ document: [UInt8]) throws(ControlFault) -> [UInt8] {
        guard let root = try? JSONDocument(document).root, root.kind == .object else { throw ControlFault("the document is no JSON object") }
        var out: [UInt8] = [UInt8(ascii: "{")]
        for (key, value) in root.members {
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: key.text)
            out.append(UInt8(ascii: ":"))
            if key.string == "org_ids", let text = value.string {
                out.append(contentsOf: ControlUpcaster.names(text))
            } else {
                out.append(contentsOf: value.text)
            }
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// The JSON array of the names in a comma-separated text.
    static func names(_ text: String) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for name in text.split(separator: ",") {
            let name = name.drop { $0 == " " }
            if name.isEmpty { continue }
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            JSONText.append(String(name), to: &out)
        }
        out.append(UInt8(ascii: "]"))
        return out
    }
}
