/// One change of a document and what it is based on.
package struct ControlChange: Sendable {
    package let event: ControlEvent
    package let expected: ExpectedVersion

    package init(_ event: ControlEvent, expected: ExpectedVersion) {
        self.event = event
        self.expected = expected
    }
}
