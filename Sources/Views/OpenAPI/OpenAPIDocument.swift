/// The description of all routes, as it stands in `openapi.yaml` beside this file.
package enum OpenAPIDocument {
    package static let bytes: [UInt8] = PackageResources.openapi_yaml
}
