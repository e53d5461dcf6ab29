/// The formats of JSON Schema draft 2020-12.
///
/// - Source: JSON Schema Validation 2020-12, 7.3.
package enum SchemaFormat: UInt8, CaseIterable, Sendable {
    case dateTime, date, time, duration, email, idnEmail, hostname, idnHostname, ipv4, ipv6, uri, uriReference, iri, iriReference, uuid, uriTemplate
    case jsonPointer, relativeJSONPointer, regex

    package init?(name: String) {
        guard let format = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = format
    }

    package var name: String {
        switch self {
        case .dateTime: "date-time"
        case .date: "date"
        case .time: "time"
        case .duration: "duration"
        case .email: "email"
        case .idnEmail: "idn-email"
        case .hostname: "hostname"
        case .idnHostname: "idn-hostname"
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        case .uri: "uri"
        case .uriReference: "uri-reference"
        case .iri: "iri"
        case .iriReference: "iri-reference"
        case .uuid: "uuid"
        case .uriTemplate: "uri-template"
        case .jsonPointer: "json-pointer"
        case .relativeJSONPointer: "relative-json-pointer"
        case .regex: "regex"
        }
    }

    /// What would pass, with an example.
    package var description: String {
        switch self {
        case .dateTime: "a date-time of RFC 3339, as 2026-01-31T12:00:00Z"
        case .date: "a date of RFC 3339, as 2026-01-31"
        case .time: "a time of RFC 3339 with an offset, as 12:00:00Z"
        case .duration: "a duration of RFC 3339, as P1DT12H"
        case .email: "an e-mail address, as a@example.com"
        case .idnEmail: "an e-mail address, also with characters beyond ASCII"
        case .hostname: "a host name, as www.example.com"
        case .idnHostname: "a host name, also with characters beyond ASCII"
        case .ipv4: "an IPv4 address, as 192.0.2.1"
        case .ipv6: "an IPv6 address, as 2001:db8::1"
        case .uri: "an absolute URI, as https://example.com/a"
        case .uriReference: "a URI or a relative reference, as ../a"
        case .iri: "an absolute IRI, as https://example.com/ä"
        case .iriReference: "an IRI or a relative reference, as ../ä"
        case .uuid: "a UUID, as 0190163d-8694-739b-aea5-966c26f8ad91"
        case .uriTemplate: "a URI template of RFC 6570, as /a/{id}"
        case .jsonPointer: "a JSON Pointer, as /a/0"
        case .relativeJSONPointer: "a relative JSON Pointer, as 1/a"
        case .regex: "a regular expression of ECMA-262"
        }
    }

    /// Whether `text`, which is UTF-8, has this format.
    /// - Cost: linear in the text.
    package func accepts(_ text: Span<UInt8>) -> Bool {
        switch self {
        case .dateTime: TimeFormat.isDateTime(text)
        case .date: text.count == 10 && TimeFormat.isDate(text, 0)
        case .time: TimeFormat.isTime(text, 0)
        case .duration: TimeFormat.isDuration(text)
        case .email: EmailFormat.accepts(text, international: false)
        case .idnEmail: EmailFormat.accepts(text, international: true)
        case .hostname: HostnameFormat.accepts(text)
        case .idnHostname: HostnameFormat.acceptsInternational(text)
        case .ipv4: AddressFormat.isIPv4(text, 0..<text.count)
        case .ipv6: AddressFormat.isIPv6(text, 0..<text.count)
        case .uri: URIFormat(allowsUnicode: false, allowsRelative: false).accepts(text)
        case .uriReference: URIFormat(allowsUnicode: false, allowsRelative: true).accepts(text)
        case .iri: URIFormat(allowsUnicode: true, allowsRelative: false).accepts(text)
        case .iriReference: URIFormat(allowsUnicode: true, allowsRelative: true).accepts(text)
        case .uuid: AddressFormat.isUUID(text)
        case .uriTemplate: URITemplateFormat.accepts(text)
        case .jsonPointer: PointerFormat.isPointer(text, 0)
        case .relativeJSONPointer: PointerFormat.isRelative(text)
        case .regex: ECMAPattern.isValid(FormatText.string(text, 0..<text.count))
        }
    }
}
